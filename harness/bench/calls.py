"""Calls of the REST API: as bytes made beforehand for a load client, or made now for what a measure needs to know."""

from typing import Any

import httpx
import msgspec

from harness.bench.process import Server
from reference_server.contract.operations import BASE


def head(method: str, path: str, token: str | None, body: Any = None) -> bytes:
    """Return a whole request as bytes, its JSON body too."""
    content = b"" if body is None else msgspec.json.encode(body)
    return request_head(method, path, token, b"" if body is None else b"application/json", len(content)) + content


def request_head(method: str, path: str, token: str | None, media: bytes, length: int) -> bytes:
    """Return a request as far as its body."""
    lines = [f"{method} {BASE}{path} HTTP/1.1".encode(), b"Host: bench", b"Accept: */*", b"User-Agent: bench"]
    if token is not None:
        lines.append(b"Authorization: Bearer " + token.encode())
    if media:
        lines += [b"Content-Type: " + media, b"Content-Length: %d" % length]
    return b"\r\n".join([*lines, b"", b""])


def called(
    server: Server, method: str, path: str, token: str | None, client: httpx.Client | None = None, **named: Any
) -> Any:
    """Call, and return the answer's JSON; raises httpx.HTTPError when it is no success."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    url = f"http://{server.host}:{server.port}{BASE}{path}"
    call = httpx.request if client is None else client.request
    return call(method, url, headers=headers, **named).raise_for_status().json()
