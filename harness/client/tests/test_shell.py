"""What the asyncio shell promises of a socket and of a request, against a small server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from harness.client.driver import By
from harness.client.rest import NoAnswerError
from harness.client.shell import Endpoint, HttpTransport, ShellCondition, ShellSocket, dressed

SECONDS_MAX = 5.0
Behaviour = Callable[[ServerConnection], Awaitable[None]]


class Heard:
    """What a socket told its driver, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.changed = ShellCondition()

    def tell(self, *what: Any) -> None:
        self.told.append(what)
        self.changed.notify()

    def opened(self, subprotocol: str | None) -> None:
        self.tell("opened", subprotocol)

    def refused(self, status: int, body: Any = None, why: str = "") -> None:
        self.tell("refused", status, body, bool(why))

    def received(self, payload: bytes) -> None:
        self.tell("received", payload)

    def frame(self, opcode: str, size: int) -> None:
        self.tell("frame", opcode, size)

    def closed(self, code: int, reason: str, clean: bool, by: By) -> None:
        self.tell("closed", code, reason, clean, by)

    async def last(self, kind: str) -> list[tuple[Any, ...]]:
        assert await self.changed.wait(lambda: any(told[0] == kind for told in self.told), SECONDS_MAX), self.told
        return self.told


@asynccontextmanager
async def serving(behaviour: Behaviour, **settings: Any) -> AsyncIterator[str]:
    async with serve(behaviour, "127.0.0.1", 0, subprotocols=[Subprotocol("zerostate.v1")], **settings) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/api/v1/ws/connect"


async def dialed(url: str) -> tuple[ShellSocket, Heard]:
    heard = Heard()
    socket = ShellSocket(url, ("zerostate.v1", "bearer.t"), (), heard)
    await socket.connect(None)
    return socket, heard


def test_messages_and_control_frames_are_told_in_order() -> None:
    async def greet(connection: ServerConnection) -> None:
        await connection.send("hello")
        await connection.ping(b"1234")
        await connection.send(["he", "llo"])
        await connection.send(b"xy")
        await connection.close(4401, "over")

    async def main() -> list[tuple[Any, ...]]:
        async with serving(greet) as url:
            _, heard = await dialed(url)
            return await heard.last("closed")

    assert asyncio.run(main()) == [
        ("opened", "zerostate.v1"),
        ("received", b"hello"),
        ("frame", "ping", 4),
        ("received", b"hello"),
        ("frame", "binary", 2),
        ("closed", 4401, "over", True, "peer"),
    ]


def test_a_cut_is_told_as_1006_by_ourselves() -> None:
    async def main() -> list[tuple[Any, ...]]:
        async with serving(lambda connection: connection.wait_closed()) as url:
            socket, heard = await dialed(url)
            await heard.last("opened")
            socket.abort()
            return await heard.last("closed")

    assert asyncio.run(main())[-1] == ("closed", 1006, "", False, "self")


def test_a_connection_lost_by_the_peer_is_1006_and_unclean() -> None:
    async def vanish(connection: ServerConnection) -> None:
        connection.transport.abort()

    async def main() -> list[tuple[Any, ...]]:
        async with serving(vanish) as url:
            _, heard = await dialed(url)
            return await heard.last("closed")

    assert asyncio.run(main())[-1] == ("closed", 1006, "", False, "peer")


def test_leaving_ends_clean() -> None:
    async def main() -> list[tuple[Any, ...]]:
        async with serving(lambda connection: connection.wait_closed()) as url:
            socket, heard = await dialed(url)
            await heard.last("opened")
            socket.close(1000)
            return await heard.last("closed")

    assert asyncio.run(main())[-1] == ("closed", 1000, "", True, "self")


def test_a_refusal_brings_its_status() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(503, "busy")

    async def main() -> list[tuple[Any, ...]]:
        async with serving(lambda connection: connection.wait_closed(), process_request=refuse) as url:
            _, heard = await dialed(url)
            return await heard.last("refused")

    assert asyncio.run(main()) == [("refused", 503, "busy", False)]


def test_nobody_there_is_a_refusal_without_status() -> None:
    async def main() -> list[tuple[Any, ...]]:
        _, heard = await dialed("ws://127.0.0.1:9/")
        return await heard.last("refused")

    assert asyncio.run(main()) == [("refused", 0, None, True)]


def test_nobody_there_is_no_answer() -> None:
    async def main() -> None:
        transport = HttpTransport("http://127.0.0.1:9")
        try:
            await transport.send("GET", "/health", (), None)
        finally:
            await transport.close()

    with pytest.raises(NoAnswerError, match="ConnectError"):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ("subprotocol", ("ws://h/c", ("zerostate.v1", "bearer.T"), ())),
        ("header", ("ws://h/c", ("zerostate.v1",), (("Authorization", "Bearer T"),))),
        ("cookie", ("ws://h/c", ("zerostate.v1",), (("Cookie", "zerostate_session=T"),))),
        ("query:token", ("ws://h/c?token=T", (), ())),
        ("none", ("ws://h/c", (), ())),
    ],
)
def test_a_handshake_carries_the_token_as_the_target_takes_it(auth: str, expected: tuple[Any, ...]) -> None:
    assert dressed(Endpoint("ws://h/c", auth), "T") == expected


def test_a_body_over_the_bound_is_no_answer() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(11))
            await writer.drain()
            await reader.read()
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        transport = HttpTransport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", body_bytes_max=10)
        try:
            await transport.send("GET", "/health", (), None)
        finally:
            await transport.close()
            server.close()

    with pytest.raises(NoAnswerError, match="over 10 bytes"):
        asyncio.run(main())
