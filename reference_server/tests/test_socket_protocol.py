"""One connection's protocol on a transport that a test holds: what it passes on, what it writes, how it ends."""

import asyncio
import ssl
import struct
from collections.abc import Callable
from typing import Any, cast

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from reference_server.contract import limits
from reference_server.contract.codes import CloseCode
from reference_server.core.admission import Origins
from reference_server.core.calls import Caller, Granted, Head
from reference_server.core.effects import Drained, Failed, FrameIn, HubInput, Paused
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer
from reference_server.websocket.open_sockets import OpenSockets
from reference_server.websocket.protocol import WebSocketProtocol

HEAD = Head(
    "GET", "/api/v1/ws/connect", "",
    {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "host": "h"}, "127.0.0.1",
)  # fmt: skip
DESCRIPTOR = 1_000_000
PING = Frame(Opcode.PING, b"").serialize(mask=True)
CLOSE = Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True)


class Transport:
    """Keeps what is written and how it ends."""

    def __init__(self, *, encrypted: bool = False) -> None:
        self.written = b""
        self.waiting = 0
        self.ended: list[str] = []
        self.marks: tuple[int, int] | None = None
        self._extra = {"sslcontext": ssl.SSLContext if encrypted else None, "socket": self}

    def write(self, data: bytes) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended.append("half-closed")

    def pause_reading(self) -> None:
        self.ended.append("deaf")

    def close(self) -> None:
        self.ended.append("closed")

    def abort(self) -> None:
        self.ended.append("aborted")

    def is_closing(self) -> bool:
        return "closed" in self.ended or "aborted" in self.ended

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        self.marks = (high, low)

    def get_extra_info(self, name: str) -> Any:
        return self._extra[name]

    def fileno(self) -> int:
        return DESCRIPTOR


