"""Whatever a head asks to become, parsing it ends: a head is parsed twice at most (contract §5)."""

import asyncio
from typing import Any

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reference_server.tests.unplugged import fed

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


make_parser = httptools.HttpRequestParser


class Counted:
    """A maker of parsers that says when more were made than there are heads."""

    def __init__(self, most: int) -> None:
        self.left = most

    def __call__(self, protocol: Any) -> httptools.HttpRequestParser:
        self.left -= 1
        assert self.left >= 0, "a head was parsed more than twice"
        return make_parser(protocol)


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
