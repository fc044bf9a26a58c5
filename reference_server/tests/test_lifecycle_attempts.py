"""Attempts: how long they last, how they end, and what a restart makes of them (contract §4), over every store."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from reference_server.contract.lifecycle import FINAL
from reference_server.core.calls import Caller
from reference_server.core.units import SECOND_NS
from reference_server.store import SqliteStore
from reference_server.tests.desk import START_NS, Desk, shown

HANGS = {"outcome": "hang"}


def submitted(desk: Desk, caller: Caller, simulate: dict[str, Any] | None = None, **body: Any) -> str:
    """Submit a task; without `simulate` it is left to the executor."""
    steering = {} if simulate is None else {"constraints": {"simulate": simulate}}
    return desk.submit(caller, **steering, **body)


def spent_s(desk: Desk) -> float:
    return (desk.now_ns - START_NS) / SECOND_NS


STEERED: dict[str, tuple[dict[str, Any], str, int, float]] = {
    "nothing but its length": ({"duration_ms": 250}, "completed", 0, 0.25),
    "at once": ({"duration_ms": 0}, "completed", 0, 0),
    "half a millisecond": ({"duration_ms": 0.5}, "completed", 0, 0.0005),
    "completes": ({"outcome": "complete", "duration_ms": 250}, "completed", 0, 0.25),
    "fails every attempt": ({"outcome": "fail", "duration_ms": 250}, "failed", 3, 4 * 0.25 + 6),
    "fails no attempt": ({"fail_times": 0, "duration_ms": 250}, "completed", 0, 0.25),
    "fails once": ({"fail_times": 1, "duration_ms": 250}, "completed", 1, 2 * 0.25 + 1),
    "fails three times": ({"fail_times": 3, "duration_ms": 250}, "completed", 3, 4 * 0.25 + 6),
    "fails more often than it may": ({"fail_times": 9, "duration_ms": 250}, "failed", 3, 4 * 0.25 + 6),
    "hangs": ({"outcome": "hang"}, "failed", 0, 2),
    "hangs whatever its length": ({"outcome": "hang", "duration_ms": 250}, "failed", 0, 2),
    "fails once, then hangs": ({"outcome": "hang", "fail_times": 1, "duration_ms": 250}, "failed", 1, 0.25 + 1 + 2),
    "as long as the timeout": ({"duration_ms": 2000}, "failed", 0, 2),
    "longer than the timeout": ({"duration_ms": 86_400_000}, "failed", 0, 2),
    "would fail after the timeout": ({"outcome": "fail", "duration_ms": 2001}, "failed", 0, 2),
    "unknown fields": ({"duration_ms": 250, "colour": "red"}, "completed", 0, 0.25),
}


@pytest.mark.parametrize(("simulate", "status", "retries", "seconds"), STEERED.values(), ids=STEERED)
def test_a_steered_task_does_as_it_is_told(
    desk: Desk, simulate: dict[str, Any], status: str, retries: int, seconds: float
) -> None:
    caller = desk.register()
    task_id = submitted(desk, caller, simulate, timeout=2)
    desk.run()

    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"], spent_s(desk)) == (status, retries, seconds)
    assert ("result" in task, "error" in task) == (status == "completed", status == "failed")


def test_an_unsteered_task_takes_a_drawn_time_within_the_setting_and_succeeds(desk: Desk) -> None:
    desk.workers, desk.task_ms = 30, (100, 200)
    caller = desk.register()
    ids = [submitted(desk, caller) for _ in range(30)]
    desk.run()

    results = [shown(desk.decide("get_task_result", caller, path={"id": task_id}).answer) for task_id in ids]
    assert {result["status"] for result in results} == {"completed"}
    assert all(100 <= result["duration_ms"] <= 200 for result in results)
    assert len({result["duration_ms"] for result in results}) > 20


@pytest.mark.parametrize(
    ("delays_s", "waited_s"), [((1, 2, 3), 6), ((0.5, 0.5, 0.5), 1.5), ((5,), 15), ((), 0)], ids=str
)
def test_the_delays_before_retries_are_a_setting_whose_last_goes_on(
    desk: Desk, delays_s: tuple[float, ...], waited_s: float
) -> None:
    desk.retry_delays_s = delays_s
    caller = desk.register()
    submitted(desk, caller, {"outcome": "fail", "duration_ms": 0})
    desk.run()

    assert spent_s(desk) == waited_s


def test_a_timeout_runs_from_the_start_of_each_attempt(desk: Desk) -> None:
    caller = desk.register()
    task_id = submitted(desk, caller, {"outcome": "hang", "fail_times": 2, "duration_ms": 1900}, timeout=2)
    desk.run()

    task = desk.task(caller, task_id)
    assert (task["error"], task["retry_count"]) == ("timed out after 2 s", 2)
    assert spent_s(desk) == 1.9 + 1 + 1.9 + 2 + 2
    assert (desk.figures.failed, desk.figures.timed_out) == (1, 1)


def test_a_failed_attempt_and_the_last_one_say_how_it_went(desk: Desk) -> None:
    caller = desk.register()
    task_id = submitted(desk, caller, {"outcome": "fail", "duration_ms": 0})
    for _ in range(3):
        desk.advance()
    waiting = desk.task(caller, task_id)
    desk.run()

    assert (waiting["status"], waiting["retry_count"], "error" in waiting) == ("queued", 1, False)
    assert desk.task(caller, task_id)["error"] == "failed after 4 attempts"
    assert (desk.figures.failed, desk.figures.timed_out) == (1, 0)


def test_started_at_is_the_first_attempts_and_completed_at_stands_at_the_end_alone(desk: Desk) -> None:
    caller = desk.register()
    desk.now_ns += SECOND_NS
    task_id = submitted(desk, caller, {"fail_times": 1, "duration_ms": 500})
    seen = []
    for _ in range(8):
        desk.now_ns = max(desk.now_ns, desk.advance() or 0)
        seen.append(desk.task(caller, task_id))

    running = [task["started_at"] for task in seen if task["status"] == "running"]
    assert datetime.fromisoformat(running[0]).timestamp() == START_NS / SECOND_NS + 1
    assert {task["started_at"] for task in seen[1:]} == {running[0]}
    assert {task["status"] for task in seen if "completed_at" in task} == {"completed"}


def test_a_retry_goes_before_younger_tasks_of_its_priority_once_its_delay_is_over(desk: Desk) -> None:
    desk.workers = 1
    caller = desk.register()
    first = submitted(desk, caller, {"fail_times": 1, "duration_ms": 0})
    for _ in range(3):
        desk.advance()
    submitted(desk, caller, {"duration_ms": 1500})
    younger = submitted(desk, caller)
    desk.run()

    first_at, younger_at = (desk.task(caller, task_id)["completed_at"] for task_id in (first, younger))
    assert first_at < younger_at


def test_a_completion_tells_nobody_that_the_agent_changed(desk: Desk) -> None:
    caller = desk.register()
    submitted(desk, caller)
    desk.run()

    assert {getattr(one, "type", None) for one in desk.outgoing} == {"task_update"}


def test_canceling_while_it_runs_ends_the_attempt_and_counts_nowhere(desk: Desk) -> None:
    caller = desk.register()
    task_id = submitted(desk, caller, HANGS)
    desk.advance()
    desk.advance()
    desk.now_ns += SECOND_NS
    assert desk.decide("cancel_task", caller, path={"id": task_id}).answer.status == 200
    desk.run()

    task = desk.task(caller, task_id)
    told = shown(desk.decide("get_task_result", caller, path={"id": task_id}).answer)
    assert (task["status"], task["progress"], task["actual_cost"]) == ("canceled", 0, 0)
    assert (told["duration_ms"], desk.figures.processed) == (1000, 0)


def test_after_a_restart_none_is_lost_or_doubled_and_each_goes_on_from_where_it_was(tmp_path: Path) -> None:
    desk = Desk(SqliteStore(tmp_path / "store.db"), workers=2)
    caller = desk.register()
    done = submitted(desk, caller, {"duration_ms": 0})
    failed = submitted(desk, caller, budget=0.001)
    canceled = submitted(desk, caller)
    desk.decide("cancel_task", caller, path={"id": canceled})
    waiting = submitted(desk, caller, {"fail_times": 1, "duration_ms": 0}, priority="critical")
    for _ in range(4):
        desk.advance()
    running = submitted(desk, caller, {"duration_ms": 10_000, "fail_times": 1}, timeout=60)
    desk.advance()
    desk.advance()
    assigned = submitted(desk, caller, {"duration_ms": 5000})
    desk.advance()
    queued = submitted(desk, caller, {"duration_ms": 1})
    ids = [done, failed, canceled, waiting, running, assigned, queued]
    before = {task_id: desk.task(caller, task_id) for task_id in ids}
    assert [before[task_id]["status"] for task_id in ids] == [
        "completed", "failed", "canceled", "queued", "running", "assigned", "queued",
    ]  # fmt: skip

    desk.store.close()
    desk.store = SqliteStore(tmp_path / "store.db")
    desk.now_ns += SECOND_NS // 2
    desk.restart()
    after = {task_id: desk.task(caller, task_id) for task_id in ids}
    untouched = (done, failed, canceled, waiting, queued)
    assert [after[task_id] for task_id in untouched] == [before[task_id] for task_id in untouched]
    for task_id in (running, assigned):
        assert (after[task_id]["status"], "assigned_to" in after[task_id]) == ("queued", False)
        assert after[task_id]["retry_count"] == before[task_id]["retry_count"]
        assert after[task_id]["revision"] == before[task_id]["revision"] + 1
    desk.advance()
    assert desk.task(caller, running)["status"] == "assigned"
    desk.run()

    listed = shown(desk.decide("list_tasks", caller).answer)["tasks"]
    assert sorted(task["id"] for task in listed) == sorted(ids)
    assert {task["status"] for task in listed} <= FINAL
    ended = {task["id"]: (task["status"], task["retry_count"]) for task in listed}
    assert [ended[task_id] for task_id in (waiting, running, assigned, queued)] == [
        ("completed", 1), ("completed", 1), ("completed", 0), ("completed", 0),
    ]  # fmt: skip
    desk.store.close()
