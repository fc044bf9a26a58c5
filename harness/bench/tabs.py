"""Sockets of a load client: raw bytes over asyncio, one object a connection, little work a frame.

A `Tab` makes its handshake, waits for its welcome, answers the server's pings and notes how it ended; what it does
with a message, a subclass says. Opening and leaving many of them is bounded in number and in time.
"""

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable, Coroutine, Iterable
from itertools import islice
from typing import Final

from harness.bench.load import Pace
from harness.bench.upgrades import opened, upgrade
from harness.simulation.frames import CLOSE, PING, PONG, TEXT, Frame, Reader, close_fields, encode

MASK: Final = b"\x37\xfa\x21\x3d"
"""One for all: it guards proxies between browser and server (RFC 6455 §10.3), and there is none."""
IN_FLIGHT: Final = 64
OPEN_S_MAX: Final = 10.0
LEAVE_S_MAX: Final = 10.0
ABNORMAL: Final = 1006
GOODBYE: Final = encode(CLOSE, struct.pack("!H", 1000), MASK)


Act = Callable[["Tab"], Coroutine[None, None, None]]


class Tab(asyncio.Protocol):
    """One socket, from its handshake to its end."""

    def __init__(self, token: str) -> None:
        loop = asyncio.get_running_loop()
        self._upgrade = upgrade(token)
        self._read = b""
        self._reader: Reader | None = None
        self.transport: asyncio.Transport | None = None
        self.welcomed: asyncio.Future[int | None] = loop.create_future()
        """When the welcome was read, in monotonic nanoseconds; None when it never will be."""
        self.gone: asyncio.Future[int] = loop.create_future()
        """Set when the connection has ended: with the server's close code, or 1006 without one."""
        self.fault = ""
        self.messages = 0
        self.pings = 0
        self._code = ABNORMAL
        self._left = False

    def text(self, payload: bytes, now_ns: int) -> None:
        """Take a message behind the welcome."""

    @property
    def open(self) -> bool:
        """Whether it was welcomed and has not ended."""
        return self.messages > 0 and not self.gone.done()

    def write(self, data: bytes) -> None:
        """Send bytes as they are; nothing when the connection has ended."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def leave(self) -> None:
        """Send a close frame."""
        self._left = True
        self.write(GOODBYE)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Send the handshake."""
        self.transport = transport
        transport.write(self._upgrade)

    def data_received(self, data: bytes) -> None:
        """Take what came, at the instant it was read."""
        now_ns = time.monotonic_ns()
        try:
            if self._reader is None:
                data = self._behind_handshake(data)
            if self._reader is not None:
                for frame in self._reader.feed(data):
                    self._take(frame, now_ns)
        except (RuntimeError, ValueError) as fault:
            self._break(str(fault))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        """Note how it ended."""
        if not self.welcomed.done():
            self.fault = self.fault or "ended before its welcome"
            self.welcomed.set_result(None)
        self.gone.set_result(self._code)

    def _behind_handshake(self, data: bytes) -> bytes:
        self._read += data
        behind = opened(self._read)
        if behind is None:
            return b""
        self._reader, self._read = Reader(), b""
        return behind

    def _take(self, frame: Frame, now_ns: int) -> None:
        if frame.opcode == TEXT:
            self.messages += 1
            if self.messages == 1:
                self.welcomed.set_result(now_ns)
            else:
                self.text(frame.payload, now_ns)
        elif frame.opcode == PING:
            self.pings += 1
            self.write(encode(PONG, frame.payload, MASK))
        elif frame.opcode == CLOSE:
            self._code = close_fields(frame.payload)[0]
            # Answered as RFC 6455 §5.5.1 asks, so that the server need not wait; an answer to our own is not.
            if not self._left:
                self.leave()

    def _break(self, fault: str) -> None:
        self.fault = fault
        if self.transport is not None:
            self.transport.abort()


async def open_tab(host: str, port: int, tab: Tab) -> int | None:
    """Connect a tab; return when its welcome was read, None when there is none: `tab.fault` then says why."""
    try:
        async with asyncio.timeout(OPEN_S_MAX):
            await asyncio.get_running_loop().create_connection(lambda: tab, host, port)
            return await asyncio.shield(tab.welcomed)
    except (OSError, TimeoutError) as fault:
        tab.fault = tab.fault or str(fault) or f"no welcome within {OPEN_S_MAX:g} s"
        if tab.transport is not None:
            tab.transport.abort()
        return None


async def open_tabs(host: str, port: int, tabs: Iterable[Tab]) -> None:
    """Open all, a few at a time; raises RuntimeError at the first that is not welcomed."""

    async def open_one(tab: Tab) -> None:
        if await open_tab(host, port, tab) is None:
            raise RuntimeError(f"a socket could not be opened: {tab.fault}")

    await each(tabs, open_one)


async def leave(tab: Tab) -> None:
    """Close as a browser does, and wait until the server has ended the connection; abort when it does not."""
    tab.leave()
    await wait_gone(tab, LEAVE_S_MAX)


async def wait_gone(tab: Tab, seconds: float) -> bool:
    """Wait until a connection has ended; say whether the server did that in time, else it is ended here."""
    if tab.transport is None:
        return True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.shield(tab.gone)
            return True
    tab.transport.abort()
    return False


async def leave_tabs(tabs: Iterable[Tab]) -> None:
    """Leave all, a few at a time."""
    await each(tabs, leave)


async def each(tabs: Iterable[Tab], act: Act) -> None:
    """Do something with each tab, a few at a time, each next one as soon as one is done."""
    waiting = iter(tabs)

    async def one_by_one() -> None:
        for tab in waiting:
            await act(tab)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(one_by_one())


async def each_due(tabs: Iterable[Tab], act: Act, per_s: float) -> None:
    """Begin something with each tab at a steady rate, whatever became of those before."""
    pace = Pace(per_s, time.monotonic_ns())
    waiting = iter(tabs)
    async with asyncio.TaskGroup() as group:
        while True:
            due = len(list(pace.due(time.monotonic_ns())))
            for tab in (begun := list(islice(waiting, due))):
                group.create_task(act(tab))
            if len(begun) < due:
                break
            await asyncio.sleep(max(0.0, (pace.next_ns - time.monotonic_ns()) / 1e9))
