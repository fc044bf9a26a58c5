"""Connections that bring nothing are ended, whatever trickles in; those that keep the pace are not (contract §5)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from reference_server.http.application import GONE
from reference_server.http.protocol import HttpProtocol
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer

DEADLINE_S = 10.0
EVERY_S = 0.02
GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
HALF_SENT = GET + b"Content-Length: 100000\r\n\r\n{"
KIB = b"x" * 1024
PIECES = 10


class ShortTimes(HttpProtocol):
    """The protocol with times that a test can wait for."""

    observer = Observer(Metrics(), time.monotonic_ns)
    head_timeout_s: ClassVar[float] = 0.3
    body_stall_s: ClassVar[float] = 0.3


class Patient(ShortTimes):
    """The same for a body that keeps the pace: the whole takes longer than this, each piece far less."""

    body_stall_s: ClassVar[float] = 1.5


async def answer_at_once(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 413, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok", "more_body": False})


async def answer_late(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await asyncio.sleep(ShortTimes.head_timeout_s * 2)
    await answer_at_once(scope, receive, send)


Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]
App = Callable[[Scope, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]


def talk(
    peer: Peer, *, keep_alive_s: float = 60.0, app: App = answer_at_once, times: type[ShortTimes] = ShortTimes
) -> bytes:
    """Let a peer talk to one connection of the protocol; a connection that lives on fails at the deadline."""

    async def run() -> bytes:
        config = uvicorn.Config(app, http=times, ws="none", lifespan="off", log_config=None)
        config.timeout_keep_alive = keep_alive_s  # type: ignore[assignment]
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: times(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        async with server, asyncio.timeout(DEADLINE_S):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            try:
                return await peer(reader, writer)
            finally:
                writer.transport.abort()

    return asyncio.run(run())


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    read = b""
    try:
        while chunk := await reader.read(65536):
            read += chunk
    except ConnectionError:
        pass
    return read


def trickle(first: bytes, then: bytes) -> Peer:
    """Send `first`, then a little every now and then until the connection ends."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(first)
        ending = asyncio.ensure_future(read_to_end(reader))
        while then and not ending.done():
            writer.write(then)
            await asyncio.wait([ending], timeout=EVERY_S)
        return await ending

    return peer


@pytest.mark.parametrize("then", [b"", b"\r\n"])
def test_an_idle_connection_is_ended_and_empty_lines_are_no_life(then: bytes) -> None:
    read = talk(trickle(GET + b"\r\n", then), keep_alive_s=0.3)

    assert read.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("then", [b"", b"a"])
def test_an_answered_request_whose_body_stalls_or_trickles_is_ended(then: bytes) -> None:
    assert talk(trickle(HALF_SENT, then)).count(b"HTTP/1.1 413") == 1


@pytest.mark.parametrize("then", [b"", b"X: y\r\n"])
def test_a_head_that_stalls_or_trickles_behind_an_answer_is_ended(then: bytes) -> None:
    assert talk(trickle(GET + b"\r\n" + GET, then)).count(b"HTTP/1.1 413") == 1


def test_a_half_head_behind_a_late_answer_ends_the_connection_after_the_answer() -> None:
    assert talk(trickle(GET + b"\r\n" + GET, b""), app=answer_late).count(b"HTTP/1.1 413") == 1


def test_an_answered_request_whose_body_keeps_the_pace_is_followed_by_the_next() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(GET + b"Content-Length: %d\r\n\r\n" % (len(KIB) * PIECES))
        for _ in range(PIECES):
            await asyncio.sleep(Patient.body_stall_s * 1.2 / PIECES)
            writer.write(KIB)
        writer.write(GET + b"Connection: close\r\n\r\n")
        return await read_to_end(reader)

    assert talk(peer, keep_alive_s=0.1, times=Patient).count(b"HTTP/1.1 413") == 2


def test_a_trailer_that_never_ends_is_refused() -> None:
    chunked = GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "
    read = talk(trickle(chunked, b"x" * 32_768))

    assert read.count(b"HTTP/1.1 413") == 1


def answering(pieces: int, ended: list[int]) -> App:
    """Answer in pieces of 64 KiB, and note how many were written when the connection was lost or all had left."""

    async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        written = 0
        while written < pieces and GONE not in scope["state"]:
            await send({"type": "http.response.body", "body": KIB * 64, "more_body": True})
            written += 1
        ended.append(written)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app


def test_a_peer_that_does_not_read_its_answer_is_ended() -> None:
    ended: list[int] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(GET + b"\r\n")
        while not ended:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(EVERY_S)
        return b""

    talk(peer, app=answering(10_000, ended))

    assert ended[0] < 10_000


def test_a_peer_that_reads_its_answer_slowly_gets_all_of_it() -> None:
    ended: list[int] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(GET + b"Connection: close\r\n\r\n")
        read = b""
        while chunk := await reader.read(1024 * 1024):
            read += chunk
            await asyncio.sleep(EVERY_S)
        return read

    assert len(talk(peer, app=answering(160, ended))) > 160 * 64 * 1024
