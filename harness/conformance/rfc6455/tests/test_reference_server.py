"""The whole suite against the reference server as a process: every case is judged, and every one holds."""

import time

import pytest

from harness.checkers.cases import Cases
from harness.checkers.frames import FRAME, Frames
from harness.checkers.tests.histories import verdict
from harness.conformance.rfc6455.acts import ACTS, CASES
from harness.conformance.stage import Stage
from harness.conformance.suite import play_all
from harness.history import Event, Recorder
from harness.targets.local import LocalTarget
from harness.verdicts import Status

pytestmark = pytest.mark.slow


def events_of_the_suite() -> list[Event]:
    """Return what a run of all tables against a server of its own recorded."""
    events: list[Event] = []
    target = LocalTarget(Recorder("client", time.monotonic_ns, events.append), seed=1, run="rfc6455")

    async def play() -> None:
        stage = Stage(target, seed=1, run=target.run_name)
        try:
            await stage.set_up()
            await play_all(stage, (), ACTS)
            await stage.close_sockets()
        finally:
            await target.close()

    try:
        target.run(play())
    finally:
        target.end()
    return events


def test_every_case_holds_against_the_reference_server() -> None:
    events = events_of_the_suite()
    verdicts = {clause: verdict(Cases(), events, clause) for clause in sorted({case.clause for case in CASES})}

    assert [event.data for event in events if event.kind == "note"] == []
    assert {clause: found.violations for clause, found in verdicts.items() if found.status is not Status.HOLDS} == {}
    assert verdict(Frames(), events, FRAME).violations == ()
    assert verdict(Frames(), events, FRAME).status is Status.HOLDS
    assert sum(found.checked for found in verdicts.values()) == len(CASES)
