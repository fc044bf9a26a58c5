"""The order of a verify run: check, plan, act, judge, report; and what its end means for the exit code.

Nothing is written before the target answers. Whatever happens afterwards, children end and the record says how far the
run came: an interrupted one is kept, incomplete and void.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from harness.commands import command
from harness.judge import EXIT_HARNESS_FAILED, HarnessError
from harness.records import INTERRUPTED, RunRecord, Verdicts
from harness.targets.local import ServerDownError
from harness.targets.profiles import OWN
from harness.verdicts import ClauseResult, Status
from harness.verify.basis import Basis, code_of, judged, kept
from harness.verify.health import TargetDownError, check_healthy, check_socket
from harness.verify.options import LOCAL, Options
from harness.verify.outside import Browser, OutsideError, left_by_load, short_load
from harness.verify.parts import Parts
from harness.verify.plan import RFC6455, check_can_begin, plan_of
from harness.verify.progress import Progress
from harness.verify.simulated import canary_survives, simulated_histories

CANARY_PASSED: Final = "the canary, a server that is always broken, passed: these checks see nothing"
FAULT_CHARS_MAX: Final = 400


class _EnoughError(Exception):
    """`--fail-fast`: something is violated, so nothing more is asked."""


def verify(options: Options) -> int:
    """Run everything that was asked for; return the exit code of the design's table.

    Raises UsageError before anything is written when nobody could be signed in.
    """
    if options.profile is not None:
        check_can_begin(options.profile, options.only)
        for line in plan_of(options.profile, options.only):
            print(line)
        try:
            # Cases of RFC 6455 need a socket, and nothing else that a target has.
            (check_socket if set(options.only) == {RFC6455} else check_healthy)(options.profile)
        except TargetDownError as fault:
            return _failed(str(fault))
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    record = RunRecord.create(
        what="verify", seed=seed, root=options.out, target=options.target_told, tier="t2", depth=options.depth,
        only=() if options.is_whole else options.only,
    )  # fmt: skip
    with _sigterm_as_interrupt() as terms, Progress(options.quiet) as progress:
        progress.line(
            f"verify {options.target_told if not options.local else LOCAL}, seed {seed}, record {record.path}"
        )
        run = _Run(options, record, seed, progress)
        run.act()
        if terms:
            # The cancellation may have met a wait that was just ending: the run was still asked to stop.
            run.void = run.void or INTERRUPTED
        results, code = run.judge()
    return _told(options, record, run, results, code)


class _Run:
    """One run: what was done, and what stands in the way of its verdicts."""

    def __init__(self, options: Options, record: RunRecord, seed: int, progress: Progress) -> None:
        self.options = options
        self.record = record
        self.seed = seed
        self.progress = progress
        self.failed = ""
        self.void = ""
        self.load_void = ""
        self.load_left: list[str] = []
        self.cut_ns: int | None = None
        self.canary = ""
        self.notes: list[str] = []
        self.parts = Parts(options, record, seed, progress)
        self.capabilities = options.profile.capabilities() if options.profile is not None else OWN

    def act(self) -> None:
        """Do all parts; what stops them is kept, not raised."""
        try:
            self._simulate()
            self.parts.run(self._over_sockets())
            if "load" in self.options.only:
                self._load()
        except KeyboardInterrupt:
            self._cut()
            self.void = INTERRUPTED
        except _EnoughError:
            self.notes.append("stopped at the first violation, as --fail-fast asks")
        except (ServerDownError, TargetDownError, OutsideError, HarnessError) as fault:
            self.failed = str(fault)[:FAULT_CHARS_MAX]
        except Exception as fault:  # noqa: BLE001 - whatever it is, the record must say that we failed
            # A defect of ours ends as a harness that failed, with its record, never as a verdict.
            self.failed = f"{type(fault).__name__}: {fault}"[:FAULT_CHARS_MAX]
            self.record.write("logs/defect.txt", _trace(fault))
        finally:
            self._end()

    def _cut(self) -> None:
        """From now on the record shows how we clean up, and says nothing of the target."""
        self.cut_ns = self.cut_ns or time.monotonic_ns()

    def _end(self) -> None:
        try:
            self.parts.end()
        except (KeyboardInterrupt, asyncio.CancelledError):
            self.void = self.void or INTERRUPTED

    def _simulate(self) -> None:
        self.progress.part("canary")
        self.canary = "passed" if canary_survives() else "failed, as it must"
        if self.canary == "passed":
            self.void = CANARY_PASSED
        if self.options.local and "scenario" in self.options.only:
            self.progress.part("scenario on virtual time")
            self.notes += simulated_histories(self.record, self.options, self.seed)
            self._stop_if_violated()

    async def _over_sockets(self) -> None:
        """Act on targets for as long as was given; raises what the first act raised."""
        seconds = self.options.minutes * 60 if self.options.minutes is not None else None
        acting = asyncio.create_task(self._acts())
        # Waited for from outside: canceled itself, it would be over before anybody could say when that began.
        try:
            await asyncio.wait({acting}, timeout=seconds)
        except asyncio.CancelledError:
            await self._stopped(acting)
            raise
        if not acting.done():
            await self._stopped(acting)
            self.notes.append(f"the {self.options.minutes:g} minutes that were given were over")
        if not acting.cancelled():
            acting.result()

    async def _stopped(self, acting: asyncio.Task[None]) -> None:
        self._cut()
        acting.cancel()
        await asyncio.wait({acting})

    async def _acts(self) -> None:
        if {"rest", "security", "socket", "rfc6455"} & set(self.options.only):
            self.progress.part("conformance")
        await self.parts.suites(self._meanwhile)

    async def _meanwhile(self) -> None:
        """What runs while slow acts (heartbeats) take their time."""
        self._stop_if_violated()
        only = self.options.only
        if "security" in only:
            await self.parts.beside("limits")
            await self.parts.beside("short")
        if "scenario" in only:
            await self.parts.scenarios()
        if "process" in only:
            await self.parts.process_faults()
        self._stop_if_violated()
        if "browser" in only and self.options.depth != "smoke" and "browser" in self.capabilities.needs:
            await self._browser()

    async def _browser(self) -> None:
        self.progress.part("browser")
        browser = Browser(self.record.path, self.options, self.seed)
        try:
            note = await asyncio.to_thread(browser.wait, self.progress.step)
        finally:
            browser.end()
        if note:
            self.notes.append(note)

    def _load(self) -> None:
        self.progress.part("load")
        target = self.parts.started("load")
        able = target.capabilities
        if not {"accounts", "tasks", "connections"} <= able.grants or self.options.minutes is not None:
            self.notes.append("no load: the target does not allow accounts, tasks and connections, or time is short")
            return
        url = target.profile.api
        began_ns = time.monotonic_ns()
        try:
            void = short_load(url, self.record.path, self.options, self.seed, able.connections_max, self.progress.step)
        except KeyboardInterrupt:
            # The ledgers of a load that was cut short count as lost what was still on its way.
            self.cut_ns = began_ns
            raise
        finally:
            self.load_left = left_by_load(self.record.path) if not self.options.local else []
        if void:
            self.load_void = void
            self.notes.append(void)

    @property
    def left_behind(self) -> list[str]:
        """What stays on a foreign target, since the contract has no operation that removes it."""
        return [*self.parts.left_behind, *self.load_left]

    def _stop_if_violated(self) -> None:
        if self.options.fail_fast:
            results = self._verdicts().results
            if any(result.status is Status.VIOLATED for result in results):
                self._cut()
                raise _EnoughError

    # --- judging

    def judge(self) -> tuple[tuple[ClauseResult, ...], int]:
        """Judge what was recorded, close the record and return results and exit code."""
        self.progress.part("judging")
        results: tuple[ClauseResult, ...] = ()
        try:
            verdicts = self._verdicts()
            results = verdicts.results
            self.record.save_verdicts(verdicts)
        except (HarnessError, ValueError) as fault:
            self.failed = self.failed or str(fault)[:FAULT_CHARS_MAX]
        code = code_of(results, self._basis(), void=self.void, failed=self.failed)
        self.notes += self.parts.notes
        facts = {
            "canary": self.canary,
            "notes": self.notes,
            "left_behind": self.left_behind,
            "failed": self.failed,
            **kept(self._basis()),
        }
        self.record.update(facts=facts)
        complete = self.void != INTERRUPTED and not self.failed
        self.record.finish(exit_code=code, complete=complete, void=self.void)
        return results, code

    def _verdicts(self) -> Verdicts:
        return judged(self.record.path, self.record.info, self._basis())

    def _basis(self) -> Basis:
        profile = self.options.profile
        return Basis(
            local=self.options.local,
            shared_clock=profile is None or profile.loopback,
            replay=command("verify", *self.options.words, "--seed", str(self.seed)),
            clauses=self.options.clauses,
            known=self.options.known,
            capabilities=self.capabilities,
            load_void=self.load_void,
            cut_ns=self.cut_ns,
        )


def reports_of(record: Path) -> list[Path]:
    """Write what people and machines read of a record: report.html, junit.xml, summary.md."""
    from reports import junit, page, summary

    return [page.render(record), junit.write(record), summary.write(record)]


def _told(options: Options, record: RunRecord, run: _Run, results: tuple[ClauseResult, ...], code: int) -> int:
    try:
        report = reports_of(record.path)[0]
    except Exception as fault:  # noqa: BLE001 - verdicts.json is there already; the exit code must say it
        print(f"harness: the report could not be written: {type(fault).__name__}: {fault}", file=sys.stderr)
        return EXIT_HARNESS_FAILED
    if run.failed:
        print(f"harness: {run.failed}", file=sys.stderr)
    if run.void:
        print(f"harness: the run is void: {run.void}", file=sys.stderr)
    for note in run.notes if not options.quiet else ():
        print(f"note: {note}")
    for what in run.left_behind:
        print(f"left behind: {what}")
    for line in end_lines(results, interrupted=run.void == INTERRUPTED):
        print(line)
    print(report)
    return code


def end_lines(results: tuple[ClauseResult, ...], *, interrupted: bool = False) -> list[str]:
    """Return a line per violated and unknown clause, fit for a bug report, and one that counts.

    Of an interrupted run what stayed unknown is only counted: nobody asks why.
    """
    lines = []
    for result in results:
        if result.status is Status.VIOLATED:
            first = result.violations[0] if result.violations else None
            evidence = f" [{', '.join(first.evidence)}]" if first is not None and first.evidence else ""
            replay = f" replay: {first.replay}" if first is not None and first.replay else ""
            known = f" known: {result.known}" if result.known else ""
            lines.append(f"violated {result.id} {result.text}: {result.why}{evidence}{known}{replay}")
        elif result.status is Status.UNKNOWN and not interrupted:
            lines.append(f"unknown {result.id}: {result.why}")
    counts = {status: sum(result.status is status for result in results) for status in Status}
    told = ", ".join(f"{count} {status.value}" for status, count in counts.items())
    return [*lines, f"until it was interrupted: {told}" if interrupted else told]


def _failed(why: str) -> int:
    print(f"harness: {why}", file=sys.stderr)
    return EXIT_HARNESS_FAILED


def _trace(fault: Exception) -> str:
    import traceback

    return "".join(traceback.format_exception(fault))


@contextmanager
def _sigterm_as_interrupt() -> Iterator[list[int]]:
    """Let SIGTERM end a run as Ctrl-C does: one path out, children first; the signals that came are listed."""
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        came.append(number)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield came
    finally:
        signal.signal(signal.SIGTERM, before)
