"""Tables for delivery on one connection, and mutations of valid histories that must be caught."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers.prefix import AGREE, GAP, ORDER, REPEAT, TIME, Prefix
from harness.checkers.tests.histories import ANN, BOB, OTHER, TASK, History, stamp, status, verdict
from harness.history import Event
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
RUN = (("queued", 1), ("running", 3), ("completed", 4))


def people(history: History) -> History:
    history.add("person", name="ann", account_id=ANN, role="user")
    return history.add("person", name="bob", account_id=BOB, role="user")


def one_task(*steps: tuple[str, int | None]) -> History:
    history = people(History()).connect("c1")
    for state, revision in steps:
        history.push("c1", state, revision)
    return history


def tapped(received: str, accepted: str = "abcd", owners: str = "") -> History:
    history = people(History()).connect("c1")
    for seq, digest in enumerate(accepted):
        audience = BOB if digest in owners else ANN
        history.add("accepted", recorder="server", seq=seq, audience=audience, type="system", digest=digest)
    for digest in received:
        history.receive("c1", "system", {"message": digest, "level": "info"}, digest=digest)
    return history


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (RUN, HOLDS),
        ((("queued", 1), ("assigned", 2), ("running", 3), ("completed", 4)), HOLDS),
        ((("queued", None), ("running", None), ("completed", None)), HOLDS),
        ((("queued", 1), ("failed", 2)), HOLDS),
        ((("queued", 1), ("completed", 4)), VIOLATED),
        ((("queued", None), ("completed", None)), VIOLATED),
        ((("running", 3), ("running", 6)), VIOLATED),
        ((("running", 3), ("queued", 1)), VIOLATED),
        ((("queued", 1), ("completed", 2)), UNKNOWN),
        ((("queued", 1),), UNKNOWN),
    ],
)
def test_a_gap_in_one_task_is_judged_by_states_and_revisions(steps: Any, expected: Status) -> None:
    assert status(Prefix(), one_task(*steps), GAP) is expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (RUN, HOLDS),
        ((("queued", 1), ("queued", 1)), VIOLATED),
        ((("completed", None), ("completed", None)), VIOLATED),
        ((("running", None), ("queued", None), ("running", None)), UNKNOWN),
    ],
)
def test_a_repeat_is_judged_where_a_message_can_come_once_only(steps: Any, expected: Status) -> None:
    assert status(Prefix(), one_task(*steps), REPEAT) is expected


def test_a_publish_may_come_as_often_as_it_was_published() -> None:
    def published(times: int) -> History:
        said = {"message": "hello", "level": "info"}
        history = people(History()).connect("c1")
        history.call("ws_broadcast", 200, {"recipients": 1}, body={"type": "system", "data": said})
        for _ in range(times):
            history.receive("c1", "system", said)
        return history

    assert status(Prefix(), published(1), REPEAT) is HOLDS
    assert status(Prefix(), published(2), REPEAT) is VIOLATED


@pytest.mark.parametrize(
    ("received", "gap", "order", "repeat"),
    [
        ("abcd", HOLDS, HOLDS, UNKNOWN),
        ("bc", HOLDS, HOLDS, UNKNOWN),
        ("abd", VIOLATED, HOLDS, UNKNOWN),
        ("abdc", HOLDS, VIOLATED, UNKNOWN),
        ("abbc", HOLDS, HOLDS, VIOLATED),
        ("a", HOLDS, UNKNOWN, UNKNOWN),
        ("xy", UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_the_tap_decides_gap_order_and_repeat(received: str, gap: Status, order: Status, repeat: Status) -> None:
    history = tapped(received)
    found = [status(Prefix(), history, clause, has_tap=True) for clause in (GAP, ORDER, REPEAT)]
    assert found == [gap, order, repeat]


def test_what_was_accepted_for_others_is_no_gap() -> None:
    assert status(Prefix(), tapped("abd", owners="c"), GAP, has_tap=True) is HOLDS


def siblings(first: str, second: str, account: str = ANN) -> History:
    history = people(History()).connect("c1").connect("c2", account=account)
    for connection, letters in (("c1", first), ("c2", second)):
        for letter in letters:
            data = {"message": letter, "level": "info"}
            history.receive(connection, "system", data, timestamp=stamp(ord(letter)))
    return history


@pytest.mark.parametrize(
    ("first", "second", "gap", "order"),
    [
        ("abcd", "abcd", HOLDS, HOLDS),
        ("abcd", "bc", HOLDS, HOLDS),
        ("abcd", "acd", VIOLATED, HOLDS),
        ("abcd", "acbd", HOLDS, VIOLATED),
        ("ab", "cd", UNKNOWN, UNKNOWN),
    ],
)
def test_siblings_show_gaps_and_agree_on_the_order(first: str, second: str, gap: Status, order: Status) -> None:
    history = siblings(first, second)
    assert (status(Prefix(), history, GAP), status(Prefix(), history, AGREE)) == (gap, order)


def test_what_is_for_another_account_is_not_missed() -> None:
    history = people(History()).connect("c1").connect("c2", account=BOB)
    for connection in ("c1", "c2"):
        history.receive(connection, "system", {"message": "a", "level": "info"}, timestamp=stamp(1))
        if connection == "c1":
            history.push("c1", "queued", 1, timestamp=stamp(2))
        history.receive(connection, "system", {"message": "b", "level": "info"}, timestamp=stamp(3))
    assert status(Prefix(), history, GAP) is HOLDS


def test_timestamps_of_a_connection_do_not_go_back() -> None:
    back = people(History()).connect("c1").push("c1", "queued", 1, timestamp="2025-12-31T23:59:59.0Z")
    strange = people(History()).connect("c1").push("c1", "queued", 1, timestamp="soon")
    assert status(Prefix(), one_task(*RUN), TIME) is HOLDS
    assert status(Prefix(), back, TIME) is VIOLATED
    assert status(Prefix(), strange, TIME) is UNKNOWN


def test_a_violation_carries_evidence_faults_and_replay() -> None:
    history = people(History()).connect("c1").add("fault", name="delay", action="inject")
    history.push("c1", "queued", 1).push("c1", "completed", 4)
    (violation,) = verdict(Prefix(), history, GAP, replay="harness replay x.json").violations
    assert violation.evidence == ("client#6", "client#7")
    assert (violation.faults, violation.replay) == (("delay",), "harness replay x.json")


def renumbered(events: list[Event]) -> list[Event]:
    """Give events new places in their order, as if they had been recorded so."""
    return [
        Event(event.recorder, place, place * 1_000_000, event.kind, event.op, event.connection, event.account, None,
              event.data)
        for place, event in enumerate(events)
    ]  # fmt: skip


@st.composite
def two_lines(draw: st.DrawFn) -> list[Event]:
    """Draw a valid history: two connections of one account read the same pushes, interleaved in any way."""
    tasks = draw(st.integers(1, 4))
    steps = [(task, *step) for task in range(tasks) for step in RUN]
    order = draw(st.permutations(steps).map(lambda drawn: sorted(drawn, key=lambda step: step[2])))
    history = people(History()).connect("c1").connect("c2")
    for connection in ("c1", "c2"):
        for place, (task, state, revision) in enumerate(order):
            name = f"{task}{TASK[1:]}"
            history.push(connection, state, revision, task=name, timestamp=stamp(1000 + place))
    return history.events


@given(two_lines())
@settings(max_examples=25, deadline=None)
def test_a_valid_history_is_never_accused(events: list[Event]) -> None:
    for clause in (GAP, REPEAT, AGREE, TIME):
        assert status(Prefix(), renumbered(events), clause) is HOLDS


@given(two_lines(), st.data())
@settings(max_examples=25, deadline=None)
def test_a_dropped_push_is_a_gap(events: list[Event], data: st.DataObject) -> None:
    own = [event for event in events if event.connection == "c2" and event.kind == "received"]
    victim = data.draw(st.sampled_from(own[2:-1]) if len(own) > 3 else st.just(own[2]))
    kept = renumbered([event for event in events if event is not victim])
    assert status(Prefix(), kept, GAP) is VIOLATED


@given(two_lines(), st.data())
@settings(max_examples=25, deadline=None)
def test_a_doubled_push_is_a_repeat(events: list[Event], data: st.DataObject) -> None:
    own = [event for event in events if event.connection == "c2" and event.kind == "received"]
    victim = data.draw(st.sampled_from(own[1:]))
    doubled = [copy for event in events for copy in ([event, event] if event is victim else [event])]
    assert status(Prefix(), renumbered(doubled), REPEAT) is VIOLATED


@given(two_lines(), st.data())
@settings(max_examples=25, deadline=None)
def test_two_swapped_pushes_are_a_disagreement(events: list[Event], data: st.DataObject) -> None:
    places = [place for place, event in enumerate(events) if event.connection == "c2" and event.kind == "received"]
    at = data.draw(st.integers(1, len(places) - 2))
    first, second = places[at], places[at + 1]
    swapped = list(events)
    swapped[first], swapped[second] = swapped[second], swapped[first]
    assert status(Prefix(), renumbered(swapped), AGREE) is VIOLATED


def test_an_unknown_task_of_a_publish_is_not_judged() -> None:
    data = {"task_id": OTHER, "status": "completed", "query": "q"}
    history = people(History()).connect("c1")
    history.call("ws_broadcast", 200, {"recipients": 1}, body={"type": "task_update", "data": data})
    history.receive("c1", "task_update", data)
    assert status(Prefix(), history, GAP) is UNKNOWN


@pytest.mark.parametrize("owner_known", [False, True])
def test_an_update_that_names_nobody_accuses_no_other_accounts_connection(owner_known: bool) -> None:
    history = people(History()).connect("c1").connect("c2", account=BOB)
    if owner_known:
        history.call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body={"query": "q", "budget": 1})
    for connection, account in (("c1", ANN), ("c2", BOB)):
        history.receive(connection, "system", {"message": "one", "level": "info"}, account=account, timestamp=stamp(1))
        if account == ANN:
            history.push(connection, "queued", 1, owner=None, account=account)
        history.receive(connection, "system", {"message": "two", "level": "info"}, account=account, timestamp=stamp(2))
    assert status(Prefix(), history, GAP) is not VIOLATED


def test_an_update_that_names_nobody_is_owed_to_its_owners_other_connection() -> None:
    history = people(History()).connect("c1").connect("c2")
    history.call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body={"query": "q", "budget": 1})
    for connection in ("c1", "c2"):
        history.receive(connection, "system", {"message": "one", "level": "info"}, timestamp=stamp(1))
        if connection == "c1":
            history.push(connection, "queued", 1, owner=None)
        history.receive(connection, "system", {"message": "two", "level": "info"}, timestamp=stamp(2))
    assert status(Prefix(), history, GAP) is VIOLATED
