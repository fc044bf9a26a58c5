"""What hostile peers do: a function a kind, which counts what it did and what the server did to it.

All read their welcome first (a slow handshake apart, which never gets one), so that the hub's figures can be held to
an exact sum. Stalled readers have a module of their own, `stalling`.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Final

from msgspec import Struct, field

from harness.bench.load import Pace
from harness.bench.tabs import LEAVE_S_MAX, MASK, Act, Tab, each, each_due, leave, leave_tabs, open_tab, wait_gone
from harness.bench.upgrades import upgrade
from harness.simulation.frames import PING, TEXT, encode
from reference_server.contract.limits import ABORT_AFTER_CLOSE_S, FRAME_BURST_MAX, FRAMES_PER_S

LINGER_NOT: Final = struct.pack("ii", 1, 0)
FLOOD: Final = encode(PING, b"", MASK) * (2 * FRAME_BURST_MAX)
FLOOD_PAUSE_S: Final = 1.0
PING_TEXT: Final = encode(TEXT, b'{"type":"ping"}', MASK)
LONG_FRAME: Final = encode(TEXT, bytes(1_000), MASK)
LONG_FRAME_HEAD: Final = 8
BYTE_S: Final = 1.0
SETTLE_S: Final = 0.01


class Plan(Struct, frozen=True):
    """Who is hostile to which server; they come at `per_s`, None as fast as a few in flight go, for `seconds`."""

    kind: str
    host: str
    port: int
    admin: str
    tokens: list[str]
    peers: int
    per_s: float | None
    seconds: float


class Count(Struct):
    """What became of them: welcomes read; messages that the hub queued for them; how they ended, by code or word."""

    welcomed: int = 0
    messages: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)

    def end(self, how: str | int) -> None:
        """Note how one ended."""
        self.ended[str(how)] = self.ended.get(str(how), 0) + 1

    def welcome(self, read_ns: int | None, tab: Tab) -> bool:
        """Note that a tab was welcomed, or why not; say which."""
        if read_ns is None:
            self.fault(tab.fault)
            return False
        self.welcomed += 1
        self.messages += 1
        return True

    def fault(self, what: str) -> None:
        """Note what the server should not have done."""
        self.faults[what] = self.faults.get(what, 0) + 1


async def idle(plan: Plan, count: Count) -> None:
    """Be there, say nothing, leave all together, as fast as a few in flight go."""
    tabs = await _opened(plan, count)
    await asyncio.sleep(plan.seconds)
    await leave_tabs(tabs)
    for tab in tabs:
        count.end(await tab.gone)


async def cycles(plan: Plan, count: Count) -> None:
    """Connect, read the welcome, close, over and over."""

    async def once(tab: Tab) -> None:
        if await _welcomed(plan, tab, count):
            await leave(tab)
            count.end(await tab.gone)

    await _each(plan, once)


async def resets(plan: Plan, count: Count) -> None:
    """Reset the connection in the middle of a frame."""

    async def once(tab: Tab) -> None:
        if await _welcomed(plan, tab, count) and tab.transport is not None:
            tab.write(LONG_FRAME[: len(LONG_FRAME) // 2])
            await asyncio.sleep(SETTLE_S)
            tab.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            tab.transport.abort()
            await tab.gone
            count.end("reset")

    await _each(plan, once)


async def drip(plan: Plan, count: Count) -> None:
    """Open a long frame and send the rest of it a byte a second."""
    tabs = await _opened(plan, count)
    for tab in tabs:
        tab.write(LONG_FRAME[:LONG_FRAME_HEAD])
    await _dripped([tab.write for tab in tabs], LONG_FRAME[LONG_FRAME_HEAD:], plan.seconds)
    for tab in tabs:
        count.end("left" if tab.open else await tab.gone)
        if tab.transport is not None:
            tab.transport.abort()


class Dribbler(asyncio.Protocol):
    """A connection that is not yet a socket."""

    def __init__(self) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport."""
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send bytes as they are; nothing when the connection has ended."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        """Note that it has ended."""
        self.gone.set_result(None)


async def loris(plan: Plan, count: Count) -> None:
    """Send the head of a handshake a byte a second, until the server has had enough."""
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(Dribbler, plan.host, plan.port) for _ in range(plan.peers)]
    await _dripped([dribbler.write for _, dribbler in opened], upgrade(plan.tokens[0]), plan.seconds)
    for transport, dribbler in opened:
        count.end("ended by the server" if dribbler.gone.done() else "left")
        transport.abort()


async def ping_flood(plan: Plan, count: Count) -> None:
    """Send more pings at once than are allowed; come again a second after being closed."""
    until_s = time.monotonic() + plan.seconds
    tokens = cycle(plan.tokens)

    async def again_and_again(delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        while time.monotonic() < until_s:
            tab = Tab(next(tokens))
            if await _welcomed(plan, tab, count):
                tab.write(FLOOD)
                await wait_gone(tab, ABORT_AFTER_CLOSE_S + LEAVE_S_MAX)
                count.end(await tab.gone)
            await asyncio.sleep(FLOOD_PAUSE_S)

    async with asyncio.TaskGroup() as group:
        for number in range(plan.peers):
            group.create_task(again_and_again(number / plan.peers * FLOOD_PAUSE_S))


async def ping_limit(plan: Plan, count: Count) -> None:
    """Send as many pings a second as are allowed for ever, and expect each answered."""
    tabs = await _opened(plan, count)
    pace, peers, sent = Pace(FRAMES_PER_S * len(tabs), time.monotonic_ns()), cycle(tabs), 0
    until_ns = time.monotonic_ns() + round(plan.seconds * 1e9)
    while pace.next_ns < until_ns:
        for _ in pace.due(time.monotonic_ns()):
            next(peers).write(PING_TEXT)
            sent += 1
        await asyncio.sleep(max(0.0, (pace.next_ns - time.monotonic_ns()) / 1e9))
    await leave_tabs(tabs)
    pongs = sum(tab.messages - 1 for tab in tabs)
    count.messages += sent
    for tab in tabs:
        count.end(await tab.gone)
    if pongs != sent:
        count.fault(f"{sent:,} pings had {pongs:,} pongs")


async def _opened(plan: Plan, count: Count) -> list[Tab]:
    """Open them all, at the plan's rate where it has one."""
    tabs: list[Tab] = []

    async def once(tab: Tab) -> None:
        if await _welcomed(plan, tab, count):
            tabs.append(tab)

    await _each(plan, once)
    return tabs


async def _each(plan: Plan, once: Act) -> None:
    """Do something with each peer: at the plan's rate, or as fast as a few in flight go."""
    tabs = (Tab(token) for token in islice(cycle(plan.tokens), plan.peers))
    await (each(tabs, once) if plan.per_s is None else each_due(tabs, once, plan.per_s))


async def _welcomed(plan: Plan, tab: Tab, count: Count) -> bool:
    return count.welcome(await open_tab(plan.host, plan.port, tab), tab)


async def _dripped(writes: Sequence[Callable[[bytes], None]], data: bytes, seconds: float) -> None:
    """Send a byte to each, every second, spread over it."""
    pace, until_ns = Pace(len(writes) / BYTE_S, time.monotonic_ns()), time.monotonic_ns() + round(seconds * 1e9)
    bytes_ = (data[at : at + 1] for at in range(len(data)))
    turns = ((write, byte) for byte in bytes_ for write in writes)
    while pace.next_ns < until_ns:
        for write, byte in islice(turns, len(list(pace.due(time.monotonic_ns())))):
            write(byte)
        await asyncio.sleep(max(0.0, (pace.next_ns - time.monotonic_ns()) / 1e9))
