"""What is mended before it is sent, and what proves a promise kept."""

import json
from typing import Any

import pytest

from harness.fuzzing.rules import (
    CONTENTS,
    HANDSHAKE,
    LOANS,
    PROMISES,
    RULES,
    Known,
    Proof,
    loan_to,
    mend_handshake,
)
from reference_server.contract.operations import BY_NAME, OPERATIONS

LEAST = {"email": "a@b.c", "full_name": "A"}


def mended(operation: str, body: Any) -> Any:
    for rule in RULES:
        body = rule.mend(operation, body)
    return body


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("register", {**LEAST, "password": "12345678"}),
        ("register", {**LEAST, "password": "ä" * 36}),
        ("login", {"email": "", "password": "x"}),
        ("deploy", {"agent_id": "a", "config": '{"a": [1, 2.5, null]}'}),
        ("submit_task", {"query": "q", "budget": 1.5, "constraints": {"a": [True, None, "ä", 10**300]}}),
        ("logout", {"all": False}),
    ],
)
def test_a_body_that_the_server_takes_stays_as_it_was_drawn(operation: str, body: Any) -> None:
    assert mended(operation, body) == body


@pytest.mark.parametrize("password", ["", "1234567", "ä" * 37, "\U0001f600" * 19, "a" * 73])
def test_a_password_gets_a_number_of_bytes_that_fits(password: str) -> None:
    found = mended("register", {**LEAST, "password": password})["password"]

    assert 8 <= len(found.encode()) <= 72


@pytest.mark.parametrize("config", ["", "{", "NaN", "[1,]", "[" * 5000, "x" * 20_000])
def test_a_config_becomes_json_text_that_fits(config: str) -> None:
    found = mended("deploy", {"agent_id": "a", "config": config})["config"]

    json.loads(found)
    assert len(found.encode()) <= 16 * 1024


def test_nul_and_numbers_of_no_double_are_taken_out_wherever_they_stand() -> None:
    body = {"a\0": ["\0", 10**400, {"b": float("inf")}], "c": True}

    assert mended("ws_broadcast", body) == {"a": ["", 1, {"b": 1}], "c": True}


def test_only_a_handshake_that_would_succeed_lacks_its_connection() -> None:
    asked = {"Connection": "Upgrade", "Sec-WebSocket-Version": " 13"}

    assert mend_handshake(asked) == {"Sec-WebSocket-Version": " 13"}
    assert mend_handshake(asked | {"Sec-WebSocket-Version": "8"}) == asked | {"Sec-WebSocket-Version": "8"}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
def test_a_file_is_long_enough_and_ends_in_what_was_drawn(content: Any) -> None:
    found = content.made_of("drawn")

    assert found.startswith(content.heads)
    assert found.endswith("drawn")
    assert len(found.encode()) >= content.bytes_min


def test_every_file_of_a_form_is_made_by_its_content() -> None:
    assert {operation.file.name for operation in OPERATIONS if operation.file} == set(CONTENTS)


def test_every_other_case_is_lent_what_exists() -> None:
    lent = [loan_to("get_avatar", number) for number in range(100)]

    assert 30 < sum(loan is not None for loan in lent) < 70
    assert {loan_to("health", number) for number in range(100)} == {None}


def test_what_is_lent_is_what_exists_and_a_spare_agent_only_once() -> None:
    known = Known("avatar", "account", {"email": "a@b.c", "password": "x"}, "own", "kept", ["spare"])
    loans = {name: loan for loan in LOANS for name in loan.operations}

    assert loans["get_avatar"].path(known) == {"id": "avatar"}
    assert loans["put_binary"].path(known) == {"id": "own"}
    assert loans["get_binary"].path(known) == {"id": "kept"}
    assert [loans["delete_agent"].path(known) for _ in range(2)] == [{"id": "spare"}, None]
    assert loans["login"].body(known) == {"email": "a@b.c", "password": "x"}
    assert loans["ws_send"].body(known) == {"user_id": "account"}
    assert loans["ws_send"].path(known) is None


def test_rules_speak_of_operations_that_exist_and_loans_of_each_once() -> None:
    lent = [name for loan in LOANS for name in loan.operations]

    assert {name for promise in PROMISES for name in promise.operations} | {*lent, HANDSHAKE} <= set(BY_NAME)
    assert len(lent) == len(set(lent))


AGENT = {
    "id": "agent_001", "name": "DataWeaver", "description": "Weaves.", "capabilities": ["etl"], "status": "active",
    "price": 0.02, "tasks_completed": 1, "rating": 4.9, "created_at": "2026-01-01T00:00:00.000000Z",
    "updated_at": "2026-01-01T00:00:00.000000Z", "owner_id": None,
}  # fmt: skip
VERSIONS: dict[str, Any] = {"agent_id": "agent_001", "versions": [], "total": 0}


@pytest.mark.parametrize(
    ("check", "operation", "proof", "kept"),
    [
        ("negative_data_rejection", "ws_connect", Proof(426, None, {}), True),
        ("negative_data_rejection", "ws_connect", Proof(200, None, {}), False),
        ("positive_data_acceptance", "get_task_result", Proof(400, {"error": "task not completed"}, {}), True),
        ("positive_data_acceptance", "get_task_result", Proof(400, {"error": "bad request"}, {}), False),
        ("use_after_free", "get_task", Proof(200, {"status": "canceled"}, {}), True),
        ("use_after_free", "get_task", Proof(200, {"status": "running"}, {}), False),
        ("use_after_free", "get_binary", Proof(200, None, {}, frozenset({"1"})), True),
        ("use_after_free", "get_binary", Proof(200, None, {"version": "2"}, frozenset({"1"})), True),
        ("use_after_free", "get_binary", Proof(200, None, {"version": "1"}, frozenset({"1"})), False),
        ("object_level_authorization", "get_agent", Proof(200, AGENT, {}), True),
        ("object_level_authorization", "get_agent", Proof(200, {**AGENT, "owner_email": "a@b.c"}, {}), False),
        ("object_level_authorization", "list_versions", Proof(200, VERSIONS, {}), True),
        ("object_level_authorization", "list_versions", Proof(200, {}, {}), False),
        ("object_level_authorization", "list_versions", Proof(403, VERSIONS, {}), False),
    ],
)
def test_a_promise_is_kept_only_by_an_answer_that_proves_it(
    check: str, operation: str, proof: Proof, kept: bool
) -> None:
    (promise,) = [one for one in PROMISES if one.check == check and operation in one.operations]

    assert promise.kept(proof) is kept