class Asked:
    """A driver that answers a handshake when it is told to, and keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[HubInput | Granted] = []
        self.answer: Callable[[Granted], None] = lambda _: None
        self.on_frame: Callable[[], None] = lambda: None

    def handshake(self, _: Head, reply: Callable[[Granted], None]) -> None:
        self.answer = reply

    def opened(self, granted: Granted) -> None:
        self.heard.append(granted)

    def socket(self, item: HubInput) -> None:
        self.heard.append(item)
        if isinstance(item, FrameIn | Failed):
            self.on_frame()


class World:
    """A protocol that took a connection over, its transport and its driver."""

    LIMIT_S = 0.2

    def __init__(self, *, encrypted: bool = False, early: bytes = b"") -> None:
        self.transport, self.driver, self.sockets = Transport(encrypted=encrypted), Asked(), OpenSockets()
        shared = {
            "__slots__": (), "driver": self.driver, "sockets": self.sockets, "origins": Origins(),
            "observer": Observer(Metrics(), lambda: 0, None), "send_buffer_bytes": 4096,
            "handshake_timeout_s": self.LIMIT_S,
        }  # fmt: skip
        bound = type("Bound", (WebSocketProtocol,), shared)
        self.protocol: WebSocketProtocol = bound(cast("Config", None), ServerState(), {})
        self.protocol.upgrade(cast("asyncio.Transport", self.transport), HEAD, early)

    def open(self) -> None:
        self.driver.answer(Granted(1, Caller("ann", "user", "jti", 0, 1), None))

    @property
    def frames(self) -> list[str]:
        return [item.opcode.value for item in self.driver.heard if isinstance(item, FrameIn)]


@pytest.fixture
def world() -> World:
    async def made() -> World:
        # Its handshake's time limit needs a running loop.
        made = World()
        made.open()
        return made

    return asyncio.run(made())


def close_frames(written: bytes) -> list[int]:
    _, _, frames = written.partition(b"\r\n\r\n")
    return [struct.unpack("!H", frames[at + 2 : at + 4])[0] for at in range(len(frames)) if frames[at] == 0x88]


@pytest.mark.parametrize(("encrypted", "mark"), [(False, 0), (True, 4096)])
def test_only_an_encrypted_connection_is_buffered_before_the_kernel(encrypted: bool, mark: int) -> None:
    async def opened() -> World:
        one = World(encrypted=encrypted)
        one.open()
        return one

    one = asyncio.run(opened())
    assert one.transport.marks == (mark, mark)
    assert one.protocol.free_descriptor() == (None if encrypted else DESCRIPTOR)


@pytest.mark.parametrize("held", [limits.CLIENT_MESSAGE_BYTES_MAX, limits.CLIENT_MESSAGE_BYTES_MAX + 1])
def test_what_comes_before_the_answer_waits_up_to_one_message(held: int) -> None:
    async def waited() -> World:
        one = World(early=PING)
        one.protocol.data_received(bytes(held - len(PING)))
        return one

    assert asyncio.run(waited()).transport.ended == (["aborted"] if held > limits.CLIENT_MESSAGE_BYTES_MAX else [])


def test_a_descriptor_is_free_only_while_nothing_waits_and_no_end_has_begun(world: World) -> None:
    assert world.protocol.free_descriptor() == DESCRIPTOR
    world.transport.waiting = 1
    assert world.protocol.free_descriptor() is None
    world.transport.waiting = 0
    world.protocol.close(CloseCode.GOING_AWAY, "bye")
    assert world.protocol.free_descriptor() is None


def test_a_descriptor_is_not_free_once_the_transport_ends(world: World) -> None:
    world.transport.close()

    assert world.protocol.free_descriptor() is None


@pytest.mark.parametrize("moment", ["with the 101", "with the marks"])
def test_a_send_buffer_that_is_full_before_the_driver_knows_the_connection_is_told(moment: str) -> None:
    class Full(Transport):
        """Its send buffer is full from here on, and it says so once."""

        protocol: WebSocketProtocol

        def write(self, data: bytes) -> None:
            super().write(data)
            if moment == "with the 101":
                self.protocol.pause_writing()

        def set_write_buffer_limits(self, high: int, low: int) -> None:
            super().set_write_buffer_limits(high, low)
            if moment == "with the marks":
                self.protocol.pause_writing()

    async def opened() -> World:
        one = World()
        full = Full()
        full.protocol = one.protocol
        one.protocol.transport = cast("asyncio.Transport", full)
        one.open()
        return one

    assert asyncio.run(opened()).driver.heard[1:] == [Paused(1)]


def test_it_closes_once_and_nothing_is_written_behind(world: World) -> None:
    world.protocol.close(CloseCode.TOKEN_ENDED, "token revoked")
    world.protocol.close(CloseCode.GOING_AWAY, "bye")
    world.protocol.write(b"late")

    assert close_frames(world.transport.written) == [CloseCode.TOKEN_ENDED]
    assert not world.transport.written.endswith(b"late")
    assert world.transport.ended == []


def test_it_ends_when_both_closes_crossed(world: World) -> None:
    world.protocol.data_received(CLOSE)
    world.protocol.close(CloseCode.NORMAL, "")

    assert world.transport.ended == ["closed"]


def test_a_peer_at_fault_is_half_closed_and_not_listened_to(world: World) -> None:
    world.driver.on_frame = lambda: world.protocol.close(CloseCode.POLICY, "too many frames")
    world.protocol.data_received(PING * 3)
    world.protocol.data_received(PING)

    assert world.frames == ["ping"]
    assert world.transport.ended == ["half-closed"]
    world.protocol.data_received(bytes(limits.CLIENT_MESSAGE_BYTES_MAX))
    assert world.transport.ended == ["half-closed", "deaf"]


def test_nothing_is_read_of_a_connection_that_the_hub_aborted(world: World) -> None:
    world.driver.on_frame = world.transport.abort
    world.protocol.data_received(PING * 3)

    assert world.frames == ["ping"]


def test_the_driver_hears_when_the_send_buffer_is_full_and_when_it_has_room(world: World) -> None:
    paused = []
    for report in (world.protocol.pause_writing, world.protocol.resume_writing):
        report()
        paused.append(world.protocol.paused)

    assert paused == [True, False]
    assert world.driver.heard[1:] == [Paused(1), Drained(1)]


def test_a_handshake_that_is_not_answered_in_time_is_cut_off() -> None:
    async def waited() -> list[list[str]]:
        one = World()
        seen = [list(one.transport.ended)]
        async with asyncio.timeout(10):
            while not one.transport.ended:  # noqa: ASYNC110 - what is waited for is a list
                await asyncio.sleep(0.01)
        return [*seen, one.transport.ended]

    assert asyncio.run(waited()) == [[], ["aborted"]]


def test_a_handshake_that_is_answered_is_waited_for_no_more() -> None:
    async def waited() -> list[str]:
        one = World()
        one.open()
        await asyncio.sleep(World.LIMIT_S * 3)
        return one.transport.ended

    assert asyncio.run(waited()) == []
