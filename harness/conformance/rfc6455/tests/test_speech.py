"""What a target says on a socket is found out once, and it is asked for no more than it can be held to."""

import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from harness.checkers.cases import Cases
from harness.checkers.schema import WELCOME, Schema
from harness.checkers.tests.histories import status
from harness.client.shell import Endpoint
from harness.conformance.rfc6455 import speech as speeches
from harness.conformance.rfc6455.acts import CASES, play_cases
from harness.conformance.rfc6455.model import Case
from harness.conformance.rfc6455.speech import BEYOND, PLAIN_ASK, asked_of, told_of
from harness.conformance.rfc6455.tests.libraries import (
    serving_echoes,
    serving_nobody,
    serving_websockets,
    serving_without_a_welcome,
)
from harness.conformance.stage import NoSocketError, Speech, Stage
from harness.history import Event, Recorder
from harness.targets.profiles import Profile
from harness.targets.remote import RemoteTarget
from harness.verdicts import Status

BY_NAME = {case.name: case for case in CASES}
SOME = (
    "opening/the-usual-form", PLAIN_ASK, "framing/unmasked-text", "framing/a-binary-message",
    "framing/length-0-in-16-bits", "pings/a-ping-of-2-bytes",
    "pings/an-unasked-pong-of-1-bytes", "utf8/invalid-latin-1", "closing/the-code-1000",
)  # fmt: skip
OF_RFC = {
    "RT-CLOSE-4": Status.HOLDS, "RT-PING-1": Status.HOLDS, "RT-CLOSE-2": Status.HOLDS, "RT-CLOSE-6": Status.HOLDS,
    "RT-UPGRADE-3": Status.HOLDS,
}  # fmt: skip
MUTE = Speech(greets=False, answers=False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a moment only for what does not come."""
    monkeypatch.setattr(speeches, "FIRST_S_MAX", 0.3)
    monkeypatch.setattr(speeches, "ANSWER_S_MAX", 0.3)


def played(server: AbstractAsyncContextManager[Endpoint], names: Sequence[str] = SOME) -> tuple[Stage, list[Event]]:
    """Play cases on a server that asks for no token, in the name of nobody; return the stage and what was recorded."""
    events: list[Event] = []
    recorder = Recorder("client", time.monotonic_ns, events.append)
    target = RemoteTarget(Profile(api="http://127.0.0.1:1", auth="none"), recorder)
    stage = Stage(target, seed=1, run="speech")

    async def play() -> None:
        async with server as endpoint:
            target.profile = Profile(api="http://127.0.0.1:1", socket=endpoint.url, auth="none")
            await play_cases(stage, [BY_NAME[name] for name in names])
            await play_cases(stage, [BY_NAME[names[0]]])
            await target.close()

    try:
        target.run(play())
    finally:
        target.end()
    return stage, events


def verdicts_of(events: list[Event]) -> dict[str, Status]:
    """Return the verdict of a foreign target on each clause that the cases are about."""
    clauses = {BY_NAME[name].clause for name in SOME}
    return {clause: status(Cases(), events, clause, local=False) for clause in clauses}


def first_sockets(events: list[Event]) -> int:
    """Return how many sockets were opened to find out what the target says."""
    return sum(event.kind == "connecting" and event.case is None for event in events)


def test_a_server_of_the_contract_is_asked_for_everything_without_an_account() -> None:
    stage, events = played(serving_websockets())

    assert (stage.speech, stage.cases_played, first_sockets(events)) == (Speech(), len(SOME) + 1, 1)
    assert told_of(stage) == f"rfc6455: {len(SOME) + 1} cases were played"
    assert verdicts_of(events)["RT-PONG-1"] is Status.HOLDS


@pytest.mark.usefixtures("impatient")
def test_a_missing_welcome_is_the_fault_of_its_own_clause_alone() -> None:
    stage, events = played(serving_without_a_welcome())

    accused = {clause for clause, found in verdicts_of(events).items() if found is not Status.HOLDS}
    assert (stage.speech, first_sockets(events)) == (Speech(greets=False), 1)
    # The library takes lengths that are not in shortest form.
    assert accused == {"RT-CLOSE-4"}
    assert status(Schema(), events, WELCOME) is Status.VIOLATED


@pytest.mark.usefixtures("impatient")
def test_a_server_that_echoes_is_held_to_rfc_6455_and_to_one_ping_of_the_contract() -> None:
    stage, events = played(serving_echoes())

    assert (stage.speech, first_sockets(events)) == (MUTE, 1)
    assert verdicts_of(events) == OF_RFC | {"RT-PONG-1": Status.VIOLATED, "RT-CLOSE-1": Status.UNKNOWN}
    assert told_of(stage).startswith("rfc6455: 7 cases were played, since this target answers no ping")


def test_a_server_that_hangs_up_at_once_is_accused_of_nothing() -> None:
    with pytest.raises(NoSocketError, match="closed with 1008 before anything was sent"):
        played(serving_nobody())


def test_a_target_without_pongs_is_asked_for_nothing_beyond_the_rfc_but_the_plain_ping() -> None:
    asked: list[Case] = [found for case in CASES if (found := asked_of(case, MUTE)) is not None]

    assert {case.name for case in asked if case.clause in BEYOND} == {PLAIN_ASK}
    assert [case.name for case in asked if case.beyond or case.expect.get("ours")] == []
    assert [case.name for case in asked if "receives" in case.expect and case.name != PLAIN_ASK] == []
    assert len(asked) > 300
