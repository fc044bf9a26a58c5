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
UNANSWERED: Final = (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)


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
    parts = urlsplit(url)
    secure = (tls or ssl.create_default_context()) if parts.scheme in ("https", "wss") else None
    port = parts.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure, limit=ANSWER_BYTES_MAX)
    try:
        # A server may refuse, and hang up, before it has read all of it.
        with contextlib.suppress(OSError):
            writer.write(data)
            await writer.drain()
        return await _read(reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.split("\r\n")
    pairs = (line.partition(":") for line in rest if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    length = min(int(headers.get("content-length") or 0), ANSWER_BYTES_MAX)
    return int(first.split(" ")[1]), headers, _parsed(await reader.readexactly(length))


def _parsed(body: bytes) -> Any:
    try:
        return read_json(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
