"""Tables for where tasks end up."""

from typing import Any

import pytest

from harness.checkers.steering import FINISH, FIT, RETRY, TIMEOUT, Steering
from harness.checkers.tests.histories import TASK, History, stamp, status, task
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN


def submitted(budget: float = 1.0, **simulate: Any) -> History:
    body = {"query": "q", "budget": budget, "constraints": {"simulate": simulate} if simulate else {}}
    return History().call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body=body)


def ended(history: History, state: str, retries: int, **fields: Any) -> History:
    return history.call("get_task", 200, task(state, 9, retry_count=retries, started_at=stamp(2), **fields))


@pytest.mark.parametrize(
    ("simulate", "state", "retries", "expected"),
    [
        ({"fail_times": 1}, "completed", 1, HOLDS),
        ({"fail_times": 1}, "completed", 0, VIOLATED),
        ({"fail_times": 9}, "failed", 3, HOLDS),
        ({"outcome": "fail"}, "failed", 3, HOLDS),
        ({"outcome": "fail"}, "failed", 4, VIOLATED),
        ({"outcome": "complete"}, "failed", 0, VIOLATED),
        ({"fail_times": 2}, "running", 3, VIOLATED),
        ({"fail_times": 2}, "running", 1, UNKNOWN),
        ({"fail_times": 2}, "canceled", 1, HOLDS),
    ],
)
def test_attempts_are_retried_as_steered(simulate: Any, state: str, retries: int, expected: Status) -> None:
    assert status(Steering(), ended(submitted(**simulate), state, retries), RETRY) is expected


@pytest.mark.parametrize(
    ("error", "retries", "expected"),
    [("the task timed out", 0, HOLDS), ("it broke", 0, VIOLATED), ("timeout after 30 s", 1, VIOLATED)],
)
def test_a_timeout_is_not_retried_and_says_so(error: str, retries: int, expected: Status) -> None:
    history = ended(submitted(outcome="hang"), "failed", retries, error=error)
    assert status(Steering(), history, TIMEOUT) is expected


@pytest.mark.parametrize(
    ("changed", "budget", "expected"),
    [("agent_001", 1.0, VIOLATED), ("agent_012", 0.01, UNKNOWN), ("agent_001", 0.006, UNKNOWN), ("", 0.006, VIOLATED)],
)
@pytest.mark.parametrize(("clause", "simulate"), [(RETRY, {"fail_times": 2}), (TIMEOUT, {"outcome": "hang"})])
def test_a_task_that_only_changed_agents_fitted_may_have_failed_for_want_of_one(
    clause: str, simulate: dict[str, Any], changed: str, budget: float, expected: Status
) -> None:
    history = submitted(budget, **simulate)
    if changed:
        history.call("update_agent", 200, {"id": changed}, path=f"/api/v1/agents/{changed}")
    assert status(Steering(), ended(history, "failed", 0, error="no agent fits"), clause) is expected


def test_nothing_steered_is_unknown() -> None:
    history = ended(submitted(), "completed", 0)
    assert {status(Steering(), history, clause) for clause in (RETRY, TIMEOUT)} == {UNKNOWN}


def test_a_finished_task_holds_and_one_that_hangs_past_every_bound_is_violated() -> None:
    assert status(Steering(), ended(submitted(), "completed", 0), FINISH) is HOLDS
    waiting = submitted().add("phase", name="quiet").call("get_task", 200, task("running", 3))
    assert status(Steering(), waiting, FINISH) is UNKNOWN
    stuck = submitted().add("phase", name="quiet").call("get_task", 200, task("running", 3), at_ms=200_000)
    assert status(Steering(), stuck, FINISH) is VIOLATED


@pytest.mark.parametrize(
    ("budget", "state", "expected"),
    [
        (0.001, "failed", HOLDS),
        (0.001, "queued", VIOLATED),
        (1.0, "queued", HOLDS),
        (1.0, "failed", VIOLATED),
    ],
)
def test_a_task_fails_at_once_exactly_when_no_agent_fits(budget: float, state: str, expected: Status) -> None:
    history = submitted(budget).call("get_task", 200, task(state, 2), at_ms=5000)
    assert status(Steering(), history, FIT) is expected


@pytest.mark.parametrize(("budget", "expected"), [(1.0, VIOLATED), (0.01, UNKNOWN), (0.001, UNKNOWN)])
def test_where_agents_were_changed_only_the_others_say_that_one_fits(budget: float, expected: Status) -> None:
    history = submitted(budget).call("update_agent", 200, {"id": "agent_012"}, path="/api/v1/agents/agent_012")
    assert status(Steering(), history.call("get_task", 200, task("failed", 2), at_ms=5000), FIT) is expected


def test_on_a_foreign_target_the_agents_must_have_been_listed() -> None:
    agent = {"id": "x", "status": "active", "price": 0.5, "capabilities": ["query-processing"]}
    read = task("failed", 2)
    unlisted = submitted(0.1).call("get_task", 200, read, at_ms=5000)
    assert status(Steering(), unlisted, FIT, local=False) is UNKNOWN
    listed = History().call("list_agents", 200, {"agents": [agent], "total": 1})
    listed.call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body={"query": "q", "budget": 0.1})
    assert status(Steering(), listed.call("get_task", 200, read, at_ms=5000), FIT, local=False) is HOLDS
