"""Bodies as they arrive: bounded in size and in time (contract §§2, 5 liveness)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from reference_server.contract import limits
from reference_server.core.calls import Head
from reference_server.http.bodies import BodyStalledError, BodyTooLargeError, read_body

Receive = Callable[[], Coroutine[Any, Any, Any]]
Chunk = tuple[float, bytes]


def head(**headers: str) -> Head:
    return Head("POST", "/", "", {name.replace("_", "-"): value for name, value in headers.items()}, "192.0.2.1")


def sender(*chunks: Chunk, then: str = "end") -> Receive:
    """Send each chunk after its delay; then end, vanish, or say nothing more."""
    left = list(chunks)

    async def receive() -> dict[str, Any]:
        if not left:
            if then == "hang":
                await asyncio.Event().wait()
            return {"type": "http.disconnect" if then == "vanish" else "http.request", "body": b"", "more_body": False}
        delay_s, body = left.pop(0)
        await asyncio.sleep(delay_s)
        return {"type": "http.request", "body": body, "more_body": True}

    return receive


def test_a_body_comes_out_whole() -> None:
    assert asyncio.run(read_body(head(), sender((0, b"ab"), (0, b"cd")))) == b"abcd"


def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    declared = head(content_length=str(limits.JSON_BODY_BYTES_MAX + 1))
    with pytest.raises(BodyTooLargeError):
        asyncio.run(read_body(declared, sender(then="hang")))


def test_a_body_over_the_limit_is_refused_while_it_comes() -> None:
    chunks = [(0.0, b"x" * 65_536)] * 17
    with pytest.raises(BodyTooLargeError):
        asyncio.run(read_body(head(), sender(*chunks, then="hang")))


@pytest.mark.parametrize(
    ("chunks", "then"),
    [
        ([], "hang"),
        ([(0.0, b"x" * 1023)], "hang"),
        ([(0.0, b"x" * 5000)], "hang"),
        ([(0.02, b"x")] * 1000, "end"),
        ([(0.0, b"x")], "vanish"),
    ],
)
def test_a_body_that_stalls_or_trickles_is_ended(
    monkeypatch: pytest.MonkeyPatch, chunks: list[Chunk], then: str
) -> None:
    monkeypatch.setattr(limits, "BODY_STALL_S", 0.1)
    with pytest.raises(BodyStalledError):
        asyncio.run(read_body(head(), sender(*chunks, then=then)))


def test_a_slow_body_that_keeps_the_pace_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_STALL_S", 0.2)
    chunks = [(0.05, b"x" * 1024)] * 10

    assert len(asyncio.run(read_body(head(), sender(*chunks)))) == 10_240
