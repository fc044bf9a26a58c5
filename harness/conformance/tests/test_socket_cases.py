"""A conversation ends when all its answers were read, whatever a wrong peer answers before."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from harness.client.shell import Endpoint
from harness.conformance.raw_frames import TEXT
from harness.conformance.raw_socket import RawSocket
from harness.conformance.socket_cases import LAST_STAMP, answered, pongs
from harness.history import Recorder

WAIT_S_MAX = 5.0


def read_of_a_peer_that_answers(*answers: dict[str, Any]) -> Sequence[Any]:
    """Send a text and the last ping to a peer that answers so, each once the one before was read; return the pongs."""

    async def talk() -> Sequence[Any]:
        socket = RawSocket(Recorder("client", iter(range(10**6)).__next__, lambda _: None), "raw1")

        async def answer(connection: ServerConnection) -> None:
            await connection.send('{"type":"system"}')
            await connection.recv()
            await connection.recv()
            for number, data in enumerate(answers):
                await socket.wait(lambda number=number: len(pongs(socket)) == number, WAIT_S_MAX)  # type: ignore[misc]
                await connection.send(json.dumps({"type": "pong", "data": data}))
            await connection.wait_closed()

        async with serve(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await socket.dial(Endpoint(f"ws://127.0.0.1:{port}/", auth="none"), None)
            await socket.wait_welcome()
            await socket.send(TEXT, b"nonsense")
            await answered(socket)
            await socket.leave()
        return pongs(socket)

    return asyncio.run(talk())


def test_a_wrong_pong_does_not_hide_the_one_that_follows_it() -> None:
    assert read_of_a_peer_that_answers({}, {"received": LAST_STAMP}) == [None, LAST_STAMP]


def test_a_second_pong_that_gives_nothing_back_is_read_too() -> None:
    assert read_of_a_peer_that_answers({}, {}) == [None, None]


def test_the_pong_of_the_last_ping_ends_the_conversation() -> None:
    assert read_of_a_peer_that_answers({"received": LAST_STAMP}) == [LAST_STAMP]
