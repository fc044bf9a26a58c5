"""The load client, a process of its own: raw keep-alive HTTP/1.1 over N connections, one request at a time on each.

`python -m harness.bench.load` reads a `Plan` as JSON from stdin, puts its load on the server, and prints what it
counted as a `Count`. Requests are bytes made beforehand, answers are looked at only as far as framing and status go,
so that it takes far less of its core than the server of the other.
"""

import asyncio
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Final

import msgspec
from msgspec import Struct

from harness.bench.machine import cpu_s, waited_s

MARK: Final = b"00000000"
"""In a request: the place where its running number stands, so that each can be told from the others."""

LOST: Final = "lost"
"""Among the statuses: connections that the server ended meanwhile."""


class Plan(Struct, frozen=True):
    """What to send: requests in turn over all connections, each as fast as answers come or `rate_per_s` together.

    Counting begins after `warm_up_s` and lasts `seconds`; `server_pid` is whose
    CPU time is read at both ends. `filler_bytes` of nothing follow each request's `head` as the bulk of an upload,
    before its `tail`.
    """

    host: str
    port: int
    server_pid: int
    connections: int
    heads: list[bytes]
    seconds: float
    warm_up_s: float = 1.0
    rate_per_s: float | None = None
    filler_bytes: int = 0
    tail: bytes = b""


class Count(Struct, frozen=True):
    """What was counted: answers within the time, response times from the intended start, by status; CPU in seconds.

    Times are None when there was no answer; `rate_per_s` is what was asked for, None as fast as answers come.
    `waited_s` is how long the server wanted its core and others had it, `lag_p99_ms` how late requests went out that
    fell due at a rate.
    """

    answers: int
    seconds: float
    p50_ms: float | None
    p99_ms: float | None
    statuses: dict[str, int]
    cpu_s: float | None
    waited_s: float | None = None
    lag_p99_ms: float | None = None
    rate_per_s: float | None = None


class Pace:
    """When requests fall due at a rate from `started_ns` on."""

    def __init__(self, per_s: float, started_ns: int) -> None:
        self._period_ns = 1e9 / per_s
        self._started_ns = started_ns
        self._number = 1

    @property
    def next_ns(self) -> int:
        """When the next request falls due."""
        return self._started_ns + round(self._number * self._period_ns)

    def due(self, now_ns: int) -> Iterator[int]:
        """Give each instant that has come, once; never early, so that no response time is negative."""
        while (due_ns := self.next_ns) <= now_ns:
            self._number += 1
            yield due_ns


