"""Whatever a head asks to become, parsing it ends: a head is parsed twice at most (contract §5)."""

import asyncio
import time
from typing import Any, ClassVar

import httptools
import pytest
import uvicorn
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from reference_server.http.protocol import HttpProtocol
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer

METHODS = (b"GET", b"POST", b"CONNECT", b"PRI", b"SOURCE", b"OPTIONS")
TARGETS = (b"/", b"*", b"/api/v1/ws/connect", b"x:1", b"http://x/")
VERSIONS = (b"1.1", b"1.0", b"2.0")
HEADERS = (
    b"Connection: Upgrade",
    b"Connection: close, upgrade",
    b"connection: keep-alive",
    b"Upgrade: h2c",
    b"upgrade: WebSocket",
    b"Upgrade:",
    b"Content-Length: 3",
    b"Transfer-Encoding: chunked",
)


class Watched(HttpProtocol):
    """The protocol with an observer of its own, and no socket: every upgrade is unknown, its head parsed again."""

    observer = Observer(Metrics(), time.monotonic_ns)
    socket_path: ClassVar[str | None] = None


make_parser = httptools.HttpRequestParser


class Counted:
    """A maker of parsers that says when more were made than there are heads."""

    def __init__(self, most: int) -> None:
        self.left = most

    def __call__(self, protocol: Any) -> httptools.HttpRequestParser:
        self.left -= 1
        assert self.left >= 0, "a head was parsed more than twice"
        return make_parser(protocol)


class Sink(asyncio.Transport):
    """A transport whose peer takes everything."""

    closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        del data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def fed(pieces: list[bytes]) -> None:
    config = uvicorn.Config(answer, http=Watched, ws="none", lifespan="off", log_config=None)
    connection = Watched(config=config, server_state=ServerState(), app_state={})
    connection.connection_made(Sink())
    for piece in pieces:
        connection.data_received(piece)
    connection.connection_lost(None)
    await asyncio.gather(*connection.tasks)


def head(method: bytes, target: bytes, version: bytes, headers: list[bytes]) -> bytes:
    return b"\r\n".join([b"%s %s HTTP/%s" % (method, target, version), b"Host: x", *headers, b"", b""])


HEADS = st.builds(
    head,
    st.sampled_from(METHODS),
    st.sampled_from(TARGETS),
    st.sampled_from(VERSIONS),
    st.lists(st.sampled_from(HEADERS), max_size=5),
)


@example([head(b"CONNECT", b"/", b"1.1", [])], True)
@example([head(b"CONNECT", b"/", b"1.1", [])], False)
@example([head(b"GET", b"/", b"1.1", [b"Connection: close, upgrade", b"Upgrade: h2c"])] * 4, True)
@given(st.lists(HEADS, min_size=1, max_size=4), st.booleans())
def test_no_head_is_parsed_more_than_twice(heads: list[bytes], whole: bool) -> None:
    sent = b"".join(heads)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(httptools, "HttpRequestParser", Counted(1 + len(heads)))
        asyncio.run(fed([sent] if whole else [sent[place : place + 1] for place in range(len(sent))]))
