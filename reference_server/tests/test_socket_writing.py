"""What is written to a peer that reads late arrives whole and in order, on both loops (asyncio's own and uvloop's)."""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

import pytest
import uvloop
from uvicorn.config import Config
from uvicorn.server import ServerState

from reference_server.core.effects import Drained, HubInput, Paused
from reference_server.tests.process import DEADLINE_S
from reference_server.websocket.frames import text_frame
from reference_server.websocket.open_sockets import OpenSockets
from reference_server.websocket.protocol import WebSocketProtocol

NUMBER = 7
MESSAGES = 600
BUFFER_BYTES = 8192
Loops = pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uv"])


class Heard:
    """A driver that keeps what it hears of send buffers."""

    def __init__(self) -> None:
        self.items: list[HubInput] = []

    def socket(self, item: HubInput) -> None:
        self.items.append(item)


class Wire:
    """A peer that reads when it is told to, and the protocol that writes to it over a real transport."""

    def __init__(self) -> None:
        self.heard, self.sockets = Heard(), OpenSockets()
        shared = {"__slots__": (), "driver": self.heard, "sockets": self.sockets}
        bound = type("Bound", (WebSocketProtocol,), shared)
        self.protocol: WebSocketProtocol = bound(cast("Config", None), ServerState(), {})
        self.peer = socket.socket()
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)

    async def open(self) -> None:
        """Connect, and put the protocol where an upgrade puts it."""
        loop = asyncio.get_running_loop()
        made: asyncio.Future[asyncio.Transport] = loop.create_future()

        class Accepted(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                made.set_result(cast("asyncio.Transport", transport))

        server = await loop.create_server(Accepted, "127.0.0.1", 0)
        server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        self.peer.connect(server.sockets[0].getsockname())
        self.peer.setblocking(False)
        transport = await made
        transport.set_write_buffer_limits(high=0, low=0)
        self.protocol.transport = transport
        self.protocol._number = NUMBER
        self.sockets.add(NUMBER, self.protocol)
        transport.set_protocol(self.protocol)
        server.close()

    async def read(self, size: int) -> bytes:
        loop, got = asyncio.get_running_loop(), b""
        async with asyncio.timeout(DEADLINE_S):
            while len(got) < size:
                got += await loop.sock_recv(self.peer, 1 << 16)
        return got

    async def wait_drained(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not isinstance(self.heard.items[-1], Drained):  # noqa: ASYNC110 - what is waited for is a list
                await asyncio.sleep(0)

    def end(self) -> None:
        self.peer.close()
        self.protocol.transport.abort()


def message(number: int) -> bytes:
    return b"%06d" % number + bytes(number % 3 * 2000)


@Loops
def test_a_peer_that_reads_late_gets_everything_in_order(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def written() -> None:
        wire, sent = Wire(), b""
        await wire.open()
        for number in range(MESSAGES):
            wire.sockets.send_text(message(number), (NUMBER,))
            sent += text_frame(message(number))
            if number % 7 == 0:
                await asyncio.sleep(0)
        wire.sockets.flush()

        assert wire.heard.items == [Paused(NUMBER)]
        assert await wire.read(len(sent)) == sent
        await wire.wait_drained()
        assert wire.protocol.free_descriptor() is not None
        wire.sockets.send_text(b"more", (NUMBER,))
        wire.sockets.flush()
        assert await wire.read(len(text_frame(b"more"))) == text_frame(b"more")
        wire.end()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(written())


@Loops
def test_what_is_said_behind_a_close_that_ends_writing_hurts_nobody(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def written() -> None:
        wire = Wire()
        await wire.open()
        wire.sockets.close(NUMBER, 1002, "reserved bits must be 0")
        wire.sockets.send_text(b"late", (NUMBER,))
        wire.sockets.flush()
        wire.sockets.abort(NUMBER)
        wire.sockets.send_text(b"later", (NUMBER,))
        wire.sockets.flush()
        wire.end()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(written())
