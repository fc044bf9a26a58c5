"""A run that is cut short accuses nobody of what our own going caused, and says plainly that it was interrupted."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.checkers.base import RunFacts
from harness.checkers.tally import LAG_SERIES
from harness.checkers.tests.histories import ANN, History
from harness.history import Event
from harness.judge import judge
from harness.simulate import history, judged, violations
from harness.strategies import seeded
from harness.verdicts import ClauseResult, Status
from harness.verify.groups import MAIN, SIMULATED, until
from harness.verify.run import end_lines
from scenarios.catalog import SCENARIOS
from scenarios.model import Scenario

CUTS = 8
NS_PER_S = 1_000_000_000
SILENT, IDLE = "LIVE-SILENCE-1", "LIVE-IDLE-1"


def cuts(events: list[Event]) -> Iterator[list[Event]]:
    """Yield the history as it was at several instants before its end."""
    for number in range(1, CUTS):
        yield events[: len(events) * number // CUTS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_an_honest_history_accuses_nobody_wherever_it_is_cut(scenario: Scenario) -> None:
    for part in cuts(history(seeded(scenario, 3), 3)):
        assert violations(judged(part, 3)) == []


def waiting() -> list[Event]:
    """A silent socket and an idle connection, which end after 23 s because we close everything at 20 s."""
    found = History()
    at: dict[str, Any] = {"account": ANN, "silent": True}
    found.add("connecting", 0, connection="c1", **at)
    found.add("opened", 10, connection="c1", account=ANN)
    found.add("connecting", 10, connection="c2", incomplete=True)
    found.add("sent", 20, connection="c2", opcode="idle")
    for name in ("c1", "c2"):
        found.add("closed", 23_000, connection=name, code=1006, by="peer")
        found.add("frame", 23_000, connection=name, opcode="tcp-end", bytes=0)
    return found.events


def statuses(events: Any) -> dict[str, Status]:
    results = judge(events, RunFacts()).results
    return {result.id: result.status for result in results if result.id in (SILENT, IDLE)}


def test_what_ended_when_we_cleaned_up_was_not_ended_by_the_target() -> None:
    events = waiting()
    cut_ns = events[0].at_ns + 20 * NS_PER_S

    assert statuses(events) == {SILENT: Status.VIOLATED, IDLE: Status.VIOLATED}
    assert statuses(until({MAIN: events}, cut_ns)[MAIN]) == {SILENT: Status.UNKNOWN, IDLE: Status.UNKNOWN}


def test_a_cut_leaves_virtual_time_and_how_long_we_stood_still() -> None:
    events = [
        Event("client", 0, 5, "note"),
        Event("client", 1, 20, "note"),
        Event("client", 2, 21, "sample", data={"series": LAG_SERIES, "max": 7}),
    ]
    found = until({MAIN: events, f"{SIMULATED}x": events}, 10)

    assert [(event.index, event.at_ns) for event in found[MAIN]] == [(0, 5), (2, 10)]
    assert found[f"{SIMULATED}x"] == events
    assert until({MAIN: events}, None)[MAIN] == events


def test_the_end_of_an_interrupted_run_is_one_line_beside_what_was_violated() -> None:
    def result(status: Status) -> ClauseResult:
        return ClauseResult("A-1", "text", "§1", "must", "black-box", (), False, status, why="why")

    results = (result(Status.UNKNOWN), result(Status.UNKNOWN), result(Status.HOLDS))
    assert len(end_lines(results)) == 3
    assert end_lines(results, interrupted=True) == [
        "until it was interrupted: 1 holds, 0 violated, 0 unsupported, 2 unknown"
    ]
    assert end_lines((result(Status.VIOLATED),), interrupted=True)[0].startswith("violated A-1")
