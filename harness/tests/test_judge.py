"""What the judge says of a clause, and with which code a run ends."""

from collections.abc import Callable
from datetime import date

import pytest

from harness.checkers.base import Checker, RunFacts
from harness.checkers.tally import Fold
from harness.history import Event
from harness.judge import HarnessError, Judgement, Known, Scope, check_known, exit_code, judge
from harness.targets.base import Capabilities
from harness.verdicts import ClauseResult, Status, Verdict, Violation, combined, describe
from reference_server.contract.clauses import CLAUSES, Reach

TODAY = date(2026, 1, 1)
ALL = Capabilities(
    frozenset({"tap", "steer", "short_ttl", "process", "admin", "exclusive", "browser", "clock"}),
    frozenset({"accounts", "tasks", "agents", "deployments", "keys", "publish", "flood", "connections", "faults"}),
)


class Says(Fold):
    """Judges one clause by the first note of a history."""

    name = "says"
    clauses = ("RT-SCHEMA-1",)

    def take(self, event: Event) -> None:
        """Judge a note."""
        self.tally.judge(self.clauses[0], event.data["fine"], "it is not fine", event)


def saying(clause: str) -> Callable[[], Checker]:
    return type("SaysOf", (Says,), {"clauses": (clause,)})


def note(fine: bool) -> Event:
    return Event("client", 7, 0, "note", data={"fine": fine})


def judged(clause: str, *events: Event, capabilities: Capabilities | None = None) -> ClauseResult:
    found: Judgement = judge(events, RunFacts(depth="thorough"), checkers=[saying(clause)], capabilities=capabilities)
    return next(result for result in found.results if result.id == clause)


def results(*statuses: Status) -> list[ClauseResult]:
    return [
        ClauseResult(f"X-{place}", "t", "§1", "safety", "black-box", (), False, found)
        for place, found in enumerate(statuses)
    ]


def test_every_clause_in_scope_gets_one_result_and_white_box_ones_none() -> None:
    found = judge([], RunFacts(depth="thorough"))
    white = [clause.id for clause in CLAUSES if clause.reach is Reach.WHITE_BOX]
    assert [result.id for result in found.results] == [clause.id for clause in CLAUSES if clause.id not in white]
    assert found.held_by_project_tests == tuple(white)
    assert {result.status for result in found.results} == {Status.UNKNOWN}


def test_clauses_outside_the_scope_are_only_counted() -> None:
    found = judge([], RunFacts(), scope=Scope("smoke", only=("rt", "PERF-P1")))
    assert {result.id.partition("-")[0] for result in found.results} == {"RT", "PERF"}
    assert len(found.results) + found.out_of_scope + len(found.held_by_project_tests) == len(CLAUSES)


@pytest.mark.parametrize(
    ("events", "expected"),
    [([note(True)], Status.HOLDS), ([note(True), note(False)], Status.VIOLATED), ([], Status.UNKNOWN)],
)
def test_a_clause_is_what_its_checker_says(events: list[Event], expected: Status) -> None:
    assert judged("RT-SCHEMA-1", *events, capabilities=ALL).status is expected


def test_a_lacking_need_makes_a_clause_unsupported_with_that_word() -> None:
    lacking = Capabilities(ALL.needs - {"tap"}, ALL.grants)
    found = judged("RT-PREFIX-3", note(False), capabilities=lacking)
    assert (found.status, found.why) == (Status.UNSUPPORTED, "tap")


def test_a_lacking_grant_is_not_allowed_but_hides_no_violation() -> None:
    lacking = Capabilities(ALL.needs, ALL.grants - {"tasks"})
    assert judged("TASK-MOVE-1", capabilities=lacking).why == "not allowed: tasks"
    assert judged("TASK-MOVE-1", note(True), capabilities=lacking).status is Status.UNSUPPORTED
    assert judged("TASK-MOVE-1", note(False), capabilities=lacking).status is Status.VIOLATED


class _Raises(Says):
    name = "raises"

    def take(self, event: Event) -> None:
        """Break."""
        raise KeyError(event.ref)


class _Mute(Says):
    name = "mute"

    def finish(self) -> list[Verdict]:
        """Say nothing."""
        return []


@pytest.mark.parametrize(("broken", "name"), [(_Raises, "'raises' failed at client#7"), (_Mute, "'mute' did not")])
def test_a_checker_that_breaks_is_named_and_ends_the_judging(broken: type[Fold], name: str) -> None:
    with pytest.raises(HarnessError, match=name):
        judge([note(True)], RunFacts(), checkers=[broken])


@pytest.mark.parametrize(
    ("statuses", "void", "failed", "expected"),
    [
        ([Status.HOLDS, Status.UNSUPPORTED], None, None, 0),
        ([Status.HOLDS, Status.UNKNOWN], None, None, 2),
        ([Status.VIOLATED, Status.UNKNOWN], None, None, 1),
        ([Status.VIOLATED], "the canary passed", None, 2),
        ([Status.VIOLATED], "the canary passed", "a checker raised", 3),
        ([], None, None, 2),
    ],
)
def test_the_exit_code_is_the_first_that_applies(
    statuses: list[Status], void: str | None, failed: str | None, expected: int
) -> None:
    assert exit_code(results(*statuses), today=TODAY, void=void, failed=failed) == expected


@pytest.mark.parametrize(("until", "expected"), [(date(2026, 1, 2), 0), (TODAY, 1)])
def test_a_known_violation_counts_again_from_its_date_on(until: date, expected: int) -> None:
    known = [Known("X-0", "mended next week", until)]
    assert exit_code(results(Status.VIOLATED), today=TODAY, known=known) == expected


def test_a_known_violation_is_told_and_must_name_a_clause() -> None:
    known = [Known("RT-SCHEMA-1", "mended next week", date(2026, 1, 2))]
    found = judge([note(False)], RunFacts(depth="smoke"), checkers=[Says], known=known)
    assert [result.known for result in found.results if result.known] == ["mended next week (until 2026-01-02)"]
    with pytest.raises(HarnessError, match="'RT-NONE-1', expected a clause"):
        check_known([Known("RT-NONE-1", "r", TODAY)])


def test_verdicts_combine_to_the_heaviest() -> None:
    def said(status: Status) -> Verdict:
        return Verdict("X-1", status, status.value, 1)

    def both(one: Status, two: Status) -> Status:
        return combined([said(one), said(two)]).status

    assert both(Status.HOLDS, Status.VIOLATED) is Status.VIOLATED
    assert both(Status.UNKNOWN, Status.HOLDS) is Status.HOLDS
    assert both(Status.UNSUPPORTED, Status.UNKNOWN) is Status.UNKNOWN


def test_a_violation_tells_five_facts() -> None:
    violation = Violation("c3 received running after completed", ("client#412", "client#415"), ("delay",), "replay x")
    assert describe(violation, "TASK-FINAL-1", "nothing follows the end").splitlines() == [
        "task violated: c3 received running after completed",
        "  clause    TASK-FINAL-1  nothing follows the end",
        "  evidence  client#412; client#415",
        "  faults    delay",
        "  replay    replay x",
    ]
