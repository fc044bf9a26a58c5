"""Tasks and their agents: who fits, what it costs, and what becomes of a task whose agent goes away (contract §4)."""

from typing import Any

import pytest

from reference_server.contract.seeded_agents import SEEDED_AGENTS
from reference_server.core.units import SECOND_NS
from reference_server.tests.desk import Desk

CHEAPEST, SECOND_CHEAPEST = "agent_012", "agent_001"
RUNS_LONG: dict[str, Any] = {"constraints": {"simulate": {"duration_ms": 10_000}}}
GOES_AWAY: dict[str, dict[str, Any]] = {"deleted": {}, "inactive": {"status": "inactive"}, "beta": {"status": "beta"}}
FITS_NO_MORE = GOES_AWAY | {"too dear": {"price": 5.0}, "unable": {"capabilities": ("etl",)}}


@pytest.mark.parametrize("changes", GOES_AWAY.values(), ids=GOES_AWAY)
@pytest.mark.parametrize(("steps", "status"), [(1, "assigned"), (2, "running")])
def test_a_task_whose_agent_goes_away_is_queued_at_once_and_the_attempt_counts_as_none(
    desk: Desk, changes: dict[str, Any], steps: int, status: str
) -> None:
    caller = desk.register()
    task_id = desk.submit(caller, **RUNS_LONG)
    for _ in range(steps):
        desk.advance()
    before = desk.task(caller, task_id)
    desk.change_agent(CHEAPEST, **changes)

    task = desk.task(caller, task_id)
    assert (before["status"], before["assigned_to"]) == (status, CHEAPEST)
    assert (task["status"], task["retry_count"], task["progress"], "assigned_to" in task) == ("queued", 0, 10, False)
    assert task["revision"] == before["revision"] + 1
    assert desk.pushes(task_id)[-1] == ("queued", task["revision"])
    desk.run()
    task = desk.task(caller, task_id)
    assert (task["status"], task["assigned_to"], task["retry_count"]) == ("completed", SECOND_CHEAPEST, 0)


def test_an_attempt_cut_short_takes_nothing_from_the_retries_and_started_at_stays_the_first(desk: Desk) -> None:
    caller = desk.register()
    task_id = desk.submit(caller, constraints={"simulate": {"duration_ms": 500, "fail_times": 3}})
    desk.advance()
    desk.advance()
    started_at = desk.task(caller, task_id)["started_at"]
    desk.now_ns += SECOND_NS // 4
    desk.change_agent(CHEAPEST, status="inactive")
    desk.run()

    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"], task["started_at"]) == ("completed", 3, started_at)


def test_a_change_that_leaves_the_agent_active_disturbs_no_task(desk: Desk) -> None:
    caller = desk.register()
    task_id = desk.submit(caller, **RUNS_LONG)
    desk.advance()
    desk.advance()
    before = desk.task(caller, task_id)
    desk.change_agent(CHEAPEST, name="Another name", price=0.02)

    assert desk.task(caller, task_id) == before


def test_a_task_costs_what_its_agent_asked_for_when_it_was_assigned(desk: Desk) -> None:
    caller = desk.register()
    task_id = desk.submit(caller, budget=0.01, **RUNS_LONG)
    desk.advance()
    desk.change_agent(CHEAPEST, price=99.0)
    desk.run()

    task = desk.task(caller, task_id)
    assert (task["status"], task["actual_cost"]) == ("completed", 0.01)


@pytest.mark.parametrize("changes", FITS_NO_MORE.values(), ids=FITS_NO_MORE)
def test_a_queued_task_fails_at_once_when_the_last_agent_that_fitted_changes(
    desk: Desk, changes: dict[str, Any]
) -> None:
    desk.workers = 1
    caller = desk.register()
    desk.submit(caller, budget=1, priority="critical", **RUNS_LONG)
    desk.advance()
    desk.advance()
    waiting, fitted = desk.submit(caller, budget=0.01), desk.submit(caller, budget=0.02)
    desk.change_agent(CHEAPEST, **changes)
    assert desk.task(caller, waiting)["status"] == "queued"
    desk.advance()

    failed = desk.task(caller, waiting)
    assert (failed["status"], failed["progress"], "started_at" in failed) == ("failed", 0, False)
    assert failed["error"] == "no active agent fits this task and its budget"
    assert desk.task(caller, fitted)["status"] != "failed"


def test_a_task_that_waits_to_be_retried_fails_at_once_when_no_agent_fits_any_more(desk: Desk) -> None:
    caller = desk.register()
    task_id = desk.submit(caller, budget=0.01, constraints={"simulate": {"duration_ms": 0, "fail_times": 1}})
    for _ in range(3):
        desk.advance()
    assert desk.task(caller, task_id)["retry_count"] == 1
    before_ns = desk.now_ns
    desk.change_agent(CHEAPEST, status="inactive")
    desk.advance()

    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"], desk.now_ns) == ("failed", 1, before_ns)


def test_a_failed_attempt_whose_agent_became_too_dear_meanwhile_is_not_retried(desk: Desk) -> None:
    caller = desk.register()
    task_id = desk.submit(caller, budget=0.01, constraints={"simulate": {"duration_ms": 500, "fail_times": 1}})
    desk.advance()
    desk.advance()
    desk.change_agent(CHEAPEST, price=1.0)
    desk.now_ns += SECOND_NS // 2
    desk.advance()
    ended_ns = desk.now_ns
    desk.run()

    assert (desk.task(caller, task_id)["status"], desk.now_ns) == ("failed", ended_ns)


def test_a_task_is_claimed_when_an_agent_that_fits_comes_before_it_failed(desk: Desk) -> None:
    caller = desk.register()
    task_id = desk.submit(caller, budget=0.005)
    desk.change_agent(CHEAPEST, price=0.004)
    desk.run()

    assert desk.task(caller, task_id)["status"] == "completed"


def test_without_any_active_agent_every_queued_task_fails(desk: Desk) -> None:
    caller = desk.register()
    tasks = [desk.submit(caller, budget=1e300), desk.submit(caller, **RUNS_LONG)]
    desk.advance()
    desk.advance()
    for agent in SEEDED_AGENTS:
        desk.change_agent(agent.id, status="inactive")
    desk.run()

    assert [desk.task(caller, task_id)["status"] for task_id in tasks] == ["failed", "failed"]
