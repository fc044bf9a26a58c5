"""Run a saved script again: on virtual time, or over sockets against a server or a URL."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness.checkers.base import RunFacts
from harness.history import Event, Recorder, merged
from harness.judge import EXIT_OK, EXIT_UNKNOWN, EXIT_VIOLATED, judge
from harness.targets.local import FAST_TASKS, LocalTarget
from harness.targets.profiles import read_target
from harness.targets.remote import RemoteTarget
from harness.verdicts import ClauseResult, Status
from harness.verify.health import check_healthy
from reference_server.contract.clauses import Kind

if TYPE_CHECKING:
    from scenarios.model import Script


def read_script(path: Path) -> "Script":
    """Return the script of a file; raises ValueError with one sentence."""
    from scenarios.model import decode_script

    try:
        return decode_script(path.read_bytes())
    except OSError as fault:
        raise ValueError(f"script {str(path)!r} can't be read: {fault.strerror}") from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ValueError(f"script {str(path)!r} is no script: {fault}") from fault


def replayed(script: "Script", tier: str, target: str | None) -> tuple[int, list[str]]:
    """Run a script at a tier; return exit code and lines: what was not shown again is not green unless it was seen.

    Raises ServerDownError, TargetDownError, ProfileError, HarnessError.
    """
    results = _simulated(script) if tier == "t0" else _over_sockets(script, target)
    violated = [result for result in results if result.status is Status.VIOLATED]
    own = next((result for result in results if result.id == script.clause), None)
    if violated:
        return EXIT_VIOLATED, [f"violated {result.id}: {result.why}" for result in violated]
    if script.clause and (own is None or own.status is not Status.HOLDS):
        why = f"{own.status.value}: {own.why}" if own is not None else "not judged at this tier"
        return EXIT_UNKNOWN, [f"unknown {script.clause}, for which the script was saved: it is {why}"]
    return EXIT_OK, [f"nothing is violated; the script was saved for {script.clause or 'no clause'}"]


def _simulated(script: "Script") -> Sequence[ClauseResult]:
    from harness.simulate import history, judged, parts_of

    results = judged(history(script.scenario, script.seed, parts_of(script.mutant)), script.seed).results
    # Latencies on virtual time are drawn: they say nothing of a budget.
    return [result for result in results if result.kind != Kind.BUDGET.value]


def _over_sockets(script: "Script", target: str | None) -> Sequence[ClauseResult]:
    from harness.simulate import replay_on

    profile = read_target(target) if target is not None else None
    if profile is not None:
        check_healthy(profile)
    events: list[Event] = []
    recorder = Recorder("client", time.monotonic_ns, events.append)
    lent: RemoteTarget
    if profile is not None:
        lent = RemoteTarget(profile, recorder, seed=script.seed, run=f"{time.time_ns():x}")
    else:
        options = ("--limits", "off", *FAST_TASKS)
        lent = LocalTarget(recorder, seed=script.seed, mutant=script.mutant, options=options, tap_sink=events.append)
    try:
        replay_on(lent, script, lent.run_name)
    finally:
        lent.end()
    has_tap = any(event.kind == "accepted" for event in events)
    facts = RunFacts(seed=script.seed, target=lent.name, local=target is None, has_tap=has_tap)
    return judge(merged(events), facts, capabilities=lent.capabilities).results
