"""Tables for who must get what."""

import pytest

from harness.checkers.delivery import HONEST, JOIN, PUSH, Delivery
from harness.checkers.tests.histories import ANN, BOB, TASK, History, status, task
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
SAID = {"message": "hello", "level": "info"}


def people() -> History:
    history = History().add("person", name="ann", account_id=ANN, role="user")
    return history.add("person", name="bob", account_id=BOB, role="user")


def submitted(history: History) -> History:
    return history.call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body={"query": "q", "budget": 1})


def test_every_push_reaches_every_open_connection_once() -> None:
    history = submitted(people().connect("c1").connect("c2"))
    for connection in ("c1", "c2"):
        history.push(connection, "queued", 1).push(connection, "completed", 4)
    assert status(Delivery(), history.add("note", 6000), PUSH) is HOLDS


@pytest.mark.parametrize(("until_ms", "expected"), [(6000, VIOLATED), (3000, UNKNOWN)])
def test_a_push_that_only_the_sibling_got_is_missed_once_it_is_due(until_ms: int, expected: Status) -> None:
    history = submitted(people().connect("c1").connect("c2"))
    history.push("c1", "queued", 1).push("c2", "queued", 1).push("c1", "completed", 4)
    found = status(Delivery(), history.add("note", until_ms), PUSH)
    assert found is (VIOLATED if expected is VIOLATED else HOLDS)


def test_a_final_state_that_rest_shows_must_be_pushed() -> None:
    history = submitted(people().connect("c1")).push("c1", "queued", 1)
    history.call("get_task", 200, task("completed", 4)).add("note", 6000)
    assert status(Delivery(), history, PUSH) is VIOLATED


def test_a_doubled_push_is_violated() -> None:
    history = submitted(people().connect("c1")).push("c1", "queued", 1).push("c1", "queued", 1)
    assert status(Delivery(), history.add("note", 6000), PUSH) is VIOLATED


def test_another_account_or_a_connection_that_was_cut_is_owed_nothing() -> None:
    history = submitted(people().connect("c1", account=BOB).connect("c2"))
    history.add("closed", connection="c2", code=1006, by="self").add("note", 6000)
    assert status(Delivery(), history, PUSH) is UNKNOWN


def test_nothing_is_due_while_a_fault_is_active() -> None:
    history = people().connect("c1").add("fault", name="delay", action="inject")
    assert status(Delivery(), submitted(history).add("note", 6000), PUSH) is UNKNOWN


def test_what_was_answered_before_the_handshake_does_not_come() -> None:
    early = submitted(people()).connect("c1")
    assert status(Delivery(), early.push("c1", "queued", 1), JOIN) is VIOLATED
    retried = submitted(people()).connect("c1").push("c1", "queued", 5)
    assert status(Delivery(), retried, JOIN) is UNKNOWN


def test_what_is_invoked_after_the_welcome_comes() -> None:
    assert status(Delivery(), submitted(people().connect("c1")).push("c1", "queued", 1), JOIN) is HOLDS
    assert status(Delivery(), submitted(people().connect("c1")).add("note", 6000), JOIN) is VIOLATED


@pytest.mark.parametrize(
    ("answer", "received", "expected"),
    [(200, 1, HOLDS), (200, 0, VIOLATED), (400, 0, HOLDS), (503, 1, VIOLATED), (500, 0, UNKNOWN), (0, 1, UNKNOWN)],
)
def test_a_publish_keeps_what_its_answer_says(answer: int, received: int, expected: Status) -> None:
    history = people().connect("c1").call("ws_broadcast", answer, {}, body={"type": "system", "data": SAID})
    for _ in range(received):
        history.receive("c1", "system", SAID)
    assert status(Delivery(), history.add("note", 6000), HONEST) is expected


def test_a_message_sent_to_another_account_is_not_owed() -> None:
    body = {"type": "system", "data": SAID, "user_id": BOB}
    history = people().connect("c1").call("ws_send", 200, {}, body=body).add("note", 6000)
    assert status(Delivery(), history, HONEST) is UNKNOWN


def test_a_push_that_a_later_one_overtook_is_missed_at_once() -> None:
    history = submitted(people().connect("c1").connect("c2"))
    history.push("c1", "queued", 1).push("c1", "running", 3).push("c1", "completed", 4)
    history.push("c2", "queued", 1).push("c2", "completed", 4)
    assert status(Delivery(), history, PUSH) is VIOLATED
