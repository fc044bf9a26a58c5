"""Whatever a target answers, an act ends in words: what it could not build on is noted, and nothing is raised."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from harness.client.rest import RecordedSession
from harness.conformance.catalog import ACTS
from harness.conformance.raw_frames import TEXT, frame
from harness.conformance.stage import Stage
from harness.conformance.suite import Act, play
from harness.history import Event, Recorder
from harness.seeds import people
from harness.targets.profiles import OWN, Profile
from harness.targets.remote import RemoteTarget

ACT_S_MAX = 0.7
STATUSES = (200, 202, 429)
ALL = [act for acts in ACTS.values() for act in acts]
SIGNED_IN = {"token": "a.b.c", "user": {"id": "x"}, "expires_in": "soon"}
WRONG = {
    "tasks": [7, {}], "agents": [{}, None], "total": "many", "stats": [], "task_id": ["a"], "status": [1],
    "tasks_succeeded": "a", "success_rate": None,
}  # fmt: skip
ODD = {
    "tasks": [{"id": 1, "created_at": None}], "agents": [{"id": 1, "name": None}], "total": 1, "task_id": None,
    "stats": {"invalid_messages": "7"}, "status": {"a": 1}, "user": 7, "token": "ä", "role": [],
}  # fmt: skip
BODIES = [b"[]", b"{}", b"null", b"\xff<html>", b"[" * 900 + b"]" * 900, json.dumps(WRONG).encode(),
          json.dumps(ODD).encode(), json.dumps({**WRONG, **SIGNED_IN}).encode(),
          json.dumps({**SIGNED_IN, "task_id": "t", "stats": {}}).encode()]  # fmt: skip
HEAD = "HTTP/1.1 {status} Sure\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nRetry-After: {after}\r\n\r\n"
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@asynccontextmanager
async def nonsense(body: bytes, status: int, upgrades: bool) -> AsyncIterator[str]:
    """Answer every request with these bytes; a handshake with a welcome that is none, or with no HTTP at all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if b"upgrade: websocket" in head:
                    writer.write(_welcome(body) if upgrades else b"what\r\n\r\n")
                    await writer.drain()
                    await reader.read()
                    return
                sent = head.partition(b"content-length:")[2].split(b"\r\n")[0].strip()
                await reader.readexactly(int(sent or b"0"))
                told = HEAD.format(status=status, length=len(body), after="Wed, 21 Oct 2015 07:28:00 GMT")
                writer.write(told.encode() + body)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def _welcome(body: bytes) -> bytes:
    accept = base64.b64encode(hashlib.sha1(b"any key" + GUID, usedforsecurity=False).digest())
    head = b"HTTP/1.1 101 Sure\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept
    return head + b"\r\n\r\n" + frame(TEXT, body, masked=False) * 2


async def _played(base: str, events: list[Event], acts: Sequence[Act] = ALL) -> None:
    profile = Profile(api=base)
    target = RemoteTarget(profile, Recorder("client", lambda: len(events), events.append), run="r", runner=NO_RUNNER)
    stage = Stage(target, seed=1, run="r")
    stage.capabilities = target.capabilities = OWN
    user, other, admin = people(1, ["user", "other", "admin"])
    stage.user = RecordedSession(target.client, user, "u", "not.a.token")
    stage.other = RecordedSession(target.client, other, "o", "no token")
    stage.admin = RecordedSession(target.client, admin, "a", "..", "admin")
    try:
        async with asyncio.TaskGroup() as group:
            for act in acts:
                group.create_task(play(stage, act._replace(seconds_max=ACT_S_MAX)))
    finally:
        await stage.close_sockets()
        await target.close()


NO_RUNNER = asyncio.Runner()


@pytest.mark.slow
@pytest.mark.parametrize("upgrades", [True, False])
@pytest.mark.parametrize("number", range(len(BODIES)))
def test_no_act_raises_whatever_is_answered(number: int, upgrades: bool) -> None:
    events: list[Event] = []
    body, status = BODIES[number], STATUSES[(number + upgrades) % len(STATUSES)]

    async def main() -> None:
        async with nonsense(body, status, upgrades) as base:
            await _played(base, events)

    asyncio.run(main())
    assert [event for event in events if event.kind == "note"], "nothing that an act builds on was there"


def test_an_act_that_trips_over_an_answer_would_be_seen() -> None:
    async def trips(stage: Stage) -> None:
        answer = await stage.ask(stage.user, "ws_stats")
        assert answer.body["stats"]

    async def main() -> None:
        async with nonsense(b"[]", 200, upgrades=False) as base:
            await _played(base, [], [Act(("RT-PONG-1",), trips)])

    with pytest.raises(ExceptionGroup):
        asyncio.run(main())
