"""A run that is cut short accuses nobody of what our own going caused, and says plainly that it was interrupted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.checkers.base import RunFacts
from harness.checkers.tally import LAG_SERIES
from harness.checkers.tests.histories import ANN, History
from harness.history import Event
from harness.judge import judge
from harness.records import INTERRUPTED, RunRecord
from harness.simulate import history, judged, violations
from harness.strategies import seeded
from harness.verdicts import ClauseResult, Level, Status
from harness.verify.basis import Basis, kept
from harness.verify.basis import judged as judged_record
from harness.verify.groups import MAIN, SIMULATED, group_sink, until
from harness.verify.run import end_lines
from reports.gate import gate
from reports.outcome import day_of, outcome_of
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


def interrupted_record(folder: Path) -> RunRecord:
    """The record of a run that was interrupted while it waited."""
    record = RunRecord.create(what="verify", seed=1, root=folder, target="local")
    events = waiting()
    sink = group_sink(record.path, MAIN, "client")
    for event in events:
        sink(event)
    sink.close()
    basis = Basis(cut_ns=events[0].at_ns + 20 * NS_PER_S)
    record.save_verdicts(judged_record(record.path, record.info, basis))
    record.update(facts=kept(basis))
    record.finish(exit_code=2, complete=False, void=INTERRUPTED)
    return record


def test_gate_and_report_say_interrupted_and_list_no_reasons(tmp_path: Path) -> None:
    record = interrupted_record(tmp_path)
    verdicts = judged_record(record.path, record.info, Basis(cut_ns=waiting()[0].at_ns + 20 * NS_PER_S))
    outcome = outcome_of(record.info, verdicts, day_of(record.info))

    assert outcome.level is Level.VOID
    assert outcome.sentence.startswith("This run was interrupted")
    assert "violated" not in outcome.why
    assert gate(record.path) == (2, [f"{outcome.sentence} {outcome.why}"])


def test_the_end_of_an_interrupted_run_is_one_line_beside_what_was_violated() -> None:
    def result(status: Status) -> ClauseResult:
        return ClauseResult("A-1", "text", "§1", "must", "black-box", (), False, status, why="why")

    results = (result(Status.UNKNOWN), result(Status.UNKNOWN), result(Status.HOLDS))
    assert len(end_lines(results)) == 3
    assert end_lines(results, interrupted=True) == [
        "until it was interrupted: 1 holds, 0 violated, 0 unsupported, 2 unknown"
    ]
    assert end_lines((result(Status.VIOLATED),), interrupted=True)[0].startswith("violated A-1")
