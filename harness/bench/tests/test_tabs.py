"""A tab reads the server's frames however its bytes are cut, and behaves as a client must."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from harness.bench.process import Server
from harness.bench.tabs import GOODBYE, MASK, Tab, each, each_due, leave_tabs, open_tab, open_tabs
from harness.simulation.frames import CLOSE, PING, PONG, TEXT, encode

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
SHORT, LONG, LONGEST = b"x" * 125, b"y" * 126, b"z" * 70_000
STREAM = SWITCHED + b"".join(encode(TEXT, payload) for payload in (b"welcome", SHORT, LONG))


class Reading(Tab):
    def __init__(self, token: str = "token") -> None:
        super().__init__(token)
        self.read: list[bytes] = []

    def text(self, payload: bytes, now_ns: int) -> None:
        assert now_ns <= time.monotonic_ns()
        self.read.append(payload)


class Wire(asyncio.Transport):
    """What a tab wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted


def fed(*pieces: bytes) -> tuple[Reading, Wire]:
    async def feed() -> tuple[Reading, Wire]:
        tab, wire = Reading(), Wire()
        tab.connection_made(wire)
        for piece in pieces:
            tab.data_received(piece)
        return tab, wire

    return asyncio.run(feed())


def within(act: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await act()

    asyncio.run(bounded())


@pytest.mark.parametrize("cut", [*range(1, len(STREAM), 7), len(STREAM) - 1])
def test_frames_in_pieces_are_read_once_and_when_they_are_whole(cut: int) -> None:
    tab, _ = fed(STREAM[:cut], STREAM[cut:])

    assert tab.read == [SHORT, LONG]
    assert tab.messages == 3


def test_several_frames_in_one_read_are_all_taken_whatever_their_length() -> None:
    tab, _ = fed(STREAM + encode(TEXT, LONGEST) + encode(TEXT, b""))

    assert tab.read == [SHORT, LONG, LONGEST, b""]
    assert tab.open


def test_a_tab_is_open_from_its_welcome_on() -> None:
    assert not fed(SWITCHED)[0].open
    assert fed(SWITCHED, encode(TEXT, b"welcome"))[0].open


def test_a_ping_is_answered_with_its_payload() -> None:
    tab, wire = fed(SWITCHED, encode(PING, b"are you there?"))

    assert wire.written[1:] == [encode(PONG, b"are you there?", MASK)]
    assert tab.pings == 1


def test_a_close_is_answered_once_and_its_code_kept() -> None:
    close = encode(CLOSE, (1013).to_bytes(2, "big"))

    async def closed() -> tuple[int, list[bytes]]:
        tab, wire = Reading(), Wire()
        tab.connection_made(wire)
        tab.data_received(SWITCHED + close)
        tab.connection_lost(None)
        return await tab.gone, wire.written[1:]

    assert asyncio.run(closed()) == (1013, [GOODBYE])


def test_the_answer_to_our_own_close_is_not_answered() -> None:
    async def left() -> list[bytes]:
        tab, wire = Reading(), Wire()
        tab.connection_made(wire)
        tab.data_received(SWITCHED)
        tab.leave()
        tab.data_received(encode(CLOSE, (1000).to_bytes(2, "big")))
        return wire.written[1:]

    assert asyncio.run(left()) == [GOODBYE]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\n\r\n", "429 Too Many Requests"),
        (SWITCHED + b"\x01\x05hello", "frame starts with 0x01"),
    ],
    ids=["a refused handshake", "a fragment, which this server never sends"],
)
def test_what_can_not_be_read_ends_the_tab_and_says_why(answer: bytes, said: str) -> None:
    tab, wire = fed(answer)

    assert said in tab.fault
    assert wire.aborted


def test_a_tab_that_nobody_welcomes_says_why(server: Server) -> None:
    async def refused() -> None:
        tab = Tab("no.such.token")
        assert await open_tab(server.host, server.port, tab) is None
        assert "401" in tab.fault

    within(refused)


def test_tabs_are_welcomed_and_leave_in_order(server: Server) -> None:
    async def visit() -> None:
        tabs = [Tab(token) for token in server.tokens]
        await open_tabs(server.host, server.port, tabs)
        assert all(tab.open for tab in tabs)
        await leave_tabs(tabs)
        assert [await tab.gone for tab in tabs] == [1000] * len(tabs)

    within(visit)


@pytest.mark.parametrize("per_s", [None, 10_000.0])
def test_something_is_done_once_with_each(per_s: float | None) -> None:
    async def all_of_them() -> None:
        tabs, done = [Tab("token") for _ in range(100)], []

        async def act(tab: Tab) -> None:
            done.append(tab)

        await (each(tabs, act) if per_s is None else each_due(tabs, act, per_s))
        assert done == tabs

    within(all_of_them)
