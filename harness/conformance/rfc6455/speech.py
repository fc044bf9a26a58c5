"""What a target says on a socket, found out once a run, and what one that does not speak the contract is asked.

A case of RFC 6455 needs no welcome, and most tell by a ping of the contract that the connection goes on. Where nobody
answers such a ping, one case says so, and what can't be seen without it, or goes beyond the RFC, is not played: its
clauses stay undecided.
"""

from typing import Final

import msgspec

from harness.client.rest import RecordedSession
from harness.conformance.raw_socket import RawSocket
from harness.conformance.rfc6455.model import ASK, CASE_BOUNDS, PROBED, Case
from harness.conformance.stage import NoSocketError, Speech, Stage

FIRST_S_MAX: Final = 5.0
"""How long is waited for a first message, once; what comes later is no welcome that anybody could wait for."""

ANSWER_S_MAX: Final = 5.0
BEYOND: Final = ("RT-CLOSE-1", "RT-CLOSE-3", "RT-CLOSE-5", "RT-IGNORE-1", "RT-PONG-1", "RT-UPGRADE-2")
"""Clauses of the contract that RFC 6455 does not ask for."""

PLAIN_ASK: Final = f"framing/a-text-of-{len(ASK)}-bytes"
"""The case of RT-PONG-1 that is played in any event: the ping of the contract in its plainest form."""


async def speech_of(stage: Stage, session: RecordedSession | None) -> Speech:
    """Return what the target says on a socket; raises NoSocketError when it ends one before anything was sent."""
    if stage.speech is None:
        stage.speech = await _heard(stage, session)
    return stage.speech or Speech()


async def _heard(stage: Stage, session: RecordedSession | None) -> Speech | None:
    """Return what one socket says, None when it did not open: then the cases themselves tell why."""
    await stage.handshake_turn(session)
    socket = stage.raw_socket(session, CASE_BOUNDS)
    label, token = (session.label, session.token) if session is not None else (None, None)
    try:
        if not await socket.dial(stage.target.endpoint, token, session=label):
            return None
        greets = await socket.wait_welcome(FIRST_S_MAX)
        if socket.cut:
            raise NoSocketError(f"a socket was cut off: {socket.cut}")
        if socket.ended:
            raise NoSocketError(f"a socket was closed with {socket.code} before anything was sent on it")
        await socket.send_json({"type": "ping", "timestamp": PROBED})
        await socket.wait(lambda: socket.ended or probed(socket), ANSWER_S_MAX)
        return Speech(greets, probed(socket))
    finally:
        await socket.leave()
        stage.open_sockets.remove(socket)


def probed(socket: RawSocket) -> bool:
    """Say whether the answer to the probe was read."""
    messages = [message for message in socket.messages if isinstance(message, dict)]
    return any(isinstance(data := message.get("data"), dict) and data.get("received") == PROBED for message in messages)


def asked_of(case: Case, speech: Speech) -> Case | None:
    """Return the case as it is played with a target that speaks so, None when it is not."""
    if speech.answers or case.name == PLAIN_ASK:
        return case
    if case.beyond or case.clause in BEYOND or case.expect.get("ours"):
        return None
    left = {name: value for name, value in case.expect.items() if name not in ("receives", "receives_count")}
    if left.get("pongs") == [] and not left.get("close_code"):
        # That nothing came can't be told without an answer behind it.
        return None
    return msgspec.structs.replace(case, expect=left)


def told_of(stage: Stage) -> str:
    """Return how many cases were played, and why the others were not."""
    speech = stage.speech or Speech()
    more = (
        ""
        if speech.answers
        else ", since this target answers no ping of the contract: it is not asked for what goes beyond RFC 6455"
    )
    return f"rfc6455: {stage.cases_played} cases were played{more}"
