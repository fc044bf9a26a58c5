"""`harness load` by itself, and judging a record again: both end in a record with verdicts and a report."""

import time
from datetime import UTC, date, datetime
from pathlib import Path

from harness.checkers.base import RunFacts
from harness.conformance.catalog import LOAD, clauses_of
from harness.history import Recorder
from harness.judge import EXIT_HARNESS_FAILED, Known, Scope, exit_code
from harness.records import ReadRecord, RunRecord, Verdicts, read_record
from harness.targets.local import LocalTarget
from harness.targets.profiles import plan_of, read_target
from harness.verdicts import Status
from harness.verify.groups import judge_groups, read_groups
from harness.verify.options import UsageError
from harness.verify.parts import SERVERS
from harness.verify.run import end_lines, reports_of


def load(scenario: str, users: int, seconds: float, target: str | None, seed: int, out: Path) -> int:
    """Put load on a target, judge its budgets and write the report; return the exit code."""
    from loadtests import runner
    from loadtests.catalog import load_scenario

    load_scenario(scenario)
    profile = read_target(target) if target is not None else None
    if profile is not None:
        allowed = profile.capabilities().connections_max
        if users > allowed:
            raise UsageError(
                f"{users} users, but {profile.api} allows {allowed} connections; allow connections:{users}"
            )
        print("\n".join(plan_of(profile)))
    record = RunRecord.create(what=f"load_{scenario}", seed=seed, root=out, target=target or "local", tier="load",
                              only=LOAD)  # fmt: skip
    with _server(record, profile is None) as url:
        given = profile.api if profile is not None else url
        ca = profile.ca if profile is not None else ""
        code = runner.run(scenario, users, seconds, given, record.path, seed, exclusive=profile is None, ca=ca)
    if code == EXIT_HARNESS_FAILED:
        record.finish(exit_code=code, complete=False)
        return code
    return _judged(record, code, runner.EXIT_VOID, profile is None)


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


def _judged(record: RunRecord, code: int, void_code: int, local: bool) -> int:
    facts = RunFacts(seed=record.info.seed, target=record.info.target, local=local)
    scope = Scope("standard", LOAD)
    verdicts = judge_groups(read_groups(record.path), facts, scope=scope, capabilities=None)
    record.save_verdicts(verdicts)
    void = "the load does not count; samples/load.json says why" if code == void_code else ""
    missed = any(result.status is Status.VIOLATED for result in verdicts.results)
    # Losses stand in the ledger, budgets in the verdicts: either makes the run fail.
    final = void_code if void else max(code, int(missed))
    record.finish(exit_code=final, void=void)
    print("\n".join(end_lines(verdicts.results)))
    print(reports_of(record.path)[0])
    return final


def rejudged(run: Path) -> Verdicts:
    """Judge a record's history again with the checkers of today and write its verdicts; raises RecordError."""
    record = read_record(run)
    before = record.verdicts() if record.has_verdicts else Verdicts(results=())
    info = record.info
    facts = RunFacts(
        seed=info.seed, depth=info.depth, target=info.target, local="://" not in info.target, replay=_replay_of(before)
    )
    only = tuple({clause for part in info.only for clause in _clauses_named(part)})
    scope = Scope(info.depth, tuple(sorted(only)))
    found = judge_groups(read_groups(run), facts, scope=scope, capabilities=None, known=_known_of(before))
    # What a target lacks is not in its history: what was unsupported then is so now.
    lacking = {result.id: result for result in before.results if result.status is Status.UNSUPPORTED}
    results = tuple(lacking.get(result.id, result) for result in found.results)
    renewed = Verdicts(
        results=results, out_of_scope=found.out_of_scope, held_by_project_tests=found.held_by_project_tests
    )
    _write_again(record, renewed, exit_code(results, today=datetime.now(UTC).date(), void=info.void or None))
    return renewed


def _write_again(record: ReadRecord, verdicts: Verdicts, code: int) -> None:
    opened = RunRecord(record.path, record.info)
    opened.save_verdicts(verdicts)
    opened.update(exit_code=code)


def _clauses_named(part: str) -> frozenset[str]:
    return frozenset({part}) if part.isupper() else clauses_of(part)


def _replay_of(verdicts: Verdicts) -> str:
    found = (violation.replay for result in verdicts.results for violation in result.violations if violation.replay)
    return next(found, "")


def _known_of(verdicts: Verdicts) -> tuple[Known, ...]:
    return tuple(Known(result.id, result.known, date.max) for result in verdicts.results if result.known)
