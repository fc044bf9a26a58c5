"""Tables for what answers say of each other."""

from typing import Any

import pytest

from harness.checkers import resources as rules
from harness.checkers.resources import Resources
from harness.checkers.tests.histories import ANN, BOB, OTHER, TASK, History, stamp, status, task
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
PATH = f"/api/v1/tasks/{TASK}"
SUBMIT = {"query": "q", "budget": 1.0}


def submitted() -> History:
    return History().call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body=SUBMIT)


def listed(*tasks: dict[str, Any], total: int | None = None, **query: str) -> History:
    body = {"tasks": list(tasks), "count": len(tasks), "total": len(tasks) if total is None else total,
            "limit": int(query.get("limit", 50)), "offset": int(query.get("offset", 0))}  # fmt: skip
    return History().call("list_tasks", 200, body, query=query)


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [(200, task(), HOLDS), (404, {}, VIOLATED), (200, task(query="else"), VIOLATED), (503, {}, UNKNOWN)],
)
def test_a_submitted_task_can_be_read_at_once(code: int, body: Any, expected: Status) -> None:
    assert status(Resources(), submitted().call("get_task", code, body, path=PATH), rules.READ) is expected


NEW, OLD = task(created_at=stamp(5000)), task(id=OTHER, created_at=stamp(1000))


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (listed(NEW, OLD), HOLDS),
        (listed(OLD, NEW), VIOLATED),
        (listed(NEW, NEW), VIOLATED),
        (listed(NEW, total=9, limit="1"), HOLDS),
        (listed(NEW, total=9), VIOLATED),
        (listed(NEW, status="failed"), VIOLATED),
    ],
)
def test_own_tasks_are_listed_newest_first_in_pages(history: History, expected: Status) -> None:
    assert status(Resources(), history, rules.TASKS) is expected


def test_a_task_is_canceled_once() -> None:
    once = History().call("cancel_task", 200, {"task_id": TASK, "status": "canceled"}, path=PATH)
    assert status(Resources(), once, rules.CANCEL) is HOLDS
    assert status(Resources(), once.call("cancel_task", 409, {}, path=PATH), rules.CANCEL) is HOLDS
    assert status(Resources(), once.call("cancel_task", 200, {}, path=PATH), rules.CANCEL) is VIOLATED


def test_me_shows_the_account_of_the_credential() -> None:
    def asked(found: str) -> History:
        history = History().call("login", 200, {"user": {"id": ANN}}, account="ann")
        return history.call("me", 200, {"id": found}, account="ann")

    assert status(Resources(), asked(ANN), rules.ME) is HOLDS
    assert status(Resources(), asked(BOB), rules.ME) is VIOLATED
    assert status(Resources(), History().call("me", 200, {"id": ANN}, account="ann"), rules.ME) is UNKNOWN


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((4, 3, 1, 1, 75.0), HOLDS),
        ((0, 0, 0, 0, 0.0), HOLDS),
        ((4, 3, 0, 0, 75.0), VIOLATED),
        ((4, 3, 1, 2, 75.0), VIOLATED),
        ((3, 2, 1, 0, 66.0), VIOLATED),
    ],
)
def test_the_figures_fit_each_other(figures: Any, expected: Status) -> None:
    names = ("tasks_processed", "tasks_succeeded", "tasks_failed", "tasks_timed_out", "success_rate")
    history = History().call("orchestrator_metrics", 200, dict(zip(names, figures, strict=True)))
    assert status(Resources(), history, rules.FIGURES) is expected


def agent(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"x{number}", "name": f"n{number}", "description": "d", "capabilities": ["c"], "status": "active",
            "price": float(number), "rating": 5.0 - number, "tasks_completed": number,
            "created_at": stamp(10_000 - number), "updated_at": stamp(0), "owner_id": BOB, **fields}  # fmt: skip


def agents(*found: dict[str, Any], **query: str) -> History:
    body = {"agents": list(found), "total": len(found), "page": 1, "limit": 20, "total_pages": 1}
    return History().call("list_agents", 200, body, query=query)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (agents(agent(1), agent(2)), HOLDS),
        (agents(agent(2), agent(1)), VIOLATED),
        (agents(agent(1), agent(2), sort="price"), HOLDS),
        (agents(agent(1), agent(2), sort="tasks"), VIOLATED),
        (agents(agent(1), status="beta"), VIOLATED),
        (agents(agent(1), search="N1"), HOLDS),
        (agents(agent(1), search="zzz"), VIOLATED),
        (agents(agent(1), page="2"), VIOLATED),
    ],
)
def test_agents_are_paged_filtered_and_sorted_as_asked(history: History, expected: Status) -> None:
    assert status(Resources(), history, rules.LISTED) is expected


def test_an_agent_shows_the_same_alone_as_in_the_list() -> None:
    same = agents(agent(1)).call("get_agent", 200, agent(1), path="/api/v1/agents/x1")
    other = agents(agent(1)).call("get_agent", 200, agent(1, name="n"), path="/api/v1/agents/x1")
    assert status(Resources(), same, rules.SHOWN) is HOLDS
    assert status(Resources(), other, rules.SHOWN) is VIOLATED


def test_seeded_agents_are_as_the_contract_lists_them() -> None:
    seeded = {"id": "agent_012", "name": "CloudSync Master", "price": 0.01, "rating": 4.9,
              "capabilities": ["cloud_storage", "backup", "sync", "query-processing"]}  # fmt: skip
    assert status(Resources(), agents(seeded), rules.SEEDED) is HOLDS
    assert status(Resources(), agents({**seeded, "price": 9.0}), rules.SEEDED) is VIOLATED
