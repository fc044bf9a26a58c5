"""What an owner does to an agent, and what everyone sees of it, over every store (contract §3 agents)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec import convert

from reference_server.contract import limits, models
from reference_server.core.answers import Everyone, Publish
from reference_server.core.calls import Caller
from reference_server.core.rows import DeploymentRow
from reference_server.core.units import SECOND_NS
from reference_server.store.tests.rows import deployment, put
from reference_server.store.tests.test_store_conformance import STORES
from reference_server.tests.agents import FORM, agent, agent_pushes, registered, upload, versions
from reference_server.tests.desk import START_NS, Desk, shown

SEEDED = "agent_012"
UNKNOWN = ("agent_999", "2a1b3c4d-0000-4000-8000-000000000000", "AGENT_001", "x", "\udc80")
SERVES: dict[str, Any] = {"capabilities": ["query-processing"], "pricing": {"per_execution": 0.001}}
RUNS_LONG: dict[str, Any] = {"constraints": {"simulate": {"duration_ms": 10_000}}}
CHANGES = {"update_agent": {"name": "New"}, "delete_agent": None}


@pytest.fixture(params=STORES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    store = STORES[request.param](tmp_path)
    yield Desk(store)
    store.close()


@pytest.fixture
def owner(desk: Desk) -> Caller:
    return desk.register("owner@b.c")


@pytest.fixture
def other(desk: Desk) -> Caller:
    return desk.register("other@b.c")


# register


def test_a_registered_agent_can_be_read_at_once_with_what_was_registered(desk: Desk, owner: Caller) -> None:
    decision = desk.decide("register_agent", owner, FORM | {"description": "hé"}, upload=upload(7))
    answer = convert(shown(decision.answer), models.AgentRegistered)

    assert decision.answer.status == 201
    assert (answer.name, answer.wasm_hash, answer.card_published, answer.index_updated) == (
        "Mine", f"{7:064x}", True, True,
    )  # fmt: skip
    assert UUID(answer.agent_id).version == 4
    assert convert(agent(desk, owner, answer.agent_id), models.Agent) == models.Agent(
        id=answer.agent_id, name="Mine", description="hé", capabilities=["etl"], status="active", price=0.5,
        tasks_completed=0, rating=0.0, created_at=answer.timestamp, updated_at=answer.timestamp,
        owner_id=owner.account_id,
    )  # fmt: skip
    assert [one.audience for one in decision.outgoing if isinstance(one, Publish)] == [Everyone()]
    assert agent_pushes(desk, answer.agent_id) == [("registered", "Mine")]


@pytest.mark.parametrize(("given", "version"), [({}, models.FIRST_VERSION), ({"version": "2.0-rc"}, "2.0-rc")])
def test_a_registration_stores_its_binary_as_the_first_version(
    desk: Desk, owner: Caller, given: dict[str, Any], version: str
) -> None:
    agent_id = registered(desk, owner, file=upload(3), **given)
    (row,) = versions(desk, agent_id)

    assert (row.version, row.blob, row.binary_hash, row.binary_size) == (version, "blob3", f"{3:064x}", 1027)


def test_what_a_registration_tells_beyond_what_is_shown_is_kept(desk: Desk, owner: Caller) -> None:
    told: dict[str, Any] = {
        "pricing": {"per_execution": 1, "per_mb": 0.25, "currency": "EUR"},
        "resources": {"memory_mb": 64},
        "metadata": {"é": [1, {"b": None}]},
    }
    agent_id = registered(desk, owner, **told)
    row = desk.store.transact(lambda tx: tx.agent(agent_id))

    assert row is not None
    assert row.manifest == told


def test_a_name_may_be_taken_by_many_agents(desk: Desk, owner: Caller, other: Caller) -> None:
    ids = {registered(desk, owner), registered(desk, owner), registered(desk, other)}

    assert len(ids) == 3


def test_an_agent_gets_tasks_only_if_it_offers_to_process_queries(desk: Desk, owner: Caller) -> None:
    registered(desk, owner, pricing={"per_execution": 0.001})
    unserved = desk.submit(owner, budget=0.005)
    serving = registered(desk, owner, **SERVES)
    served = desk.submit(owner, budget=0.005)
    desk.decide("cancel_task", owner, path={"id": unserved})
    desk.run()

    assert desk.task(owner, served)["assigned_to"] == serving


# list and search


def test_a_list_shows_every_change_at_once(desk: Desk, owner: Caller) -> None:
    def total(query: str) -> int:
        return int(shown(desk.decide("list_agents", owner, query=query).answer)["total"])

    agent_id = registered(desk, owner, name="Zebra")
    assert (total(""), total("search=zebra"), total("status=active")) == (16, 1, 15)
    desk.decide("update_agent", owner, {"name": "Gnu", "status": "beta"}, path={"id": agent_id})
    assert (total(""), total("search=zebra"), total("search=GNU"), total("status=beta")) == (16, 0, 1, 2)
    desk.decide("delete_agent", owner, path={"id": agent_id})
    assert (total(""), total("search=gnu")) == (15, 0)


def test_a_search_tells_what_it_looked_for_and_finds_the_newest_first(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, description="ETL for all")
    answer = convert(shown(desk.decide("search_agents", owner, query="q=etl").answer), models.AgentSearch)

    assert [found.id for found in answer.agents] == [agent_id, "agent_001"]
    assert (answer.total, answer.query) == (2, "etl")


def test_a_search_that_finds_nothing_is_empty(desk: Desk, owner: Caller) -> None:
    answer = desk.decide("search_agents", owner, query="q=%25").answer

    assert (answer.status, shown(answer)) == (200, {"agents": [], "total": 0, "query": "%"})


def test_a_search_shows_a_bounded_number_and_counts_them_all(
    desk: Desk, owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LISTED_MAX", 4)
    answer = shown(desk.decide("search_agents", owner, query="q=query-processing").answer)

    assert (len(answer["agents"]), answer["total"]) == (4, 15)


# who may change what


@pytest.mark.parametrize("name", ["get_agent", *CHANGES])
@pytest.mark.parametrize("agent_id", UNKNOWN)
def test_an_unknown_and_a_malformed_id_are_404(desk: Desk, owner: Caller, name: str, agent_id: str) -> None:
    answer = desk.decide(name, owner, CHANGES.get(name), path={"id": agent_id}).answer

    assert answer.status == 404


@pytest.mark.parametrize("name", CHANGES)
def test_a_seeded_agent_and_anothers_are_403_and_stay_as_they_are(
    desk: Desk, owner: Caller, other: Caller, name: str
) -> None:
    agents = (SEEDED, registered(desk, owner))
    before = [agent(desk, owner, agent_id) for agent_id in agents]
    told = len(desk.outgoing)
    decisions = [desk.decide(name, other, CHANGES[name], path={"id": agent_id}) for agent_id in agents]

    assert [one.answer.status for one in decisions] == [403, 403]
    assert [agent(desk, owner, agent_id) for agent_id in agents] == before
    assert len(desk.outgoing) == told


@pytest.mark.parametrize("body", [{}, {"owner_id": "x", "rating": 5}])
@pytest.mark.parametrize("agent_id", ["agent_999", SEEDED])
def test_a_change_of_nothing_is_400_before_404_and_403(
    desk: Desk, owner: Caller, body: dict[str, Any], agent_id: str
) -> None:
    answer = desk.decide("update_agent", owner, body, path={"id": agent_id}).answer

    assert answer.status == 400
    assert shown(answer)["details"][0]["field"] == "body"


# update


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Another"},
        {"description": ""},
        {"capabilities": ["a", "b"]},
        {"price": 2},
        {"status": "beta"},
        {"name": "N", "description": "d", "capabilities": ["c"], "price": 1e-9, "status": "inactive"},
    ],
)
def test_a_change_is_shown_pushed_and_touches_nothing_else(desk: Desk, owner: Caller, change: dict[str, Any]) -> None:
    agent_id = registered(desk, owner)
    before = agent(desk, owner, agent_id)
    desk.now_ns += SECOND_NS
    decision = desk.decide("update_agent", owner, change, path={"id": agent_id})
    after = agent(desk, owner, agent_id)

    assert (decision.answer.status, shown(decision.answer)) == (200, after)
    assert after == before | change | {"updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]
    assert agent_pushes(desk, agent_id) == [("registered", "Mine"), ("updated", after["name"])]


def test_a_new_price_is_the_price_per_execution(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, pricing={"per_execution": 1, "per_mb": 3})
    desk.decide("update_agent", owner, {"price": 2}, path={"id": agent_id})
    row = desk.store.transact(lambda tx: tx.agent(agent_id))

    assert row is not None
    assert row.manifest["pricing"] == {"per_execution": 2, "per_mb": 3}


def test_a_clock_that_was_set_back_takes_no_change_back_in_time(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner)
    desk.now_ns -= SECOND_NS
    desk.decide("update_agent", owner, {"name": "Later"}, path={"id": agent_id})
    shown_now = agent(desk, owner, agent_id)

    assert shown_now["updated_at"] == shown_now["created_at"]


# delete, and what hangs on an agent


def test_a_deleted_agent_is_unknown_and_its_binaries_are_dropped(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, file=upload(1))
    desk.decide("upload_binary", owner, {"version": "2"}, path={"id": agent_id}, upload=upload(2))
    decision = desk.decide("delete_agent", owner, path={"id": agent_id})

    assert shown(decision.answer) == {"agent_id": agent_id, "status": "deleted"}
    assert decision.dropped == ("blob2", "blob1")
    assert agent_pushes(desk, agent_id)[-1] == ("deleted", "Mine")
    assert desk.decide("get_agent", owner, path={"id": agent_id}).answer.status == 404
    assert versions(desk, agent_id) == []


def test_of_two_deletes_the_second_finds_nothing(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner)
    answers = [desk.decide("delete_agent", owner, path={"id": agent_id}) for _ in range(2)]

    assert [one.answer.status for one in answers] == [200, 404]
    assert (answers[1].outgoing, answers[1].dropped) == ((), ())


@pytest.mark.parametrize(
    ("first", "second", "status"), [("update_agent", "delete_agent", 200), (*reversed(CHANGES), 404)]
)
def test_a_change_against_a_delete_is_decided_by_which_came_first(
    desk: Desk, owner: Caller, first: str, second: str, status: int
) -> None:
    agent_id = registered(desk, owner)
    answers = [desk.decide(name, owner, CHANGES[name], path={"id": agent_id}).answer for name in (first, second)]

    assert [one.status for one in answers] == [200, status]
    assert desk.decide("get_agent", owner, path={"id": agent_id}).answer.status == 404


def test_the_deployments_of_a_deleted_agent_stop_and_no_others(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner)
    stopped_before = deployment(1, agent_id=agent_id, status="stopped")
    rows = (stopped_before, deployment(2, agent_id=agent_id), deployment(3, agent_id=SEEDED))
    put(desk.store, *rows)
    desk.now_ns += SECOND_NS
    desk.decide("delete_agent", owner, path={"id": agent_id})

    def now(row: DeploymentRow) -> DeploymentRow | None:
        return desk.store.transact(lambda tx: tx.deployment(row.id))

    assert now(stopped_before) == stopped_before
    assert now(rows[1]) == deployment(2, agent_id=agent_id, status="stopped", updated_at_ns=START_NS + SECOND_NS)
    assert now(rows[2]) == rows[2]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("delete_agent", None),
        ("update_agent", {"status": "inactive"}),
        ("update_agent", {"status": "beta", "name": "Tired"}),
    ],
)
def test_the_tasks_of_an_agent_that_goes_away_are_assigned_anew(
    desk: Desk, owner: Caller, other: Caller, name: str, body: dict[str, Any] | None
) -> None:
    agent_id = registered(desk, owner, **SERVES)
    task_id = desk.submit(other, **RUNS_LONG)
    for _ in range(2):
        desk.advance()
    running = desk.task(other, task_id)
    decision = desk.decide(name, owner, body, path={"id": agent_id})
    queued = desk.task(other, task_id)
    desk.run()

    assert (running["status"], running["assigned_to"]) == ("running", agent_id)
    assert (queued["status"], queued["retry_count"], queued["revision"]) == ("queued", 0, running["revision"] + 1)
    assert [one.type for one in decision.outgoing if isinstance(one, Publish)] == ["agent_update", "task_update"]
    assert desk.pushes(task_id)[-3:] == [("queued", 4), ("running", 6), ("completed", 7)]
    assert desk.task(other, task_id)["assigned_to"] == SEEDED


def test_a_task_that_no_other_agent_fits_fails_at_once_when_its_agent_is_deleted(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, **SERVES)
    running = desk.submit(owner, budget=0.002, **RUNS_LONG)
    for _ in range(2):
        desk.advance()
    desk.decide("delete_agent", owner, path={"id": agent_id})
    desk.advance()

    assert desk.task(owner, running)["status"] == "failed"
    assert desk.pushes(running)[-2:] == [("queued", 4), ("failed", 5)]
    assert desk.now_ns == START_NS


def test_a_price_that_rises_while_a_task_runs_never_exceeds_its_budget(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, **SERVES)
    task_id = desk.submit(owner, budget=0.002, **RUNS_LONG)
    for _ in range(2):
        desk.advance()
    desk.decide("update_agent", owner, {"price": 1}, path={"id": agent_id})
    desk.run()

    task = desk.task(owner, task_id)
    assert (task["status"], task["actual_cost"]) == ("completed", 0.001)
