"""Writing to open connections: what a turn says goes in one write, in order, and never to a descriptor that is gone."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from typing import cast

import pytest
from websockets.frames import Frame, Opcode

from reference_server.websocket.frames import text_frame
from reference_server.websocket.open_sockets import GATHERED_BYTES_MAX, SMALL, OpenSockets
from reference_server.websocket.protocol import WebSocketProtocol

RECORD_BYTES_MAX = 1 << 20


class Transport:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.held = b""
        self.aborted = False

    def abort(self) -> None:
        self.aborted = True

    def write(self, data: bytes) -> None:
        self.held += data


class Protocol:
    """What `OpenSockets` asks of a protocol, over one end of a pair that keeps the bounds of each write."""

    def __init__(self) -> None:
        self.own, self.peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.own.setblocking(False)
        self.peer.setblocking(False)
        self.transport = Transport()
        self.paused = False
        self.closed: list[int] = []

    def free_descriptor(self) -> int | None:
        return None if self.transport.held or self.transport.aborted else self.own.fileno()

    def write(self, data: bytes) -> None:
        self.transport.write(data)

    def close(self, code: int, _: str) -> None:
        self.write(b"close %d" % code)

    def writes(self) -> list[bytes]:
        """Return what came since, write by write."""
        came = []
        while True:
            try:
                came.append(self.peer.recv(RECORD_BYTES_MAX))
            except BlockingIOError:
                return came

    def fill(self) -> None:
        """Leave no room in the send buffer."""
        while True:
            try:
                os.write(self.own.fileno(), bytes(4096))
            except BlockingIOError:
                return

    def end(self) -> None:
        self.own.close()
        self.peer.close()


@pytest.fixture
def pair() -> Iterator[tuple[Protocol, Protocol]]:
    one, two = Protocol(), Protocol()
    yield one, two
    one.end()
    two.end()


@pytest.fixture
def many() -> Iterator[list[Protocol]]:
    protocols = [Protocol() for _ in range(SMALL + 2)]
    yield protocols
    for one in protocols:
        one.end()


def opened(*protocols: Protocol) -> OpenSockets:
    sockets = OpenSockets()
    for number, protocol in enumerate(protocols):
        sockets.add(number, cast("WebSocketProtocol", protocol))
    return sockets


def frames(*payloads: bytes) -> bytes:
    return b"".join(text_frame(payload) for payload in payloads)


def test_what_a_turn_says_to_all_is_one_write_to_each(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets, everyone = opened(*pair), (0, 1)
        for payload in (b"a", b"b", b"c"):
            sockets.send_text(payload, everyone)
        assert [one.writes() for one in pair] == [[], []]
        await asyncio.sleep(0)

        assert [one.writes() for one in pair] == [[frames(b"a", b"b", b"c")]] * 2

    asyncio.run(turn())


def test_each_gets_its_own_in_order_when_not_all_is_for_all(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets, everyone = opened(*pair), (0, 1)
        sockets.send_text(b"a", everyone)
        sockets.send_text(b"b", (1,))
        sockets.send_pong(0, b"p")
        sockets.send_text(b"c", everyone)
        await asyncio.sleep(0)

        pong = Frame(Opcode.PONG, b"p").serialize(mask=False)
        assert pair[0].writes() == [frames(b"a") + pong + frames(b"c")]
        assert pair[1].writes() == [frames(b"a", b"b", b"c")]

    asyncio.run(turn())


def test_a_turn_that_says_much_is_written_before_its_end(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets, payload = opened(*pair), bytes(GATHERED_BYTES_MAX)
        sockets.send_text(payload, (0,))

        assert pair[0].writes() == [text_frame(payload)]
        sockets.send_text(b"a", (0,))
        sockets.send_text(b"b", (0,))
        assert pair[0].writes() == []
        await asyncio.sleep(0)
        assert pair[0].writes() == [frames(b"a", b"b")]

    asyncio.run(turn())


def test_what_finds_no_room_waits_in_the_transport_and_what_follows_behind_it(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets, full = opened(*pair), pair[0]
        full.fill()
        sockets.send_text(b"a", (0, 1))
        sockets.flush()
        full.writes()
        sockets.send_text(b"b", (0, 1))
        sockets.flush()

        assert full.transport.held == frames(b"a", b"b")
        assert full.writes() == []
        assert pair[1].writes() == [frames(b"a"), frames(b"b")]

    asyncio.run(turn())


def test_a_connection_is_written_to_directly_again_once_its_transport_is_empty(
    pair: tuple[Protocol, Protocol],
) -> None:
    async def turn() -> None:
        sockets, full = opened(*pair), pair[0]
        full.fill()
        sockets.send_text(b"a", (0,))
        sockets.flush()
        full.writes()
        full.transport.held = b""
        sockets.send_text(b"b", (0,))
        sockets.flush()

        assert full.writes() == [frames(b"b")]

    asyncio.run(turn())


def test_nothing_is_written_to_the_descriptor_of_one_that_is_gone(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets = opened(*pair)
        sockets.send_text(b"a", (0, 1))
        sockets.flush()
        sockets.send_text(b"b", (0, 1))
        sockets.remove(0)
        sockets.flush()

        assert pair[0].writes() == [frames(b"a")]
        assert pair[1].writes() == [frames(b"a"), frames(b"b")]

    asyncio.run(turn())


def test_a_close_comes_behind_what_was_said(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets = opened(*pair)
        sockets.send_text(b"a", (0, 1))
        sockets.close(0, 4401, "token revoked")

        assert pair[0].writes() == [frames(b"a")]
        assert pair[0].transport.held == b"close 4401"

    asyncio.run(turn())


@pytest.mark.parametrize("end", ["close", "abort"])
def test_nothing_is_written_directly_behind_an_end(pair: tuple[Protocol, Protocol], end: str) -> None:
    async def turn() -> None:
        sockets = opened(*pair)
        sockets.send_text(b"a", (0,))
        sockets.flush()
        if end == "close":
            sockets.close(0, 1001, "bye")
        else:
            sockets.abort(0)
        sockets.send_text(b"late", (0,))
        sockets.flush()

        assert pair[0].writes() == [frames(b"a")]

    asyncio.run(turn())


def test_whether_there_is_room_is_said_after_what_was_said_is_written(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets = opened(*pair)
        sockets.send_text(b"a", (0,))

        assert sockets.writable(0)
        assert pair[0].writes() == [frames(b"a")]

    asyncio.run(turn())


def test_what_is_for_all_is_one_write_to_each_beside_what_is_for_one(many: list[Protocol]) -> None:
    async def turn() -> None:
        sockets, everyone = opened(*many), tuple(range(len(many)))
        sockets.send_text(b"a", everyone)
        sockets.send_text(b"b", (1, 2))
        sockets.send_text(b"c", everyone)
        sockets.send_text(b"d", (2,))
        await asyncio.sleep(0)

        said = [one.writes() for one in many]
        assert said[1:3] == [[frames(b"a", b"b", b"c")], [frames(b"a", b"b", b"c", b"d")]]
        assert said[:1] + said[3:] == [[frames(b"a", b"c")]] * (len(many) - 2)

    asyncio.run(turn())


def test_two_large_audiences_are_written_one_after_the_other(many: list[Protocol]) -> None:
    async def turn() -> None:
        sockets, first, both = opened(*many), tuple(range(len(many) - 1)), tuple(range(len(many)))
        sockets.send_text(b"a", first)
        sockets.send_text(b"b", (0,))
        sockets.send_text(b"c", both)
        assert many[0].writes() == [frames(b"a", b"b")]
        sockets.send_text(b"d", (0,))
        await asyncio.sleep(0)

        assert many[0].writes() == [frames(b"c", b"d")]
        assert many[1].writes() == [frames(b"a"), frames(b"c")]
        assert many[-1].writes() == [frames(b"c")]

    asyncio.run(turn())


@pytest.mark.parametrize("how", ["remove", "close", "abort", "full"])
def test_an_audience_that_is_known_is_asked_for_anew_once_one_of_it_ends(many: list[Protocol], how: str) -> None:
    async def turn() -> None:
        sockets, everyone = opened(*many), tuple(range(len(many)))
        for payload in (b"a", b"b"):
            sockets.send_text(payload, everyone)
            sockets.flush()
        match how:
            case "remove":
                sockets.remove(1)
            case "close":
                sockets.close(1, 1001, "bye")
            case "abort":
                sockets.abort(1)
            case _:
                many[1].writes()
                many[1].fill()
        for payload in (b"c", b"d"):
            sockets.send_text(payload, everyone)
            sockets.flush()

        heard = many[1].writes()
        assert frames(b"c") not in heard
        assert frames(b"d") not in heard
        by_transport = {"close": b"close 1001" + frames(b"c", b"d"), "abort": frames(b"c", b"d"), "remove": b""}
        assert many[1].transport.held == by_transport.get(how, frames(b"c", b"d"))
        for one in (many[0], *many[2:]):
            assert one.writes() == [frames(b"a"), frames(b"b"), frames(b"c"), frames(b"d")]

    asyncio.run(turn())


def test_a_number_that_is_given_again_is_another_connection(
    many: list[Protocol], pair: tuple[Protocol, Protocol]
) -> None:
    async def turn() -> None:
        sockets, everyone = opened(*many), tuple(range(len(many)))
        for payload in (b"a", b"b"):
            sockets.send_text(payload, everyone)
            sockets.flush()
        sockets.remove(1)
        sockets.add(1, cast("WebSocketProtocol", pair[0]))
        sockets.send_text(b"c", everyone)
        sockets.flush()

        assert pair[0].writes() == [frames(b"c")]
        assert many[1].writes() == [frames(b"a"), frames(b"b")]

    asyncio.run(turn())


def test_room_is_not_kept_for_those_that_are_gone(pair: tuple[Protocol, Protocol]) -> None:
    async def turn() -> None:
        sockets = opened(*pair)
        for number in range(2, 2000):
            sockets.add(number, cast("WebSocketProtocol", pair[0]))
            sockets.send_text(b"a", (number,))
            sockets.flush()
            pair[0].writes()
        for number in range(2, 2000):
            sockets.remove(number)

        def room() -> int:
            return sum(map(sys.getsizeof, (sockets._protocols, sockets._descriptors)))

        before = room()
        sockets.shrink()
        assert room() < before / 20
        sockets.send_text(b"b", (0, 1))
        sockets.flush()
        assert [one.writes() for one in pair] == [[frames(b"b")]] * 2

    asyncio.run(turn())
