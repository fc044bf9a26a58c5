"""The binaries of an agent, over every store: upload, read, delete, list (contract §3 agents)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from msgspec import convert

from reference_server.contract import models
from reference_server.core.answers import BlobBody, Decision
from reference_server.core.calls import Caller
from reference_server.core.units import SECOND_NS
from reference_server.store.tests.test_store_conformance import STORES
from reference_server.tests.agents import agent, agent_pushes, registered, upload, versions
from reference_server.tests.desk import Desk, shown

SEEDED = "agent_001"
UNKNOWN = ("agent_999", "2a1b3c4d-0000-4000-8000-000000000000", "x")
ALL = ("upload_binary", "put_binary", "get_binary", "delete_binary", "list_versions")
CHANGES = ALL[:2] + ALL[3:4]


@pytest.fixture(params=STORES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    store = STORES[request.param](tmp_path)
    yield Desk(store)
    store.close()


@pytest.fixture
def owner(desk: Desk) -> Caller:
    return desk.register("owner@b.c")


def ask(desk: Desk, name: str, caller: Caller, agent_id: str, version: str | None = None, number: int = 9) -> Decision:
    """Carry out an operation on an agent's binaries; an upload brings file `number`."""
    path = {"id": agent_id}
    if name in ("upload_binary", "put_binary"):
        return desk.decide(name, caller, {"version": version or "2"}, path=path, upload=upload(number))
    return desk.decide(name, caller, query="" if version is None else f"version={version}", path=path)


def listed(desk: Desk, caller: Caller, agent_id: str) -> list[str]:
    answer = convert(shown(ask(desk, "list_versions", caller, agent_id).answer), models.AgentVersions)
    assert answer.total == len(answer.versions)
    return [one.version for one in answer.versions]


@pytest.mark.parametrize("name", ["upload_binary", "put_binary"])
def test_an_uploaded_binary_is_told_pushed_and_listed_first(desk: Desk, owner: Caller, name: str) -> None:
    agent_id = registered(desk, owner)
    before = agent(desk, owner, agent_id)
    desk.now_ns += SECOND_NS
    answer = ask(desk, name, owner, agent_id, "0.9", number=2).answer

    uploaded = convert(shown(answer), models.BinaryUploaded)
    assert (answer.status, uploaded.status, uploaded.version) == (201, "uploaded", "0.9")
    assert (uploaded.agent_id, uploaded.binary_hash, uploaded.binary_size) == (agent_id, f"{2:064x}", 1026)
    assert listed(desk, owner, agent_id) == ["0.9", "1.0.0"]
    assert agent_pushes(desk, agent_id)[1:] == [("updated", "Mine")]
    assert agent(desk, owner, agent_id)["updated_at"] > before["updated_at"]


@pytest.mark.parametrize("version", ["1.0.1", "1.0.0-rc.1+build.5", "a_b"])
def test_the_url_of_a_binary_leads_to_it(desk: Desk, owner: Caller, version: str) -> None:
    agent_id = registered(desk, owner)
    url = urlsplit(shown(ask(desk, "upload_binary", owner, agent_id, version).answer)["binary_url"])
    decision = desk.decide("get_binary", owner, query=url.query, path={"id": agent_id})

    assert url.path == f"/api/v1/agents/{agent_id}/binary"
    assert parse_qs(url.query) == {"version": [version]}
    assert decision.answer.body == BlobBody("blob9", 1033)


def test_a_version_that_exists_is_409_and_nothing_changes(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, file=upload(1))
    before, told = agent(desk, owner, agent_id), len(desk.outgoing)
    desk.now_ns += SECOND_NS
    decision = ask(desk, "put_binary", owner, agent_id, models.FIRST_VERSION)

    assert (decision.answer.status, decision.dropped, len(desk.outgoing)) == (409, (), told)
    assert [row.blob for row in versions(desk, agent_id)] == ["blob1"]
    assert agent(desk, owner, agent_id) == before


def test_a_refused_version_leaves_the_rest_of_its_commit_as_it_is(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner)
    statuses = [ask(desk, "upload_binary", owner, agent_id, version).answer.status for version in ("2", "2", "3")]

    assert statuses == [201, 409, 201]
    assert listed(desk, owner, agent_id) == ["3", "2", "1.0.0"]


def test_a_deleted_version_may_be_uploaded_again_and_is_the_last(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, file=upload(1))
    ask(desk, "upload_binary", owner, agent_id, "2", number=2)
    ask(desk, "delete_binary", owner, agent_id, models.FIRST_VERSION)
    ask(desk, "upload_binary", owner, agent_id, models.FIRST_VERSION, number=3)

    assert listed(desk, owner, agent_id) == [models.FIRST_VERSION, "2"]
    assert ask(desk, "get_binary", owner, agent_id).answer.body == BlobBody("blob3", 1027)


def test_two_agents_may_have_the_same_version(desk: Desk, owner: Caller) -> None:
    first, second = registered(desk, owner, file=upload(1)), registered(desk, owner, file=upload(2))
    ask(desk, "delete_binary", owner, first)

    assert (listed(desk, owner, first), listed(desk, owner, second)) == ([], [models.FIRST_VERSION])


