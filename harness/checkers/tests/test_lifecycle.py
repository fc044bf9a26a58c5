"""Tables for the life of a task, from REST and from pushes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checkers.lifecycle import COST, END, MOVE, PROGRESSED, REVISION, TIMES, Lifecycle
from harness.checkers.tests.histories import History, stamp, status, task, verdict
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
VALID = (("queued", 1), ("assigned", 2), ("running", 3), ("completed", 4))


def reads(*bodies: dict[str, Any]) -> History:
    history = History()
    for body in bodies:
        history.call("get_task", 200, body)
    return history


def steps(*states: tuple[str, int | None]) -> History:
    history = History().connect("c1")
    for state, revision in states:
        history.push("c1", state, revision)
    return history


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (VALID, HOLDS),
        ((("queued", 1), ("running", 3), ("queued", 4), ("running", 6)), HOLDS),
        ((("queued", 1), ("completed", 4)), HOLDS),
        ((("queued", 1), ("completed", 2)), VIOLATED),
        ((("assigned", 2), ("failed", 3)), VIOLATED),
        ((("running", None), ("assigned", None)), HOLDS),
        ((("queued", 1),), UNKNOWN),
    ],
)
def test_a_task_moves_as_the_table_allows(states: Any, expected: Status) -> None:
    assert status(Lifecycle(), steps(*states), MOVE) is expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (VALID, UNKNOWN),
        ((("completed", 4), ("running", 5)), VIOLATED),
        ((("completed", None), ("running", None)), VIOLATED),
        ((("canceled", 3), ("completed", 3)), VIOLATED),
        ((("completed", 4), ("running", 3)), UNKNOWN),
    ],
)
def test_nothing_follows_the_end(states: Any, expected: Status) -> None:
    assert status(Lifecycle(), steps(*states), END) is expected


def test_a_read_after_the_end_must_show_the_same_end() -> None:
    done = task("completed", 4)
    assert status(Lifecycle(), reads(done, done), END) is HOLDS
    assert status(Lifecycle(), reads(done, task("running", 5)), END) is VIOLATED


def test_reads_that_overlap_have_no_order() -> None:
    history = History()
    history.add("invoke", op=1, operation="get_task").add("invoke", op=2, operation="get_task")
    for op, body in ((1, task("completed", 4)), (2, task("running", 3))):
        history.add("ok", op=op, status=200, body=body, headers={})
    assert status(Lifecycle(), history, END) is UNKNOWN
    assert status(Lifecycle(), history, REVISION) is HOLDS


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (task("running", 3), task("running", 3), HOLDS),
        (task("running", 3), task("running", 3, progress=60), VIOLATED),
        (task("running", 3), task("assigned", 2), VIOLATED),
        (task("running", 0), task("running", 1), VIOLATED),
    ],
)
def test_revision_grows_with_every_change(first: Any, second: Any, expected: Status) -> None:
    assert status(Lifecycle(), reads(first, second), REVISION) is expected


@pytest.mark.parametrize(
    ("body", "clause", "expected"),
    [
        (task("running", 3, progress=99), PROGRESSED, HOLDS),
        (task("running", 3, progress=40), PROGRESSED, VIOLATED),
        (task("failed", 3, progress=10), PROGRESSED, VIOLATED),
        (task("completed", 4), COST, HOLDS),
        (task("completed", 4, actual_cost=1.5), COST, VIOLATED),
        (task("failed", 4, actual_cost=0.5), COST, VIOLATED),
        (task("completed", 4), TIMES, HOLDS),
        (task("running", 3, completed_at=stamp(5)), TIMES, VIOLATED),
        ({name: value for name, value in task("running", 3).items() if name != "started_at"}, TIMES, VIOLATED),
        (task("completed", 4, started_at=stamp(50)), TIMES, VIOLATED),
    ],
)
def test_each_state_shows_what_belongs_to_it(body: Any, clause: str, expected: Status) -> None:
    assert status(Lifecycle(), reads(body), clause) is expected


def test_started_at_never_changes() -> None:
    history = reads(task("running", 3), task("running", 6, started_at=stamp(7)))
    assert status(Lifecycle(), history, TIMES) is VIOLATED


def test_a_task_update_of_a_publish_is_not_looked_at() -> None:
    data = {"task_id": task()["id"], "status": "completed", "query": "q", "progress": 3}
    history = History().connect("c1")
    history.call("ws_broadcast", 200, {"recipients": 1}, body={"type": "task_update", "data": data})
    history.receive("c1", "task_update", data)
    assert status(Lifecycle(), history, PROGRESSED) is UNKNOWN


def test_a_violation_names_connection_and_both_states() -> None:
    (violation,) = verdict(Lifecycle(), steps(("completed", 4), ("running", 5)), END).violations
    assert "connection c1 received" in violation.what
    assert violation.evidence == ("client#3", "client#4")


@given(st.integers(0, 3), st.sampled_from(["queued", "assigned", "running", "failed", "canceled"]))
def test_a_state_swapped_into_a_valid_life_is_always_caught(place: int, state: str) -> None:
    states: list[tuple[str, int | None]] = list(VALID)
    if states[place][0] == state:
        return
    bodies = [task(*((state, revision) if number == place else (name, revision)))
              for number, (name, revision) in enumerate(VALID)]  # fmt: skip
    original = [task(name, revision) for name, revision in VALID]
    history = reads(*(body for pair in zip(original, bodies, strict=True) for body in pair))
    assert VIOLATED in {status(Lifecycle(), history, clause) for clause in (MOVE, END, REVISION)}
