"""Tables for the pushes of agents."""

from typing import Any

import pytest

from harness.checkers.fleet import PUSHED, QUIET, Fleet
from harness.checkers.tests.histories import ANN, BOB, OTHER, History, status
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
PATH = f"/api/v1/agents/{OTHER}"
MADE = {"agent_id": OTHER, "name": "Mender", "status": "registered"}


def changed(history: History, action: str = "registered", code: int = 0) -> History:
    operation, success = {
        "registered": ("register_agent", 201),
        "updated": ("update_agent", 200),
        "deleted": ("delete_agent", 200),
    }[action]
    path = "/api/v1/agents/register" if action == "registered" else PATH
    return history.call(operation, code or success, MADE, path=path)


def told(history: History, connection: str, action: str = "registered", agent: str = OTHER) -> History:
    return history.receive(connection, "agent_update", {"agent_id": agent, "name": "Mender", "action": action})


def left(history: History, at_ms: int | None = None, *connections: str) -> History:
    for connection in connections or ("c1", "c2"):
        history.add("closed", at_ms, connection=connection, code=1000, by="self")
    return history


def open_pair() -> History:
    return History().connect("c1", ANN).connect("c2", BOB)


@pytest.mark.parametrize(
    ("readers", "until_ms", "expected"),
    [
        (("c1", "c2"), None, HOLDS),
        (("c1", "c2", "c2"), None, VIOLATED),
        (("c1",), None, HOLDS),
        (("c1",), 9000, VIOLATED),
        ((), None, UNKNOWN),
        ((), 9000, VIOLATED),
    ],
)
def test_a_change_reaches_everyone_once(readers: tuple[str, ...], until_ms: int | None, expected: Status) -> None:
    history = changed(open_pair())
    for reader in readers:
        told(history, reader)
    assert status(Fleet(), left(history, until_ms), PUSHED) is expected


def test_a_push_of_a_change_whose_answer_was_cut_off_accuses_nobody() -> None:
    history = changed(open_pair(), "updated")
    history.add("invoke", op=77, operation="update_agent", method="PUT", path=PATH)
    told(told(history, "c1", "updated"), "c1", "updated")

    assert status(Fleet(), history, PUSHED) is UNKNOWN


def test_a_push_that_a_later_change_overtook_is_missed_at_once() -> None:
    history = changed(changed(open_pair()), "deleted")
    assert status(Fleet(), left(told(told(history, "c1"), "c1", "deleted"), None, "c1"), PUSHED) is HOLDS
    history = changed(changed(open_pair()), "deleted")
    assert status(Fleet(), left(told(history, "c1", "deleted"), None, "c1"), PUSHED) is VIOLATED


def test_a_refused_change_and_one_of_before_the_handshake_push_nothing() -> None:
    assert status(Fleet(), left(changed(open_pair(), "updated", 403), 9000), PUSHED) is UNKNOWN
    before = changed(History()).connect("c1", ANN)
    assert status(Fleet(), left(before, 9000, "c1"), PUSHED) is UNKNOWN
    before = told(changed(History()).connect("c1", ANN), "c1")
    assert status(Fleet(), left(before, None, "c1"), PUSHED) is VIOLATED


def test_what_was_not_answered_may_have_been_done_or_not() -> None:
    history = told(changed(open_pair(), "updated", 500), "c1", "updated")
    assert status(Fleet(), left(history, 9000), PUSHED) is UNKNOWN


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (None, HOLDS),
        ({"agent_id": "agent_001", "name": "DataWeaver", "action": "updated"}, VIOLATED),
        ({"agent_id": OTHER, "name": "Mender", "action": "registered"}, HOLDS),
    ],
)
def test_a_completed_task_pushes_no_agent(extra: dict[str, Any] | None, expected: Status) -> None:
    history = changed(open_pair()).push("c1", "completed", 4)
    if extra is not None:
        history.receive("c1", "agent_update", extra)
    assert status(Fleet(), left(history), QUIET) is expected


def test_a_published_agent_update_is_not_looked_at() -> None:
    data = {"agent_id": "agent_001", "name": "DataWeaver", "action": "updated"}
    history = open_pair().push("c1", "completed", 4)
    history.call("ws_broadcast", 200, {"message": "m", "recipients": 2}, body={"type": "agent_update", "data": data})
    assert status(Fleet(), left(history.receive("c1", "agent_update", data)), QUIET) is HOLDS
