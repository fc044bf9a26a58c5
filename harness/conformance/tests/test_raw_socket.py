"""Frames made by hand are what RFC 6455 §5.2 says, and the reader records what a real peer sends."""

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from harness.client.shell import Endpoint
from harness.conformance.raw_frames import BINARY, CLOSE, TEXT, frame
from harness.conformance.raw_socket import RawSocket
from harness.history import Event, Recorder


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (frame(TEXT, b"Hello", masked=False), b"\x81\x05Hello"),
        (frame(TEXT, b"Hello"), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        (frame(TEXT, b"Hel", fin=False, masked=False), b"\x01\x03Hel"),
        (frame(TEXT, b"", rsv=4, masked=False), b"\xc1\x00"),
        (frame(BINARY, b"x" * 256, masked=False)[:4], b"\x82\x7e\x01\x00"),
        (frame(TEXT, b"{}", long_length=16, masked=False), b"\x81\x7e\x00\x02{}"),
        (frame(TEXT, b"{}", long_length=64, masked=False), b"\x81\x7f" + bytes(7) + b"\x02{}"),
    ],
)
def test_a_frame_is_what_the_rfc_shows(made: bytes, expected: bytes) -> None:
    assert made == expected


async def _greet(connection: ServerConnection) -> None:
    await connection.send('{"type":"system"}')
    async for _ in connection:
        await connection.send('{"type":"pong"}')


async def _with_peer(talk: Any) -> list[Event]:
    events: list[Event] = []
    clock = iter(range(1, 10**6))
    recorder = Recorder("client", lambda: next(clock), events.append)
    async with serve(_greet, "127.0.0.1", 0, subprotocols=[Subprotocol("zerostate.v1")]) as server:
        port = server.sockets[0].getsockname()[1]
        socket = RawSocket(recorder, "raw1", "u1")
        await socket.dial(Endpoint(f"ws://127.0.0.1:{port}/api/v1/ws/connect"), "token-of-u1")
        await talk(socket)
        await socket.leave()
    return events


def test_a_conversation_is_recorded_in_order() -> None:
    async def talk(socket: RawSocket) -> None:
        assert await socket.wait_welcome()
        await socket.send_json({"type": "ping"})
        assert await socket.wait(lambda: len(socket.messages) == 2, 5.0)

    events = asyncio.run(_with_peer(talk))

    assert [event.kind for event in events] == ["connecting", "opened", "received", "sent", "received", "closed"]
    assert events[1].data["subprotocol"] == "zerostate.v1"
    assert events[-1].data["by"] == "self"
    assert not any("token-of-u1" in str(event) for event in events)


def test_a_close_by_the_peer_brings_its_code_and_the_end_of_tcp() -> None:
    async def talk(socket: RawSocket) -> None:
        await socket.wait_welcome()
        await socket.send(CLOSE, b"\x03\xe7")
        assert await socket.wait_closed(5.0)
        assert await socket.wait_tcp_end(5.0)

    events = asyncio.run(_with_peer(talk))

    closed = [event for event in events if event.kind == "closed"]
    assert [(event.data["code"], event.data["by"]) for event in closed] == [(1002, "peer")]
    assert events[-1].data["opcode"] == "tcp-end"
