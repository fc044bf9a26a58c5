"""Answers as HTTP: bytes of the body, headers, and whole responses for where ASGI has no part."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Final

import msgspec

from reference_server.contract.operations.model import JSON
from reference_server.core.admission import Origins, is_api
from reference_server.core.answers import Answer, BlobBody, Headers
from reference_server.core.calls import Head

EXPOSED: Final = "Retry-After, ETag"
_STATUS_LINES: Final = {one.value: b"HTTP/1.1 %d %b\r\n" % (one, one.phrase.encode()) for one in HTTPStatus}
_JSON_TYPE: Final = (b"content-type", JSON.encode())
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
_encode = msgspec.json.Encoder().encode


def head_of(
    method: str,
    path: str,
    query: bytes,
    headers: Iterable[tuple[bytes, bytes]],
    address: str,
    raw_path: bytes = b"",
    version: str = "1.1",
    scheme: str = "http",
) -> Head:
    """Return a request's head; a header that came twice is joined by a comma (RFC 9110 §5.3)."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return Head(method, path, query.decode("latin-1"), joined, address, raw_path.decode("latin-1"), version, scheme)


def body_of(answer: Answer) -> bytes:
    """Return the body as raw UTF-8 JSON or text; empty when the answer has none, or is a blob that is streamed."""
    match answer.body:
        case None | BlobBody():
            return b""
        case str(text):
            return text.encode()
        case body:
            return _encode(body)


def headers_of(answer: Answer, body: bytes) -> Headers:
    """Return the answer's own headers with those that every body has."""
    return streamed_headers_of(answer, len(body))


def streamed_headers_of(answer: Answer, size: int) -> Headers:
    """Return the same for a body of `size` bytes that follows in pieces."""
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.body is not None:
        headers.append(_JSON_TYPE if answer.media is JSON else (b"content-type", answer.media.encode("latin-1")))
    return [*headers, *length_of(answer.status, size)]


def length_of(status: int, size: int) -> Headers:
    """Return the headers that go with every body; 204 and 304 say no length (RFC 9110 §8.6)."""
    length = [] if status in (204, 304) else [(b"content-length", b"%d" % size)]
    return [*length, _NOSNIFF]


def sharing_headers(origins: Origins, head: Head) -> Headers:
    """Return `Vary: Origin` for the API, and what lets an allowed page of another origin read it (contract §2)."""
    if not is_api(head.path):
        return []
    shared: Headers = [(b"vary", b"Origin")]
    origin = head.headers.get("origin")
    if origin is not None and origins.allow(head):
        shared.append((b"access-control-allow-origin", origin.encode("latin-1")))
        shared.append((b"access-control-expose-headers", EXPOSED.encode()))
        if origins.allow_cookie(head):
            shared.append((b"access-control-allow-credentials", b"true"))
    return shared


def raw_response(
    answer: Answer, extra: Headers, standing: Sequence[tuple[bytes, bytes]] = (), *, close: bool = True
) -> bytes:
    """Return a whole HTTP/1.1 response: `standing` headers first, the answer's, then `extra`."""
    body = body_of(answer)
    headers = [*standing, *headers_of(answer, body), *extra]
    if close:
        headers.append((b"connection", b"close"))
    return b"".join([_STATUS_LINES[answer.status], *[b"%b: %b\r\n" % header for header in headers], b"\r\n", body])