def test_anyone_reads_a_binary_with_its_hash_as_entity_tag(desk: Desk, owner: Caller) -> None:
    agent_id, other = registered(desk, owner, file=upload(1)), desk.register("other@b.c")
    ask(desk, "upload_binary", owner, agent_id, "2", number=2)
    last = ask(desk, "get_binary", other, agent_id).answer
    first = ask(desk, "get_binary", other, agent_id, models.FIRST_VERSION).answer

    assert (last.status, last.media, last.body) == (200, "application/wasm", BlobBody("blob2", 1026))
    assert last.headers == (("ETag", f'"{2:064x}"'),)
    assert (first.body, first.headers) == (BlobBody("blob1", 1025), (("ETag", f'"{1:064x}"'),))


@pytest.mark.parametrize("version", ["9", "", "x%20", "1.0.0%0A", "1.0"])
@pytest.mark.parametrize("name", ["get_binary", "delete_binary"])
def test_a_version_that_was_not_uploaded_is_404(desk: Desk, owner: Caller, name: str, version: str) -> None:
    agent_id = registered(desk, owner)
    decision = ask(desk, name, owner, agent_id, version)

    assert (decision.answer.status, decision.outgoing, decision.dropped) == (404, (), ())
    assert listed(desk, owner, agent_id) == [models.FIRST_VERSION]


@pytest.mark.parametrize("agent_id", UNKNOWN)
@pytest.mark.parametrize("name", ALL)
def test_the_binaries_of_an_unknown_agent_are_404(desk: Desk, owner: Caller, name: str, agent_id: str) -> None:
    assert ask(desk, name, owner, agent_id).answer.status == 404


@pytest.mark.parametrize("name", CHANGES)
def test_the_binaries_of_a_seeded_agent_and_of_anothers_are_403(desk: Desk, owner: Caller, name: str) -> None:
    agent_id, other = registered(desk, owner), desk.register("other@b.c")
    decisions = [ask(desk, name, other, one) for one in (SEEDED, agent_id)]

    assert [one.answer.status for one in decisions] == [403, 403]
    assert [one.outgoing for one in decisions] == [(), ()]
    assert listed(desk, owner, agent_id) == [models.FIRST_VERSION]


def test_an_unknown_version_of_anothers_agent_is_404_before_403(desk: Desk, owner: Caller) -> None:
    agent_id, other = registered(desk, owner), desk.register("other@b.c")

    assert ask(desk, "delete_binary", other, agent_id, "9").answer.status == 404
    assert ask(desk, "delete_binary", other, agent_id, models.FIRST_VERSION).answer.status == 403


def test_a_seeded_agent_has_no_binary(desk: Desk, owner: Caller) -> None:
    assert ask(desk, "get_binary", owner, SEEDED).answer.status == 404
    assert shown(ask(desk, "list_versions", owner, SEEDED).answer) == {
        "agent_id": SEEDED, "versions": [], "total": 0,
    }  # fmt: skip


def test_one_version_is_deleted_and_the_last_that_is_left_is_served(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, file=upload(1))
    ask(desk, "upload_binary", owner, agent_id, "2", number=2)
    decision = ask(desk, "delete_binary", owner, agent_id, "2")

    assert shown(decision.answer) == {"agent_id": agent_id, "deleted": ["2"]}
    assert decision.dropped == ("blob2",)
    assert agent_pushes(desk, agent_id)[-1] == ("updated", "Mine")
    assert ask(desk, "get_binary", owner, agent_id).answer.body == BlobBody("blob1", 1025)


def test_without_a_version_all_are_deleted_and_the_agent_stays(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner, file=upload(1))
    ask(desk, "upload_binary", owner, agent_id, "2", number=2)
    decision = ask(desk, "delete_binary", owner, agent_id)

    assert shown(decision.answer)["deleted"] == ["2", models.FIRST_VERSION]
    assert decision.dropped == ("blob2", "blob1")
    assert (listed(desk, owner, agent_id), agent(desk, owner, agent_id)["status"]) == ([], "active")
    assert ask(desk, "get_binary", owner, agent_id).answer.status == 404


def test_of_an_agent_without_binaries_none_is_deleted_and_nothing_is_pushed(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner)
    ask(desk, "delete_binary", owner, agent_id)
    before = agent(desk, owner, agent_id)
    desk.now_ns += SECOND_NS
    decision = ask(desk, "delete_binary", owner, agent_id)

    assert (decision.answer.status, shown(decision.answer)["deleted"]) == (200, [])
    assert (decision.outgoing, agent(desk, owner, agent_id)) == ((), before)


def test_of_two_deletes_of_a_version_the_second_finds_nothing(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner)
    statuses = [ask(desk, "delete_binary", owner, agent_id, models.FIRST_VERSION).answer.status for _ in range(2)]

    assert statuses == [200, 404]


def test_an_upload_to_an_agent_that_was_deleted_meanwhile_is_404_and_leaves_no_row(desk: Desk, owner: Caller) -> None:
    agent_id = registered(desk, owner)
    desk.decide("delete_agent", owner, path={"id": agent_id})
    decision: Any = ask(desk, "upload_binary", owner, agent_id)

    assert decision.answer.status == 404
    assert versions(desk, agent_id) == []
