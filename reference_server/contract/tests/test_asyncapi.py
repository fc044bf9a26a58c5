"""The AsyncAPI document: valid by the specification's own schema, and what the tables say."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reference_server.contract.codes import CLOSE_MEANINGS, NO_RECONNECT_CODES, CloseCode
from reference_server.contract.export.asyncapi import asyncapi
from reference_server.contract.messages import DATA_MODELS, SOCKET_PATH

SPECIFICATION = Path(__file__).parent / "data" / "asyncapi-3.0.0.json"
DOCUMENT = asyncapi()
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]


def payload_validator(name: str) -> jsonschema.Draft202012Validator:
    """Return what judges a message of this name, as a reader of the document would."""
    return jsonschema.Draft202012Validator({**MESSAGES[name]["payload"], "components": DOCUMENT["components"]})


def envelope(type_: str, data: Any, **more: Any) -> dict[str, Any]:
    return {"type": type_, "timestamp": "2026-01-01T00:00:00.000001Z", "data": data, **more}


def resolved(reference: str) -> Any:
    place: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        place = place[step]
    return place


def references(value: Any) -> set[str]:
    match value:
        case dict():
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(one) for one in value.values()))
        case list():
            return set().union(*(references(one) for one in value))
        case _:
            return set()


def test_the_document_is_valid_asyncapi() -> None:
    specification = json.loads(SPECIFICATION.read_text(encoding="utf-8"))

    jsonschema.Draft7Validator(specification).validate(DOCUMENT)


def test_the_specification_refuses_what_is_none() -> None:
    specification = json.loads(SPECIFICATION.read_text(encoding="utf-8"))

    assert not jsonschema.Draft7Validator(specification).is_valid({**DOCUMENT, "channels": {"hub": {"messages": []}}})


def test_every_reference_leads_somewhere() -> None:
    assert [reference for reference in references(DOCUMENT) if not resolved(reference)] == []


def test_there_is_one_channel_with_every_message_and_every_close_code() -> None:
    (channel,) = DOCUMENT["channels"].values()

    assert channel["address"] == SOCKET_PATH
    assert set(channel["messages"]) == {*DATA_MODELS, "welcome", "ping"}
    assert {one["code"] for one in channel["x-close-codes"]} == set(CloseCode) == set(CLOSE_MEANINGS)
    assert {one["code"] for one in channel["x-close-codes"] if not one["reconnect"]} == NO_RECONNECT_CODES


def test_the_server_sends_all_but_the_ping_which_it_answers() -> None:
    operations = DOCUMENT["operations"]

    assert {name for name, one in operations.items() if one["action"] == "receive"} == {"receive_ping"}
    assert operations["receive_ping"]["reply"]["messages"] == [{"$ref": "#/channels/hub/messages/pong"}]
    assert {name for name, one in operations.items() if one["action"] == "send"} == {
        f"send_{name}" for name in ("welcome", "system", "task_update", "agent_update")
    }


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_has_examples_that_fit_its_payload(name: str) -> None:
    examples = MESSAGES[name]["examples"]

    assert examples
    assert [one["summary"] for one in examples if not payload_validator(name).is_valid(one["payload"])] == []


SYSTEM = {"message": "x", "level": "info"}
WELCOME = {**SYSTEM, "client_id": "c", "server_time": "2026-01-01T00:00:00.000001Z"}


@pytest.mark.parametrize(
    ("name", "message", "fits"),
    [
        ("system", envelope("system", SYSTEM, user_id="u"), True),
        ("system", envelope("pong", SYSTEM), False),
        ("system", envelope("system", {}), False),
        ("welcome", envelope("system", WELCOME), True),
        ("welcome", envelope("system", SYSTEM), False),
        ("welcome", envelope("system", WELCOME, user_id="u"), False),
        ("pong", envelope("pong", {}), True),
        ("pong", envelope("pong", {}, user_id="u"), False),
        ("task_update", envelope("task_update", {"task_id": "t", "status": "done", "query": "q"}), False),
    ],
)
def test_a_payload_is_judged_with_its_envelope(name: str, message: Any, fits: bool) -> None:
    assert payload_validator(name).is_valid(message) is fits
