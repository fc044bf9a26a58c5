"""Tables for who may read what."""

from hypothesis import given
from hypothesis import strategies as st

from harness.checkers.isolation import ISOLATION, Isolation
from harness.checkers.tests.histories import ANN, BOB, TASK, History, status
from harness.verdicts import Status


def start() -> History:
    history = History().add("person", name="ann", account_id=ANN, role="user")
    return history.add("person", name="bob", account_id=BOB, role="user")


def test_own_messages_hold() -> None:
    assert status(Isolation(), start().connect("c1").push("c1", "queued", 1), ISOLATION) is Status.HOLDS


def test_a_message_that_names_another_account_is_violated() -> None:
    history = start().connect("c1", account="bob").push("c1", "queued", 1, owner=ANN)
    assert status(Isolation(), history, ISOLATION) is Status.VIOLATED


def test_a_foreign_task_is_violated_even_without_user_id_and_before_the_answer_tells() -> None:
    history = start().connect("c1", account=BOB)
    history.add("invoke", op=90, operation="submit_task", account="ann")
    history.push("c1", "queued", 1, owner=None)
    history.add("ok", op=90, account="ann", status=202, body={"task_id": TASK, "status": "queued"})
    assert status(Isolation(), history, ISOLATION) is Status.VIOLATED


def test_a_task_update_of_a_broadcast_is_for_everyone() -> None:
    data = {"task_id": TASK, "status": "queued", "query": "q"}
    history = start().connect("c1", account=BOB)
    history.call("submit_task", 202, {"task_id": TASK, "status": "queued"})
    history.call("ws_broadcast", 200, {"recipients": 1}, body={"type": "task_update", "data": data})
    history.receive("c1", "task_update", data)
    assert status(Isolation(), history, ISOLATION) is Status.HOLDS


def test_what_was_sent_to_one_account_is_violated_on_anothers_connection() -> None:
    data = {"message": "psst", "level": "info"}
    history = start().connect("c1", account=BOB)
    history.call("ws_send", 200, {"recipients": 1}, body={"user_id": ANN, "type": "system", "data": data})
    history.receive("c1", "system", data)
    assert status(Isolation(), history, ISOLATION) is Status.VIOLATED


def test_the_tap_tells_the_audience() -> None:
    def tapped(audience: str) -> History:
        history = start().connect("c1")
        history.add("accepted", recorder="server", seq=1, audience=audience, type="system", digest="d")
        return history.receive("c1", "system", {"message": "m", "level": "info"}, digest="d")

    assert status(Isolation(), tapped("everyone"), ISOLATION, has_tap=True) is Status.HOLDS
    assert status(Isolation(), tapped(BOB), ISOLATION, has_tap=True) is Status.VIOLATED


def test_a_connection_of_an_unknown_account_is_undecidable() -> None:
    history = start().connect("c1", account="stranger").push("c1", "queued", 1)
    assert status(Isolation(), history, ISOLATION) is Status.UNKNOWN


@given(st.lists(st.sampled_from([ANN, BOB]), min_size=1, max_size=8), st.booleans())
def test_a_foreign_push_among_own_ones_is_always_found(readers: list[str], leak: bool) -> None:
    history = start().connect(f"c{ANN[0]}", account=ANN).connect(f"c{BOB[0]}", account=BOB)
    for number, reader in enumerate(readers):
        last = leak and number == len(readers) - 1
        owner = (BOB if reader == ANN else ANN) if last else reader
        history.push(f"c{reader[0]}", "queued", 1, task=f"{number}{TASK[1:]}", owner=owner)
    assert status(Isolation(), history, ISOLATION) is (Status.VIOLATED if leak else Status.HOLDS)
