"""Lists: own tasks by type and paged while tasks arrive, and the lists without pages, bounded (contract §3)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.contract import limits
from reference_server.core.calls import Caller
from reference_server.tests.agents import registered, upload, versions
from reference_server.tests.desk import Desk, shown


@given(
    before=st.integers(0, 12),
    arrivals=st.lists(st.integers(0, 4), max_size=8),
    limit=st.integers(1, 4),
    tick_ns=st.sampled_from((0, 400, 1000, -5000)),
)
def test_while_tasks_arrive_paging_skips_none_that_was_there_throughout(
    before: int, arrivals: list[int], limit: int, tick_ns: int
) -> None:
    desk = Desk()
    caller = desk.register()

    def arrive(count: int) -> list[str]:
        ids = []
        for _ in range(count):
            desk.now_ns += tick_ns
            ids.append(desk.submit(caller))
        return ids

    throughout = set(arrive(before))
    seen: set[str] = set()
    pending = list(arrivals)
    offset = 0
    while True:
        page = shown(desk.decide("list_tasks", caller, query=f"limit={limit}&offset={offset}").answer)
        seen |= {task["id"] for task in page["tasks"]}
        offset += limit
        if page["count"] < limit:
            break
        arrive(pending.pop() if pending else 0)

    assert throughout <= seen


@pytest.mark.parametrize(
    ("query", "count"), [("", 3), ("type=query", 3), ("type=", 0), ("type=Query", 0), ("type=%27%20OR%201=1", 0)]
)
def test_the_type_to_list_may_be_any_text(desk: Desk, query: str, count: int) -> None:
    caller = desk.register()
    for _ in range(3):
        desk.submit(caller)
    page = shown(desk.decide("list_tasks", caller, query=query).answer)

    assert (page["count"], page["total"]) == (count, count)


def make_key(desk: Desk, caller: Caller, _: str, name: str) -> None:
    assert desk.decide("make_api_key", caller, {"name": name, "environment": "live"}).answer.status == 201


def make_version(desk: Desk, caller: Caller, agent_id: str, name: str) -> None:
    path = {"id": agent_id}
    answer = desk.decide("upload_binary", caller, {"version": name}, path=path, upload=upload(1)).answer
    assert answer.status == 201


def make_deployment(desk: Desk, caller: Caller, agent_id: str, name: str) -> None:
    body = {"agent_id": agent_id, "config": f'"{name}"'}
    assert desk.decide("deploy", caller, body).answer.status == 201


@pytest.mark.parametrize(
    ("name", "items", "field", "make", "others"),
    [
        ("list_api_keys", "api_keys", "name", make_key, 0),
        ("list_versions", "versions", "version", make_version, 1),
        ("list_deployments", "deployments", "config", make_deployment, 0),
    ],
)
def test_a_list_without_pages_shows_a_bounded_number_the_newest_and_counts_them_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str, items: str, field: str, make: Any, others: int
) -> None:
    monkeypatch.setattr(limits, "LISTED_MAX", 3)
    caller = desk.register()
    agent_id = registered(desk, caller)
    for number in range(5):
        make(desk, caller, agent_id, f"n{number}")
    answer = shown(desk.decide(name, caller, path={"id": agent_id}).answer)

    assert [row[field].strip('"') for row in answer[items]] == ["n4", "n3", "n2"]
    assert answer["total"] == 5 + others


@pytest.mark.parametrize("name", ["delete_agent", "delete_binary"])
def test_what_deletes_an_agents_binaries_deletes_more_than_a_list_shows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(limits, "LISTED_MAX", 3)
    caller = desk.register()
    agent_id = registered(desk, caller)
    for number in range(5):
        make_version(desk, caller, agent_id, f"n{number}")
    decision = desk.decide(name, caller, path={"id": agent_id})

    assert len(decision.dropped) == 6
    assert versions(desk, agent_id) == []
