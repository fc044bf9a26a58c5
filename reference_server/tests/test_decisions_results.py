"""How far a task is and what came of it, and the orchestrator's health (contract §3 tasks, orchestrator)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from msgspec import convert

from reference_server.contract.models import TaskProgress, TaskResult
from reference_server.core import orchestrator
from reference_server.core.answers import Decision
from reference_server.core.orchestrator import Figures, Finished
from reference_server.core.transaction import Transaction
from reference_server.core.units import SECOND_NS
from reference_server.tests.desk import Desk, shown

SHORT: dict[str, Any] = {"constraints": {"simulate": {"duration_ms": 1234}}}
HANGS: dict[str, Any] = {"constraints": {"simulate": {"outcome": "hang"}}}


def test_the_status_follows_the_task_through_every_state() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **SHORT)
    seen = []
    for _ in range(4):
        answer = desk.decide("get_task_status", caller, path={"id": task_id}).answer
        told = convert(shown(answer), TaskProgress)
        task = desk.task(caller, task_id)
        assert answer.status == 200
        assert (told.task_id, told.status, told.progress) == (task_id, task["status"], task["progress"])
        assert (told.metadata.created_at, told.metadata.updated_at) == (task["created_at"], task["updated_at"])
        assert shown(answer).get("assigned_to") == task.get("assigned_to")
        seen.append(told.status)
        desk.now_ns = max(desk.now_ns, desk.advance() or 0)

    assert seen == ["queued", "assigned", "running", "completed"]


def test_the_status_of_a_failed_task_says_why() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, timeout=1, **HANGS)
    desk.run()

    told = shown(desk.decide("get_task_status", caller, path={"id": task_id}).answer)
    assert (told["status"], told["progress"], told["message"]) == ("failed", 0, "timed out after 1 s")


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_the_result_of_an_unfinished_task_is_400_task_not_completed(steps: int) -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **SHORT)
    for _ in range(steps):
        desk.advance()

    answer = desk.decide("get_task_result", caller, path={"id": task_id}).answer
    assert (answer.status, shown(answer)["error"]) == (400, "task not completed")


def test_the_result_of_a_completed_task_has_result_cost_and_duration_and_no_error() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **SHORT)
    desk.now_ns += SECOND_NS
    desk.run()

    answer = desk.decide("get_task_result", caller, path={"id": task_id}).answer
    task, told = desk.task(caller, task_id), shown(answer)
    assert answer.status == 200
    assert convert(told, TaskResult).status == "completed"
    assert (told["result"], told["cost"]) == (task["result"], task["actual_cost"])
    assert (told["duration_ms"], told["duration"], "error" in told) == (1234, 1234, False)
    assert told["metadata"] == {name: task[name] for name in ("started_at", "completed_at", "assigned_to")}


def test_the_duration_is_the_difference_of_first_start_and_completion() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, constraints={"simulate": {"duration_ms": 100, "fail_times": 2}})
    desk.run()

    told = shown(desk.decide("get_task_result", caller, path={"id": task_id}).answer)
    started, completed = (datetime.fromisoformat(told["metadata"][name]) for name in ("started_at", "completed_at"))
    assert told["duration_ms"] == (completed - started).total_seconds() * 1000 == 3300


def test_the_result_of_a_failed_task_has_its_error_and_no_result_and_costs_nothing() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, timeout=2, **HANGS)
    desk.run()

    told = shown(desk.decide("get_task_result", caller, path={"id": task_id}).answer)
    assert (told["status"], told["error"], told["cost"]) == ("failed", "timed out after 2 s", 0)
    assert (told["duration_ms"], "result" in told) == (2000, False)


@pytest.mark.parametrize(("budget", "status"), [(1, "canceled"), (0.001, "failed")])
def test_a_task_that_never_started_has_a_completed_at_and_a_duration_of_0(budget: float, status: str) -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, budget=budget)
    desk.now_ns += SECOND_NS
    if status == "canceled":
        desk.decide("cancel_task", caller, path={"id": task_id})
    desk.run()

    told = shown(desk.decide("get_task_result", caller, path={"id": task_id}).answer)
    completed_at = desk.task(caller, task_id)["completed_at"]
    assert (told["status"], told["cost"], told["duration_ms"], told["duration"]) == (status, 0, 0, 0)
    assert told["metadata"] == {"started_at": None, "completed_at": completed_at, "assigned_to": None}
    assert ("result" in told, "error" in told) == (False, status == "failed")


@pytest.mark.parametrize("name", ["get_task_status", "get_task_result"])
def test_anothers_an_unknown_and_a_malformed_id_have_neither_status_nor_result(name: str) -> None:
    desk = Desk()
    owner, other = desk.register("a@b.c"), desk.register("x@b.c")
    task_id = desk.submit(owner)

    ids = [task_id, task_id.upper(), other.account_id, "x", ""]
    assert {desk.decide(name, other, path={"id": id_}).answer.status for id_ in ids} == {404}


def asked(desk: Desk, decide: Callable[[Transaction, Figures], Decision], told: Figures) -> dict[str, Any]:
    return shown(desk.store.transact(lambda tx: decide(tx, told)).answer)


def figures(succeeded: int, failed: int) -> Figures:
    told = Figures()
    told.fold(Finished(str(number), succeeded=number < succeeded) for number in range(succeeded + failed))
    return told


@pytest.mark.parametrize(
    ("succeeded", "failed", "status", "rate"),
    [
        (0, 0, "healthy", 0),
        (0, 10, "healthy", 0),
        (0, 11, "degraded", 0),
        (5, 6, "degraded", 5 / 11),
        (6, 6, "healthy", 0.5),
        (99, 101, "degraded", 0.495),
        (3, 0, "healthy", 1),
    ],
)
def test_health_is_degraded_over_10_processed_and_under_half(
    succeeded: int, failed: int, status: str, rate: float
) -> None:
    told = asked(Desk(), orchestrator.health, figures(succeeded, failed))

    assert told == {
        "status": status,
        "tasks_processed": succeeded + failed,
        "success_rate": pytest.approx(rate, abs=0.01),
        "active_workers": 0,
    }


def test_health_and_metrics_count_the_attempts_that_run_now() -> None:
    desk = Desk(workers=3)
    caller = desk.register()
    for _ in range(5):
        desk.submit(caller, **HANGS)
    desk.advance()
    assigned = asked(desk, orchestrator.health, desk.figures)
    desk.advance()

    both = [asked(desk, decide, desk.figures) for decide in (orchestrator.health, orchestrator.metrics)]
    assert assigned["active_workers"] == 0
    assert [told["active_workers"] for told in both] == [3, 3]