class Load:
    """One load on one server."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.filler = bytes(plan.filler_bytes)
        self._heads = cycle(plan.heads)
        self._number = 0
        self._idle: deque[Connection] = deque()
        self._due: deque[int] = deque()
        self._transports: list[asyncio.Transport] = []
        self._counting = self._over = self._stopped = False
        self._counted_from: tuple[float | None, float | None, int] = (None, None, 0)
        self._times_ns = array("Q")
        self._late_ns = array("Q")
        self._statuses: Counter[str] = Counter()

    async def run(self) -> Count:
        """Connect, warm up, count."""
        await self.connect()
        self.begin()
        await asyncio.sleep(self.plan.warm_up_s)
        self.start_counting()
        await asyncio.sleep(self.plan.seconds)
        count = self.counted()
        self.end()
        return count

    async def connect(self) -> None:
        """Open all connections."""
        plan, loop = self.plan, asyncio.get_running_loop()
        for _ in range(plan.connections):
            transport, connection = await loop.create_connection(lambda: Connection(self), plan.host, plan.port)
            self._transports.append(transport)
            self._idle.append(connection)

    def begin(self) -> None:
        """Put the load on."""
        if self.plan.rate_per_s is None:
            while self._idle:
                self.ask(self._idle.popleft(), time.monotonic_ns())
        else:
            self._keep(Pace(self.plan.rate_per_s, time.monotonic_ns()), asyncio.get_running_loop())

    def start_counting(self) -> None:
        """Count what is answered from here on."""
        pid = self.plan.server_pid
        self._counted_from = cpu_s(pid), waited_s(pid), time.monotonic_ns()
        self._counting = True

    def counted(self) -> Count:
        """Count no more; return what was counted."""
        self._counting = False
        cpu_before_s, waited_before_s, started_ns = self._counted_from
        cpu, waited = cpu_s(self.plan.server_pid), waited_s(self.plan.server_pid)
        seconds = (time.monotonic_ns() - started_ns) / 1e9
        return self._count(seconds, less(cpu, cpu_before_s), less(waited, waited_before_s))

    def stop(self) -> None:
        """Let nothing more fall due; what has is still sent and answered."""
        self._stopped = True

    def end(self) -> None:
        """End all connections, whatever is on its way."""
        self._over = True
        for transport in self._transports:
            transport.abort()

    def _count(self, seconds: float, cpu: float | None, waited: float | None) -> Count:
        times_ns = sorted(self._times_ns)
        p50_ms, p99_ms = quantile_ms(times_ns, 0.5), quantile_ms(times_ns, 0.99)
        lag_ms = quantile_ms(sorted(self._late_ns), 0.99)
        statuses, per_s = dict(self._statuses), self.plan.rate_per_s
        return Count(len(times_ns), seconds, p50_ms, p99_ms, statuses, cpu, waited, lag_ms, per_s)

    def _keep(self, pace: "Pace", loop: asyncio.AbstractEventLoop) -> None:
        """Send what has fallen due; a request that finds no free connection waits, and its wait counts."""
        if self._over or self._stopped:
            return
        now_ns = time.monotonic_ns()
        for due_ns in pace.due(now_ns):
            if self._counting:
                self._late_ns.append(now_ns - due_ns)
            if self._idle:
                self.ask(self._idle.popleft(), due_ns)
            else:
                self._due.append(due_ns)
        loop.call_later(max(0.0, (pace.next_ns - time.monotonic_ns()) / 1e9), self._keep, pace, loop)

    def ask(self, connection: "Connection", intended_ns: int) -> None:
        """Send the next request."""
        self._number += 1
        head = next(self._heads)
        connection.send(head.replace(MARK, b"%08d" % self._number) if MARK in head else head, intended_ns)

    def answered(self, connection: "Connection", status: bytes, intended_ns: int) -> None:
        """Count an answer and go on with the connection it came on."""
        now_ns = time.monotonic_ns()
        if self._counting:
            self._times_ns.append(now_ns - intended_ns)
            self._statuses[status.decode("latin-1")] += 1
        if self._over:
            return
        if self.plan.rate_per_s is None:
            self.ask(connection, now_ns)
        elif self._due:
            self.ask(connection, self._due.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: "Connection") -> None:
        """Count a connection that the server ended: the load is one fewer from here on, and that must show."""
        if self._over:
            return
        self._statuses[LOST] += 1
        if connection in self._idle:
            self._idle.remove(connection)


class Connection(asyncio.Protocol):
    """One keep-alive connection: a request, its whole answer, the next."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._read = b""
        self._intended_ns = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport."""
        self._transport = transport

    def send(self, head: bytes, intended_ns: int) -> None:
        """Write a request, its bulk too where the plan has one."""
        if self._transport is None:
            return
        self._intended_ns = intended_ns
        self._transport.write(head)
        if self._load.filler:
            self._transport.write(self._load.filler)
            self._transport.write(self._load.plan.tail)

    def data_received(self, data: bytes) -> None:
        """Wait for the end of the answer; its Content-Length says where that is."""
        read = self._read + data if self._read else data
        end = read.find(b"\r\n\r\n")
        if end < 0 or len(read) < end + 4 + _length(read, end):
            self._read = read
            return
        self._read = b""
        self._load.answered(self, read[9:12], self._intended_ns)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        """Say that nothing will come any more."""
        self._load.lost(self)


def _length(read: bytes, end: int) -> int:
    start = read.find(b"content-length: ", 0, end)
    return int(read[start + 16 : read.find(b"\r", start)]) if start >= 0 else 0


def quantile_ms(times_ns: Sequence[int], quantile: float) -> float | None:
    """Return a quantile of sorted times in milliseconds; None of none, which is not to be taken for a good one."""
    return times_ns[min(len(times_ns) - 1, int(len(times_ns) * quantile))] / 1e6 if times_ns else None


def shown_ms(time_ms: float | None, digits: int = 1) -> str:
    """Return a time for a reader."""
    return "unknown" if time_ms is None else f"{time_ms:.{digits}f} ms"


def less(after: float | None, before: float | None) -> float | None:
    """Return the difference of two figures; None where one of them was not to be had."""
    return None if after is None or before is None else after - before


def main() -> None:
    """Read the plan, load, print the count."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        count = runner.run(Load(plan).run())
    sys.stdout.buffer.write(msgspec.json.encode(count))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop's loop where there is one: it costs the load client a third."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
