"""A target may say anything: one wrong value anywhere in a valid history never makes a checker raise."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from harness.checkers.base import RunFacts
from harness.checkers.fitting import fitted
from harness.checkers.tests.histories import ANN, TASK, History, stamp, task
from harness.history import Event
from harness.judge import judge
from harness.verdicts import Status
from reference_server.contract import models

STRANGE: tuple[Any, ...] = (None, [], {"a": []}, "odd", -1, 2**64 - 1, float("nan"))
"""No record holds a greater whole number: JSON of msgspec ends there."""


def agent(number: int) -> dict[str, Any]:
    """Return an agent that nothing is wrong with."""
    return {
        "id": f"agent_{number:03d}", "name": f"name {number}", "description": "d", "status": "active", "price": 0.5,
        "capabilities": ["query-processing"], "tasks_completed": 3, "rating": 4.5, "created_at": stamp(number),
        "updated_at": stamp(number), "owner_id": None,
    }  # fmt: skip


def session() -> dict[str, Any]:
    """Return the answer of register and login, of a short-lived token."""
    user = {"id": ANN, "email": "a@b.c", "full_name": "Ann", "created_at": stamp(0)}
    return {"token": "***", "user": user, "expires_in": 60}


def valid() -> list[Event]:
    """Return a history that uses every operation, every message and every way a socket ends."""
    told = History()
    told.add("person", name="ann", account_id=ANN, role="user")
    told.call("register", 201, session())
    told.call(
        "me",
        200,
        {"id": ANN, "email": "a@b.c", "full_name": "A", "created_at": stamp(0), "avatar_url": None, "role": "user"},
    )
    told.connect("c1").connect("c2")
    told.add("sent", connection="c1", account=ANN, message={"type": "ping", "timestamp": stamp(5)}, bytes=50)
    told.receive("c1", "pong", {"received": stamp(5)}, bytes=80, account=ANN)
    steered = {"simulate": {"outcome": "complete", "fail_times": 1, "duration_ms": 5}}
    told.call(
        "submit_task",
        202,
        {"task_id": TASK, "status": "queued"},
        body={"query": "q", "budget": 1.0, "constraints": steered},
    )
    for revision, status in enumerate(("queued", "running", "completed"), start=1):
        told.push("c1", status, revision, more={"progress": 10}, account=ANN)
        told.push("c2", status, revision, more={"progress": 10}, account=ANN)
        told.call("get_task", 200, task(status, revision), method="GET", path=f"/api/v1/tasks/{TASK}")
    page = {"tasks": [task("completed", 3)], "count": 1, "total": 1, "limit": 50, "offset": 0}
    told.call("list_tasks", 200, page, query={"status": "completed"})
    for sort in ("recent", "rating", "tasks", "price", "name"):
        agents = {"agents": [agent(2), agent(1)], "total": 2, "page": 1, "limit": 20, "total_pages": 1}
        told.call("list_agents", 200, agents, query={"sort": sort, "search": "name"})
    told.call(
        "list_agents", 200, {"agents": [], "total": 2, "page": 1, "limit": 0, "total_pages": 1}, query={"limit": "0"}
    )
    told.call("get_agent", 200, agent(1), path="/api/v1/agents/agent_001")
    told.call("cancel_task", 200, {"task_id": TASK, "status": "canceled", "message": "m"}, path=f"/api/v1/tasks/{TASK}")
    told.call("get_task", 200, task("canceled", 4), path=f"/api/v1/tasks/{TASK}")
    told.call("orchestrator_metrics", 200, {
        "tasks_processed": 1, "tasks_succeeded": 1, "tasks_failed": 0, "tasks_timed_out": 0, "avg_execution_ms": 1.0,
        "active_workers": 0, "success_rate": 100.0,
    })  # fmt: skip
    told.call(
        "ws_broadcast",
        200,
        {"message": "m", "recipients": 2},
        body={"type": "system", "data": {"message": "b", "level": "info"}},
    )
    told.receive("c1", "system", {"message": "b", "level": "info"}, account=ANN, digest="d1")
    told.receive("c1", "agent_update", {"agent_id": "a", "name": "n", "action": "registered"}, account=ANN)
    told.call("ws_stats", 200, {"stats": dict.fromkeys(("current_connections", "messages_sent"), 1)})
    told.call("get_task", 429, {"error": "rate", "message": "m", "retry_after": 1}, headers={"retry-after": "1"})
    told.add("process", action="kill").add("process", action="ready")
    told.call("list_tasks", 200, page)
    told.call("get_task", 200, task("completed", 5), path=f"/api/v1/tasks/{TASK}")
    told.call("logout", 200, {"message": "m"})
    told.add("closed", connection="c1", account=ANN, code=4401, reason="", clean=True, by="peer")
    told.add("connecting", connection="c3", account=ANN)
    told.add("refused", connection="c3", account=ANN, status=401, body={"error": "e", "message": "m"}, headers={})
    told.add("phase", 200_000, name="end")
    return told.events


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a value, itself included."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, (*path, number))


def targets_words() -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield where in the history the target has its say (bodies, headers, messages), each kind of place once."""
    asked: dict[int | None, Any] = {}
    known: set[Any] = set()
    for number, event in enumerate(valid()):
        if event.kind == "invoke":
            asked[event.op] = (event.data["operation"], str(event.data.get("query")))
        elif event.kind in ("ok", "fail", "refused", "received"):
            message = event.data.get("message") or {}
            what = (event.kind, asked.get(event.op), message.get("type"), message.get("data", {}).get("status"))
            spoken = [name for name in ("body", "headers", "message") if name in event.data]
            for path in ((name, *path) for name in spoken for path in places(event.data[name])):
                kind = (what, *("#" if isinstance(part, int) else part for part in path))
                if kind not in known:
                    known.add(kind)
                    yield number, path


def changed(event: Event, path: tuple[Any, ...], value: Any) -> Event:
    """Return the event with one value replaced."""
    data = copy.deepcopy(event.data)
    inner: Any = data
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return Event(
        event.recorder,
        event.index,
        event.at_ns,
        event.kind,
        event.op,
        event.connection,
        event.account,
        event.case,
        data,
    )


@pytest.mark.parametrize("value", STRANGE, ids=repr)
def test_one_wrong_value_anywhere_in_what_a_target_says_makes_no_checker_raise(value: Any) -> None:
    events = valid()
    wheres = list(targets_words())
    assert len(wheres) > 150
    for number, path in wheres:
        strange = [*events[:number], changed(events[number], path, value), *events[number + 1 :]]
        judge(strange, RunFacts())


def test_the_unchanged_history_is_broad_enough_to_reach_the_judges() -> None:
    checked = {result.id for result in judge(valid(), RunFacts()).results if result.status is not Status.UNKNOWN}
    assert len(checked) >= 25, sorted(checked)


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"status": "queued"}, True),
        ({"status": "no such status", "progress": -5}, True),
        ({"assigned_to": None, "unknown": [1]}, True),
        ({"progress": "10"}, False),
        ({"status": ["queued"]}, False),
        ({"input": {"query": 1}}, False),
        ([], False),
        (None, False),
    ],
)
def test_a_body_is_read_for_meaning_where_its_types_are_the_contracts(body: Any, fits: bool) -> None:
    assert (fitted(body, models.Task) is not None) is fits
