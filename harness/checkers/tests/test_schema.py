"""Tables for the shape of messages and the welcome."""

from typing import Any

import pytest

from harness.checkers.schema import NUMBERED, SCHEMA, WELCOME, Schema
from harness.checkers.tests.histories import ANN, TASK, History, stamp, status, verdict, welcome
from harness.verdicts import Status

PUSH = {"task_id": TASK, "status": "queued", "query": "q"}


def read(message: Any, **more: Any) -> History:
    return History().connect("c1").add("received", connection="c1", message=message, **more)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"type": "task_update", "timestamp": stamp(1), "data": PUSH, "user_id": ANN}, Status.HOLDS),
        ({"type": "task_update", "timestamp": stamp(1), "data": {**PUSH, "more": 1}, "more": 1}, Status.HOLDS),
        ({"type": "novelty", "timestamp": stamp(1), "data": {}}, Status.HOLDS),
        ({"type": "task_update", "timestamp": stamp(1), "data": {**PUSH, "status": "lost"}}, Status.VIOLATED),
        ({"type": "task_update", "timestamp": stamp(1), "data": {"task_id": TASK}}, Status.VIOLATED),
        ({"type": "system", "timestamp": "2026-01-01T00:00:00Z", "data": welcome()}, Status.VIOLATED),
        ({"type": "system", "timestamp": stamp(1)}, Status.VIOLATED),
        ({"type": "pong", "timestamp": stamp(1), "data": {}, "user_id": ANN}, Status.VIOLATED),
        (None, Status.VIOLATED),
        ([1], Status.VIOLATED),
    ],
)
def test_a_message_has_the_shape_of_its_type(message: Any, expected: Status) -> None:
    assert status(Schema(), read(message), SCHEMA) is expected


def test_a_message_over_64_kib_or_a_binary_one_is_violated() -> None:
    message = {"type": "system", "timestamp": stamp(1), "data": welcome()}
    assert status(Schema(), read(message, bytes=70_000), SCHEMA) is Status.VIOLATED
    binary = History().connect("c1").add("frame", connection="c1", opcode="binary", bytes=3)
    assert status(Schema(), binary, SCHEMA) is Status.VIOLATED


def test_nothing_read_is_unknown() -> None:
    history = History().add("connecting", connection="c1")
    assert {status(Schema(), history, clause) for clause in (SCHEMA, WELCOME)} == {Status.UNKNOWN}


def test_the_welcome_comes_first_with_an_id_of_its_own() -> None:
    alone = History().connect("c1")
    assert status(Schema(), alone, WELCOME) is Status.HOLDS
    assert status(Schema(), History().connect("c1").connect("c2"), WELCOME) is Status.VIOLATED


@pytest.mark.parametrize("lacking", ["client_id", "server_time"])
def test_a_welcome_without_its_fields_is_violated(lacking: str) -> None:
    data = {name: value for name, value in welcome().items() if name != lacking}
    history = History().add("connecting", connection="c1").receive("c1", "system", data)
    assert status(Schema(), history, WELCOME) is Status.VIOLATED


def test_another_message_before_the_welcome_is_violated() -> None:
    history = History().add("connecting", connection="c1").push("c1", "queued", 1)
    assert status(Schema(), history, WELCOME) is Status.VIOLATED


def test_an_update_that_the_server_sends_by_itself_names_its_account() -> None:
    message = {"type": "task_update", "timestamp": stamp(1), "data": {**PUSH, "revision": 1}}
    assert status(Schema(), read(message), SCHEMA) is Status.VIOLATED
    assert status(Schema(), read({**message, "user_id": ANN}), SCHEMA) is Status.HOLDS
    published = History().call("ws_broadcast", 200, {}, body={"type": "task_update", "data": message["data"]})
    published.connect("c1").add("received", connection="c1", message=message)
    assert status(Schema(), published, SCHEMA) is Status.HOLDS


def test_an_update_that_the_server_sends_by_itself_tells_a_revision() -> None:
    def pushed(revision: int | None) -> History:
        return History().connect("c1").push("c1", "queued", revision)

    assert status(Schema(), pushed(1), NUMBERED) is Status.HOLDS
    assert status(Schema(), pushed(None), NUMBERED) is Status.VIOLATED
    assert status(Schema(), pushed(None), NUMBERED, local=False) is Status.UNKNOWN
    assert status(Schema(), pushed(1).push("c1", "running"), NUMBERED, local=False) is Status.VIOLATED


def test_a_message_that_was_too_large_to_be_read_is_too_large() -> None:
    history = History().connect("c1").add("frame", connection="c1", opcode="text", bytes=1 << 40, message_bytes=1 << 40)
    found = verdict(Schema(), history, SCHEMA)
    assert found.status is Status.VIOLATED
    assert f"{1 << 40} bytes or more, 65536 at most" in found.why
