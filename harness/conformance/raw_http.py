"""Requests as bytes: what no HTTP library lets one send, each on a connection of its own, recorded as any call.

The polite client lives in `harness/client`. Here a head may be broken, too long or doubled; what comes back is read as
one answer, or as none when the connection just ends.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from harness.client.rest import read_json
from harness.history import Recorder
from harness.targets.base import Answered

ANSWER_S_MAX: Final = 8.0
ANSWER_BYTES_MAX: Final = 256 * 1024
LET_GO_S_MAX: Final = 2.0
UNANSWERED: Final = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError)
"""How it goes without an answer that is one: nobody there or too late, or what is no HTTP."""


async def exchange(
    recorder: Recorder, url: str, tls: Any, data: bytes, *, case: str, expect: Mapping[str, Any], path: str = "/"
) -> Answered:
    """Send bytes to where `url` points and read one answer; status 0 when none came. `path` is what is recorded."""
    op = recorder.next_op()
    recorder.record("invoke", op=op, case=case, operation="", method="", path=path, bytes=len(data), expect=expect)
    try:
        async with asyncio.timeout(ANSWER_S_MAX):
            status, headers, body = await _answer(url, tls, data)
    except UNANSWERED as fault:
        recorder.record("info", op=op, case=case, why=f"{type(fault).__name__}: {fault}")
        return Answered(0)
    kind: Any = "ok" if 200 <= status < 300 else "fail"
    recorder.record(kind, op=op, case=case, status=status, headers=headers, body=body)
    return Answered(status, body, headers)


async def _answer(url: str, tls: Any, data: bytes) -> tuple[int, dict[str, str], Any]:
    reader, writer = await connected(url, tls, ANSWER_BYTES_MAX)
    try:
        # A server may refuse, and hang up, before it has read all of it.
        with contextlib.suppress(OSError):
            writer.write(data)
            await writer.drain()
        return await _read(reader)
    finally:
        await let_go(writer)


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    status, headers = parsed_head(await reader.readuntil(b"\r\n\r\n"))
    return status, headers, _parsed(await reader.readexactly(body_size(headers, ANSWER_BYTES_MAX)))


async def connected(url: str, tls: Any, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to where a URL points; what comes is buffered up to twice `limit`, and a head has `limit` at most."""
    parts = urlsplit(url)
    secure = (tls or ssl.create_default_context()) if parts.scheme in ("https", "wss") else None
    port = parts.port or (443 if secure else 80)
    return await asyncio.open_connection(parts.hostname, port, ssl=secure, limit=limit)


async def let_go(writer: asyncio.StreamWriter) -> None:
    """Close a connection, and abort it when a peer that reads nothing, or ends no TLS, stands in the way."""
    writer.close()
    closing = asyncio.ensure_future(writer.wait_closed())
    closing.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        # Not by a timeout around it: a wait that is canceled once is canceled for everybody who waits later.
        await asyncio.wait({closing}, timeout=LET_GO_S_MAX)
    finally:
        writer.transport.abort()


def parsed_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return status and headers (names in lower case) of an answer's head; raises ValueError, IndexError for none."""
    first, *rest = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in rest if line)
    return int(first.split(" ")[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


def body_size(headers: Mapping[str, str], most: int) -> int:
    """Return how many bytes of a body to read, `most` at most; raises ValueError for a length that is none."""
    return max(0, min(int(headers.get("content-length") or 0), most))


def _parsed(body: bytes) -> Any:
    try:
        return read_json(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
