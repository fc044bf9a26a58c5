"""`harness load` by itself: a load on a target, its ledger and budgets judged, in a record with a report."""

import time
from pathlib import Path
from typing import Final

from harness.commands import command
from harness.conformance.catalog import LOAD
from harness.history import Recorder
from harness.judge import EXIT_HARNESS_FAILED, EXIT_VOID
from harness.records import INTERRUPTED, RunRecord
from harness.targets.local import LocalTarget
from harness.targets.profiles import Profile, read_target
from harness.verify.basis import Basis, code_of, judged, kept
from harness.verify.health import check_healthy
from harness.verify.options import UsageError
from harness.verify.outside import left_by_load, load_void
from harness.verify.parts import SERVERS
from harness.verify.plan import check_can_begin, plan_of
from harness.verify.progress import Progress
from harness.verify.run import end_lines, reports_of

FAILED: Final = "the load could not be put on the target; locust.log says why"


def load(scenario: str, users: int, seconds: float, target: str | None, seed: int, out: Path) -> int:
    """Put load on a target, judge it and write the report; return the exit code.

    Raises UsageError, ProfileError or TargetDownError before anything is written.
    """
    from loadtests import runner
    from loadtests.catalog import load_scenario

    load_scenario(scenario)
    profile = read_target(target) if target is not None else None
    if profile is not None:
        _check(profile, users)
    record = RunRecord.create(what=f"load_{scenario}", seed=seed, root=out, target=target or "local", tier="load",
                              only=LOAD)  # fmt: skip
    try:
        with _server(record, profile is None) as url, Progress(quiet=False) as progress:
            progress.part(f"load {scenario}, {users} users for {seconds:g} s")
            given = profile.api if profile is not None else url
            ca = profile.ca if profile is not None else ""
            code = runner.run(scenario, users, seconds, given, record.path, seed, exclusive=profile is None, ca=ca,
                              step=progress.step)  # fmt: skip
    except KeyboardInterrupt:
        record.finish(exit_code=EXIT_VOID, complete=False, void=INTERRUPTED)
        raise
    except Exception as fault:
        record.update(facts={"failed": f"{type(fault).__name__}: {fault}"})
        record.finish(exit_code=EXIT_HARNESS_FAILED, complete=False)
        raise
    if code == EXIT_HARNESS_FAILED:
        record.update(facts={"failed": FAILED})
        record.finish(exit_code=code, complete=False)
        return code
    words = ("--users", str(users), "--duration", f"{seconds:g}s", "--seed", str(seed))
    return _judged(record, profile, command("load", scenario, *words, *(("--target", target) if target else ())))


def _check(profile: Profile, users: int) -> None:
    allowed = profile.capabilities().connections_max
    if users > allowed:
        raise UsageError(f"{users} users, but {profile.api} allows {allowed} connections; allow connections:{users}")
    check_can_begin(profile, ("load",))
    print("\n".join(plan_of(profile, ("load",))))
    check_healthy(profile)


class _server:  # noqa: N801 - reads as the phrase it is used in
    """The reference server while a load runs, or nothing."""

    def __init__(self, record: RunRecord, wanted: bool) -> None:
        self._record = record
        self._wanted = wanted
        self._target: LocalTarget | None = None

    def __enter__(self) -> str:
        if not self._wanted:
            return ""
        recorder = Recorder("client", time.monotonic_ns, self._record.sink("client"))
        log = self._record.path / "logs" / "load.log"
        self._target = LocalTarget(recorder, options=SERVERS["load"], log=log)
        return self._target.profile.api

    def __exit__(self, *_: object) -> None:
        if self._target is not None:
            self._target.end()


def _judged(record: RunRecord, profile: Profile | None, replay: str) -> int:
    basis = Basis(local=profile is None, clauses=LOAD, replay=replay, load_void=load_void(record.path))
    left = left_by_load(record.path) if profile is not None else []
    verdicts = judged(record.path, record.info, basis)
    record.save_verdicts(verdicts)
    record.update(facts={"left_behind": left, **kept(basis)})
    code = code_of(verdicts.results, basis)
    record.finish(exit_code=code)
    for line in [*(f"left behind: {what}" for what in left), *end_lines(verdicts.results)]:
        print(line)
    print(reports_of(record.path)[0])
    return code
