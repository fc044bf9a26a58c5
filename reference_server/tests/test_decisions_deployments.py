"""Deployments as decisions, over every store (contract §3 deployments, §2 sizes and ownership)."""

from typing import Any

import pytest
from msgspec import convert

from reference_server.contract import limits
from reference_server.contract.models import Deployment, DeploymentList
from reference_server.core.calls import Caller
from reference_server.core.units import SECOND_NS
from reference_server.core.wire import RequestError
from reference_server.tests.desk import Desk, shown

AGENT = "agent_003"


def deployed(desk: Desk, caller: Caller, **body: Any) -> dict[str, Any]:
    answer = desk.decide("deploy", caller, {"agent_id": AGENT} | body).answer
    assert answer.status == 201, answer
    return shown(answer)


def test_a_deployment_is_shown_as_it_was_made(desk: Desk) -> None:
    caller = desk.register()
    made = deployed(desk, caller, environment="production", config='{"replicas": 2, "näme": "ä"}')

    assert convert(made, Deployment).status == "deployed"
    assert (made["agent_id"], made["user_id"]) == (AGENT, caller.account_id)
    assert (made["environment"], made["config"]) == ("production", '{"replicas": 2, "näme": "ä"}')
    assert made["created_at"] == made["updated_at"]
    got = desk.decide("get_deployment", caller, path={"id": made["id"]}).answer
    assert (got.status, shown(got)) == (200, made)


def test_the_environment_is_development_and_the_config_empty_when_left_out(desk: Desk) -> None:
    made = deployed(desk, desk.register())

    assert (made["environment"], made["config"]) == ("development", "{}")


@pytest.mark.parametrize("agent_id", ["agent_016", "AGENT_003", "", "x", "00000000-0000-4000-8000-000000000000"])
def test_deploying_an_unknown_agent_is_404(desk: Desk, agent_id: str) -> None:
    caller = desk.register()
    answer = desk.decide("deploy", caller, {"agent_id": agent_id}).answer

    assert answer.status == 404
    assert shown(desk.decide("list_deployments", caller).answer) == {"deployments": [], "total": 0}


def test_an_agent_that_is_not_active_may_be_deployed(desk: Desk) -> None:
    caller = desk.register()
    desk.change_agent(AGENT, status="inactive")

    assert deployed(desk, caller)["status"] == "deployed"
    assert deployed(desk, caller, agent_id="agent_014")["status"] == "deployed"


DEEP = limits.JSON_DEPTH_MAX
CONFIGS = {
    "object": '{"a": 1}',
    "doubled names": '{"a": 1, "a": 2}',
    "list": "[1, null]",
    "number": " 3 ",
    "text": '"ä"',
    "null": "null",
    "deepest": "[" * DEEP + "]" * DEEP,
    "longest": '"' + "x" * (limits.CONFIG_BYTES_MAX - 2) + '"',
    "longest in two bytes": '"' + "é" * (limits.CONFIG_BYTES_MAX // 2 - 1) + '"',
    "a backslash before u0000": '"\\\\u0000"',
}
NO_CONFIGS = {
    "empty": "",
    "white space": " ",
    "words": "replicas: 2",
    "two values": "{} {}",
    "comma": "[1,]",
    "NaN": "NaN",
    "number over a double": "1e999",
    "escaped NUL": '"\\u0000"',
    "lone surrogate": '"\\ud800"',
    "byte order mark": "\ufeff{}",
    "control character": '"\n"',
    "too deep": "[" * (DEEP + 1) + "]" * (DEEP + 1),
    "very deep": "[" * 16_000,
    "too long": '"' + "x" * (limits.CONFIG_BYTES_MAX - 1) + '"',
    "too long in bytes alone": '"' + "é" * (limits.CONFIG_BYTES_MAX // 2) + '"',
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_config_is_kept_as_the_text_it_was(config: str) -> None:
    desk = Desk()
    caller = desk.register()
    made = deployed(desk, caller, config=config)

    assert shown(desk.decide("get_deployment", caller, path={"id": made["id"]}).answer)["config"] == config


@pytest.mark.parametrize("config", NO_CONFIGS.values(), ids=NO_CONFIGS)
def test_a_config_that_is_no_json_text_of_ours_is_400_and_named(config: str) -> None:
    desk = Desk()
    caller = desk.register()
    with pytest.raises(RequestError) as caught:
        desk.decide("deploy", caller, {"agent_id": AGENT, "config": config})

    assert [fault.field for fault in caught.value.faults] == ["config"]
    assert caught.value.message.startswith("config ")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no agent": ({}, "agent_id"),
    "agent of another type": ({"agent_id": 3}, "agent_id"),
    "unknown environment": ({"agent_id": AGENT, "environment": "test"}, "environment"),
    "null environment": ({"agent_id": AGENT, "environment": None}, "environment"),
    "config that is an object": ({"agent_id": AGENT, "config": {}}, "config"),
    "null config": ({"agent_id": AGENT, "config": None}, "config"),
}


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG)
def test_a_wrong_field_of_a_deployment_is_400_and_named(body: dict[str, Any], field: str) -> None:
    desk = Desk()
    caller = desk.register()
    with pytest.raises(RequestError) as caught:
        desk.decide("deploy", caller, body)

    assert [fault.field for fault in caught.value.faults] == [field]


def test_own_deployments_are_listed_newest_first_also_those_of_one_instant(desk: Desk) -> None:
    caller, other = desk.register("a@b.c"), desk.register("x@b.c")
    made = [deployed(desk, caller, config=str(number)) for number in range(3)]
    deployed(desk, other)
    desk.now_ns += SECOND_NS
    made.append(deployed(desk, caller))

    listed = shown(desk.decide("list_deployments", caller).answer)
    assert convert(listed, DeploymentList).total == 4
    assert listed["deployments"] == made[::-1]


def test_stopping_is_repeatable_and_the_second_time_changes_nothing(desk: Desk) -> None:
    caller = desk.register()
    made = deployed(desk, caller)
    desk.now_ns += SECOND_NS
    first = desk.decide("stop_deployment", caller, path={"id": made["id"]}).answer
    desk.now_ns += SECOND_NS
    second = desk.decide("stop_deployment", caller, path={"id": made["id"]}).answer

    stopped = shown(first)
    assert (first.status, second.status, shown(second)) == (200, 200, stopped)
    assert stopped["updated_at"] > made["updated_at"]
    assert stopped == made | {"status": "stopped", "updated_at": stopped["updated_at"]}
    assert shown(desk.decide("get_deployment", caller, path={"id": made["id"]}).answer) == stopped


@pytest.mark.parametrize("name", ["get_deployment", "stop_deployment"])
def test_anothers_an_unknown_and_a_malformed_deployment_are_404_and_stay_as_they_are(desk: Desk, name: str) -> None:
    owner, other = desk.register("a@b.c"), desk.register("x@b.c")
    made = deployed(desk, owner)
    ids = [made["id"], made["id"].upper(), other.account_id, "x", ""]

    assert {desk.decide(name, other, path={"id": id_}).answer.status for id_ in ids} == {404}
    assert shown(desk.decide("get_deployment", owner, path={"id": made["id"]}).answer) == made
    assert shown(desk.decide("list_deployments", other).answer)["total"] == 0


def test_a_deployment_pushes_nothing(desk: Desk) -> None:
    caller = desk.register()
    made = deployed(desk, caller)
    desk.decide("stop_deployment", caller, path={"id": made["id"]})

    assert desk.outgoing == []
