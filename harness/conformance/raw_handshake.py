"""The opening handshake by hand: the request as bytes, and the answer within bounds (RFC 6455 §4).

Whose connection it becomes, and what is recorded of it, is `raw_socket`'s.
"""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from harness.client.rest import read_json
from harness.conformance.raw_http import body_size, parsed_head
from harness.conformance.raw_incoming import shown_text

KEY: Final = base64.b64encode(b"zerostate-conformance"[:16]).decode()
ANSWER_BYTES_MAX: Final = 64 * 1024
"""Of the head, and of the body of a refusal."""

SWITCHING: Final = 101


class HandshakeAnswer(Struct, frozen=True):
    """What a server said to a handshake; `body` is what the history tells of a refusal's body."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any] = {}


def handshake_request(
    url: str, version: str, upgrade: bool, headers: Sequence[tuple[str, str]], subprotocols: Sequence[str]
) -> bytes:
    """Return the bytes of a handshake, or, without `upgrade`, of a plain request for the same."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}"]
    if upgrade:
        lines += ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}"]
        lines += [f"Sec-WebSocket-Version: {version}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if subprotocols:
        lines.append("Sec-WebSocket-Protocol: " + ", ".join(subprotocols))
    return "\r\n".join([*lines, "", ""]).encode()


async def read_answer(reader: asyncio.StreamReader) -> HandshakeAnswer:
    """Read the answer, a refusal with its body; raises `raw_http.UNANSWERED`."""
    status, headers = parsed_head(await reader.readuntil(b"\r\n\r\n"))
    if status == SWITCHING:
        return HandshakeAnswer(status, headers)
    body = await reader.read(body_size(headers, ANSWER_BYTES_MAX))
    return HandshakeAnswer(status, headers, _told_of_body(body))


def told_of_no_answer(fault: Exception, waited_s: float) -> str:
    """Return in words why a handshake has no answer; `fault` is one of `raw_http.UNANSWERED`."""
    match fault:
        case TimeoutError():
            return f"no answer within {waited_s:g} s"
        case asyncio.IncompleteReadError():
            return "the connection ended before an answer came"
        case OSError():
            return f"{type(fault).__name__}: {fault}"
        case _:
            return "what came is no answer of HTTP"


def _told_of_body(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        return {"body": read_json(body)}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"text": shown_text(body)}
