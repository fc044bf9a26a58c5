"""Tables for what came of a task."""

from typing import Any

import pytest

from harness.checkers.outcomes import COST, ERROR, STEERED, Outcomes
from harness.checkers.tests.histories import TASK, History, stamp, status, task
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
PATH = f"/api/v1/tasks/{TASK}"
DONE = task("completed", 4, assigned_to="agent_001", actual_cost=0.02)
LIST = {"agents": [{"id": "agent_x", "price": 0.5}]}


def read(history: History, body: dict[str, Any]) -> History:
    return history.call("get_task", 200, body, path=PATH)


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
