"""Tables for what came of a task."""

from typing import Any

import pytest

from harness.checkers.outcomes import COST, DURATION, ERROR, RESULT, STATUS, STEERED, Outcomes
from harness.checkers.tests.histories import TASK, History, stamp, status, task
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
PATH = f"/api/v1/tasks/{TASK}"
DONE = task("completed", 4, assigned_to="agent_001", actual_cost=0.02)
LIST = {"agents": [{"id": "agent_x", "price": 0.5}]}


def read(history: History, body: dict[str, Any]) -> History:
    return history.call("get_task", 200, body, path=PATH)


def result(history: History, **fields: Any) -> History:
    run = {"started_at": stamp(2), "completed_at": stamp(9), "assigned_to": "agent_001"} | fields.pop("metadata", {})
    body = {"task_id": TASK, "status": "completed", "cost": 0.02, "duration_ms": 7.0, "duration": 7.0}
    return history.call("get_task_result", 200, {**body, "metadata": run, **fields}, path=f"{PATH}/result")


def shown(history: History, **fields: Any) -> History:
    dates = {"created_at": stamp(0), "updated_at": stamp(9)}
    body = {"task_id": TASK, "status": "completed", "progress": 100, "assigned_to": "agent_001", "metadata": dates}
    return history.call("get_task_status", 200, {**body, **fields}, path=f"{PATH}/status")


@pytest.mark.parametrize(
    ("cost", "agent", "listed", "expected"),
    [
        (0.02, "agent_001", False, HOLDS),
        (0.03, "agent_001", False, VIOLATED),
        (0, "agent_001", False, VIOLATED),
        (0.5, "agent_x", True, HOLDS),
        (0.6, "agent_x", True, VIOLATED),
        (0.5, "agent_x", False, UNKNOWN),
    ],
)
def test_a_completed_task_costs_its_agents_price(cost: float, agent: str, listed: bool, expected: Status) -> None:
    history = read(History(), {**DONE, "actual_cost": cost, "assigned_to": agent})
    assert status(Outcomes(), history.call("list_agents", 200, LIST) if listed else history, COST) is expected
    other = result(History(), cost=cost, metadata={"assigned_to": agent})
    assert status(Outcomes(), other.call("list_agents", 200, LIST) if listed else other, COST) is expected


@pytest.mark.parametrize(("cost", "expected"), [(0.5, HOLDS), (0.4, HOLDS), (0.45, VIOLATED)])
def test_a_registration_and_a_change_tell_prices_that_tasks_may_have_cost(cost: float, expected: Status) -> None:
    sent = {"name": "x", "pricing": '{"per_execution": 0.5}', "wasm_binary": {"bytes": 2048}}
    history = History().call("register_agent", 201, {"agent_id": "agent_x"}, body=sent)
    history.call("update_agent", 200, {"id": "agent_x", "price": 0.4})
    assert status(Outcomes(), read(history, {**DONE, "actual_cost": cost, "assigned_to": "agent_x"}), COST) is expected


@pytest.mark.parametrize("pricing", [None, 5, "{", "[]", "{}"])
def test_a_registration_without_a_price_tells_none(pricing: Any) -> None:
    history = History().call("register_agent", 201, {"agent_id": "agent_x"}, body={"pricing": pricing})
    assert status(Outcomes(), read(history, {**DONE, "assigned_to": "agent_x"}), COST) is UNKNOWN


def test_the_prices_of_a_foreign_target_are_known_from_its_lists_only() -> None:
    assert status(Outcomes(), read(History(), DONE), COST, local=False) is UNKNOWN
    assert status(Outcomes(), read(History(), task("canceled", 4)), COST) is UNKNOWN


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (task("failed", 4, error="timed out"), HOLDS),
        (task("failed", 4, error="x" * 1000), HOLDS),
        (task("failed", 4, error="x" * 1001), VIOLATED),
        (task("queued", 4, error="x" * 1001), VIOLATED),
        (task("failed", 4), VIOLATED),
        (DONE, UNKNOWN),
    ],
)
def test_an_error_is_short_and_a_failed_task_has_one(body: dict[str, Any], expected: Status) -> None:
    assert status(Outcomes(), read(History(), body), ERROR) is expected


@pytest.mark.parametrize(
    ("simulate", "ended_ms", "expected"),
    [
        ({"duration_ms": 7}, 9, HOLDS),
        ({"duration_ms": 7}, 900, HOLDS),
        ({"duration_ms": 50}, 9, VIOLATED),
        ({"outcome": "complete"}, 9, UNKNOWN),
    ],
)
def test_a_steered_attempt_lasts_as_long_as_it_was_told(simulate: Any, ended_ms: int, expected: Status) -> None:
    body = {"query": "q", "budget": 1, "constraints": {"simulate": simulate}}
    submitted = History().call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body=body)
    assert status(Outcomes(), read(submitted, {**DONE, "completed_at": stamp(ended_ms)}), STEERED) is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, HOLDS),
        ({"duration_ms": 7.4}, HOLDS),
        ({"duration_ms": 9.0}, VIOLATED),
        ({"duration": 0.007}, VIOLATED),
        ({"metadata": {"started_at": None}, "duration_ms": 0, "duration": 0}, HOLDS),
        ({"metadata": {"started_at": None}}, VIOLATED),
    ],
)
def test_durations_are_milliseconds_from_the_first_start_to_the_end(fields: Any, expected: Status) -> None:
    assert status(Outcomes(), result(History(), **fields), DURATION) is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, HOLDS),
        ({"status": "failed"}, VIOLATED),
        ({"cost": 0.5}, VIOLATED),
        ({"error": "e"}, VIOLATED),
        ({"metadata": {"assigned_to": "agent_002"}}, VIOLATED),
    ],
)
def test_a_result_says_what_the_task_says_whichever_was_read_first(fields: Any, expected: Status) -> None:
    assert status(Outcomes(), result(read(History(), DONE), **fields), RESULT) is expected
    assert status(Outcomes(), read(result(History(), **fields), DONE), RESULT) is expected


def test_a_result_without_its_task_is_not_compared() -> None:
    assert status(Outcomes(), result(History()), RESULT) is UNKNOWN


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, HOLDS),
        ({"progress": 99}, VIOLATED),
        ({"status": "running", "progress": 99}, VIOLATED),
        ({"assigned_to": "agent_002"}, VIOLATED),
    ],
)
def test_a_status_says_what_the_finished_task_says(fields: Any, expected: Status) -> None:
    assert status(Outcomes(), shown(read(History(), DONE), **fields), STATUS) is expected


@pytest.mark.parametrize(
    ("state", "progress", "expected"),
    [("queued", 10, HOLDS), ("running", 99, HOLDS), ("running", 100, VIOLATED), ("failed", 50, VIOLATED)],
)
def test_the_progress_of_a_status_fits_it(state: str, progress: int, expected: Status) -> None:
    assert status(Outcomes(), shown(History(), status=state, progress=progress), STATUS) is expected
