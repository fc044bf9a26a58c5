"""Calls of the REST API: as bytes made beforehand for a load client, or made now for what a measure has to know."""

import base64
from typing import Any

import httpx
import msgspec

from harness.bench.process import ADMIN, Server
from reference_server.contract.models import SocketFigures
from reference_server.contract.operations import BASE


def head(method: str, path: str, token: str | None, body: Any = None) -> bytes:
    """Return a request with its JSON body."""
    content = b"" if body is None else msgspec.json.encode(body)
    return request_head(method, path, token, b"" if body is None else b"application/json", len(content)) + content


def request_head(method: str, path: str, token: str | None, media: bytes, length: int) -> bytes:
    """Return a request up to its body, which is `length` bytes of `media`; no body without media."""
    lines = [f"{method} {BASE}{path} HTTP/1.1".encode(), b"Host: bench", b"Accept: */*", b"User-Agent: bench"]
    if token is not None:
        lines.append(b"Authorization: Bearer " + token.encode())
    if media:
        lines += [b"Content-Type: " + media, b"Content-Length: %d" % length]
    return b"\r\n".join([*lines, b"", b""])


def called(
    server: Server, method: str, path: str, token: str | None, client: httpx.Client | None = None, **named: Any
) -> Any:
    """Call now and return the answer's JSON; raises httpx.HTTPStatusError for one that is no 2xx."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    url = f"http://{server.host}:{server.port}{BASE}{path}"
    call = httpx.request if client is None else client.request
    return call(method, url, headers=headers, **named).raise_for_status().json()


def admin_token(server: Server) -> str:
    """Sign the admin in."""
    token: str = called(server, "POST", "/users/login", None, json=ADMIN)["token"]
    return token


def socket_figures(server: Server, token: str) -> SocketFigures:
    """Ask for the figures of the hub."""
    return msgspec.convert(called(server, "GET", "/ws/stats", token)["stats"], SocketFigures)


def account_of(token: str) -> str:
    """Return whose token it is; its `sub` says so (contract §2 token), unread by anybody but the server else."""
    claims = token.split(".")[1]
    account: str = msgspec.json.decode(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
    return account
