"""Servers that answer calls like any other, and then misuse the socket: one way each, in a thread of its own."""

import asyncio
import base64
import contextlib
import hashlib
import json
import queue
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
STARTED_S_MAX: Final = 10.0
SMALL: Final = b"\x81\x02{}" * 2000
PIECE: Final = b"x" * 65_536
USER: Final = {"id": "11111111-1111-4111-8111-111111111111", "email": "a@example.com", "full_name": "A"}
SIGNED_UP: Final = json.dumps({"token": "a.b.c", "user": USER, "expires_in": 86_400}).encode()


def _answer(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} Sure\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _switching(head: bytes) -> bytes:
    lines = [line.partition(b":") for line in head.split(b"\r\n")]
    key = next((value.strip() for name, _, value in lines if name.lower() == b"sec-websocket-key"), b"")
    accept = base64.b64encode(hashlib.sha1(key + GUID, usedforsecurity=False).digest())
    told = b"HTTP/1.1 101 Sure\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
    return told + accept + b"\r\n\r\n"


async def _repeat(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while not writer.is_closing():
        writer.write(piece)
        await writer.drain()


async def _says_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _closes_at_once(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    pass


async def _answers_200(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async for _ in _heads(reader):
        writer.write(_answer(200, b"{}"))
        await writer.drain()


async def _endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 Sure\r\n\r\n")
    await _repeat(writer, PIECE)


async def _speaks_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # What OpenSSL says to one that begins without TLS: the alert `protocol version`, and the end.
    await reader.read(1)
    writer.write(b"\x15\x03\x01\x00\x02\x02\x46")
    await writer.drain()


async def _no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await _repeat(writer, b"\x16\x03\x01what is this" * 1000)


async def _heads(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        size = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0].strip()
        await reader.readexactly(int(size) if size.isdigit() else 0)
        yield head


def _on_sockets(behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]) -> Behaviour:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async for head in _heads(reader):
            if b"/ws/connect" in head.split(b"\r\n")[0]:
                await behave(reader, writer, head)
                return
            known = {b"/health": (200, b"{}"), b"/api/v1/users/register": (201, SIGNED_UP)}
            writer.write(_answer(*known.get(head.split(b" ")[1], (404, b"{}"))))
            await writer.drain()

    return serve


async def _handshake_hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter, __: bytes) -> None:
    await reader.read()


async def _handshake_is_garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter, __: bytes) -> None:
    await _repeat(writer, PIECE)


async def _handshake_is_cut(_: asyncio.StreamReader, __: asyncio.StreamWriter, ___: bytes) -> None:
    pass


async def _endless_frame(_: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
    writer.write(_switching(head) + b"\x81\x7f" + struct.pack("!Q", 1 << 62))
    await _repeat(writer, PIECE)


async def _endless_fragments(_: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
    writer.write(_switching(head) + b"\x01\x00")
    await _repeat(writer, (b"\x00\x7e\x10\x00" + bytes(4096)) * 16)


async def _endless_frames(_: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
    writer.write(_switching(head))
    await _repeat(writer, SMALL)


async def _endless_pings(_: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
    writer.write(_switching(head))
    await _repeat(writer, b"\x89\x00" * 2000)


BEHAVIOURS: Final[dict[str, Behaviour]] = {
    "says_nothing": _says_nothing,
    "closes_at_once": _closes_at_once,
    "answers_200": _answers_200,
    "endless_body": _endless_body,
    "no_http": _no_http,
    "speaks_tls": _speaks_tls,
    "handshake_hangs": _on_sockets(_handshake_hangs),
    "handshake_is_garbage": _on_sockets(_handshake_is_garbage),
    "handshake_is_cut": _on_sockets(_handshake_is_cut),
    "endless_frame": _on_sockets(_endless_frame),
    "endless_fragments": _on_sockets(_endless_fragments),
    "endless_frames": _on_sockets(_endless_frames),
    "endless_pings": _on_sockets(_endless_pings),
}


@contextmanager
def hostile(name: str) -> Iterator[str]:
    """Serve one behaviour in a thread; gives `host:port`."""
    started: queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = queue.Queue()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
                await BEHAVIOURS[name](reader, writer)
        finally:
            writer.close()

    async def main() -> None:
        over = asyncio.Event()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        started.put((asyncio.get_running_loop(), over, server.sockets[0].getsockname()[1]))
        await over.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    loop, over, port = started.get(timeout=STARTED_S_MAX)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(STARTED_S_MAX)
