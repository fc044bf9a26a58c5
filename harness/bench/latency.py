"""The load client of latency: sockets that hear numbered messages, and the publishes at a steady rate that cause them.

`python -m harness.bench.latency`; see `clients` for how it is led: it is ready when its sockets are open and its
publishes go out, counts from the next word to the one after, then stops, waits for quiet and says its `Count`; its
sockets stay until its input ends. A time is from the instant a publish was due to the read of its message, all on one
clock: what waits because the server or this client is late is not left out.
"""

import asyncio
import gc
import time
from array import array
from typing import Final

from msgspec import Struct

from harness.bench import load
from harness.bench.clients import Ready, heard_more, heard_plan, say
from harness.bench.lag import Lag
from harness.bench.ledger import Ledger, Tally
from harness.bench.load import Load, less, loop_factory, quantile_ms
from harness.bench.machine import waited_s
from harness.bench.numbering import number_of
from harness.bench.tabs import Tab, open_tabs
from harness.bench.windows import Times

_STATUS: Final = b'"status":"'
QUIET_S_MAX: Final = 15.0
LOOK_S: Final = 0.02


class Plan(Struct, frozen=True):
    """Who hears what.

    Each of `tokens` opens `tabs` sockets; `publishes` has a request for each of them in the same order, whose messages
    go to exactly those; they are sent in turn over `connections`, `per_s` together. Each publish causes a message,
    or one for each status in `steps`, of which the first is timed. `calls` go out beside them; each of `idle` opens
    `idle_tabs` sockets that only have to be there.
    """

    host: str
    port: int
    server_pid: int
    tokens: list[str]
    tabs: int
    publishes: list[bytes]
    per_s: float
    connections: int = 64
    steps: list[str] = []
    calls: list[bytes] = []
    calls_per_s: float = 0.0
    idle: list[str] = []
    idle_tabs: int = 0


class Count(Struct, frozen=True):
    """What was counted: times of publishes that fell due in the time; the ledger of all, from the first to quiet."""

    seconds: float
    timed: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    lag_p99_ms: float | None
    tally: Tally
    publishes: load.Count
    calls: load.Count | None
    held: int
    messages: int
    pings: int
    backlog: int
    server_waited: float | None
    """The part of the time that the server was ready to run and its core was another process's."""
    windows_p99_ms: list[float | None]
    unanswered: int = 0
    """Publishes that had no answer at quiet."""


class Listener(Tab):
    """One socket that hears."""

    def __init__(self, latency: "Latency", account: int, slot: int) -> None:
        super().__init__(latency.plan.tokens[account])
        self._latency = latency
        self._account = account
        self._slot = slot

    def text(self, payload: bytes, now_ns: int) -> None:
        """Pass a message on."""
        self._latency.heard(payload, now_ns, self._account, self._slot)


class Publisher(Load):
    """The publishes: each is entered in the ledger before it is sent, and struck out when it was refused."""

    def __init__(self, plan: load.Plan, ledger: Ledger) -> None:
        super().__init__(plan)
        self.due_ns = array("Q")
        self._ledger = ledger
        self._asked: dict[load.Connection, int] = {}

    @property
    def backlog(self) -> int:
        """How many fell due and are not answered."""
        return len(self._due) + len(self._asked)

    def ask(self, connection: load.Connection, intended_ns: int) -> None:
        """Send the next."""
        self.due_ns.append(intended_ns)
        number = self._asked[connection] = len(self.due_ns)
        self._ledger.expect(number)
        super().ask(connection, intended_ns)

    def answered(self, connection: load.Connection, status: bytes, intended_ns: int) -> None:
        """Hold the ledger to what was accepted."""
        number = self._asked.pop(connection)
        if not status.startswith(b"2"):
            self._ledger.refuse(number)
        super().answered(connection, status, intended_ns)


class Latency:
    """One such load on one server."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._steps = {step[:3].encode(): index for index, step in enumerate(plan.steps)}
        self._ledger = Ledger(plan.tabs * max(1, len(plan.steps)))
        self._publisher = Publisher(self._load(plan.publishes, plan.per_s, plan.connections), self._ledger)
        self._caller = Load(self._load(plan.calls, plan.calls_per_s, 8)) if plan.calls else None
        self._times = Times()
        self._window_ns = [0, 0]
        self._waited_s: float | None = None
        self._lag = Lag()
        self.tabs: list[Tab] = []

    async def run(self) -> None:
        """Open, publish, count, wait for quiet, stay."""
        await self._open()
        self._begin()
        say(Ready())
        await asyncio.to_thread(heard_more)
        self._start_counting()
        await asyncio.to_thread(heard_more)
        say(await self._stopped())
        # Its connections stay as well: who reads the server's memory now reads it with as many as before.
        await asyncio.to_thread(heard_more)
        for one in self._loads():
            one.end()

    async def _open(self) -> None:
        plan = self.plan
        self.tabs += [Listener(self, account, slot) for slot in range(plan.tabs) for account in range(len(plan.tokens))]
        self.tabs += [Tab(token) for token in plan.idle for _ in range(plan.idle_tabs)]
        await open_tabs(plan.host, plan.port, self.tabs)
        for one in self._loads():
            await one.connect()

    def _begin(self) -> None:
        for one in self._loads():
            one.begin()

    def _start_counting(self) -> None:
        self._lag.start()
        for one in self._loads():
            one.start_counting()
        self._waited_s = waited_s(self.plan.server_pid)
        self._window_ns = [time.monotonic_ns(), (1 << 63) - 1]

    async def _stopped(self) -> Count:
        """End the load; what fell due is still sent, so that the slowest are not left out."""
        self._window_ns[1] = time.monotonic_ns()
        self._waited_s = less(waited_s(self.plan.server_pid), self._waited_s)
        self._lag.stop()
        backlog = self._publisher.backlog
        for one in self._loads():
            one.stop()
        published = self._publisher.counted()
        called = None if self._caller is None else self._caller.counted()
        await self._quiet()
        return self._count(published, called, backlog)

    async def _quiet(self) -> None:
        """Wait until every publish is answered and every message has come, or long enough for it."""
        for _ in range(round(QUIET_S_MAX / LOOK_S)):
            if self._ledger.complete and not self._publisher.backlog:
                break
            await asyncio.sleep(LOOK_S)
        # A message that comes twice would come about now.
        await asyncio.sleep(LOOK_S * 10)

    def heard(self, payload: bytes, now_ns: int, account: int, slot: int) -> None:
        """Enter a message in the ledger, and its time if it is one that is timed."""
        number, step = number_of(payload), self._step_of(payload)
        if not number or step < 0:
            return
        if (number - 1) % len(self.plan.tokens) != account:
            self._ledger.take_foreign()
            return
        self._ledger.take(number, step * self.plan.tabs + slot)
        if step == 0 and 0 < number <= len(self._publisher.due_ns):
            due_ns = self._publisher.due_ns[number - 1]
            if self._window_ns[0] <= due_ns < self._window_ns[1]:
                self._times.add(due_ns, now_ns)

    def _step_of(self, payload: bytes) -> int:
        """Return which step of its publish a message is; -1 for one that is not counted."""
        if not self._steps:
            return 0
        at = payload.find(_STATUS) + len(_STATUS)
        return self._steps.get(payload[at : at + 3], -1)

    def _count(self, published: load.Count, called: load.Count | None, backlog: int) -> Count:
        times_ns = self._times.all()
        seconds = (self._window_ns[1] - self._window_ns[0]) / 1e9
        return Count(
            seconds=seconds,
            timed=len(times_ns),
            p50_ms=quantile_ms(times_ns, 0.5),
            p99_ms=quantile_ms(times_ns, 0.99),
            max_ms=quantile_ms(times_ns, 1.0),
            lag_p99_ms=self._lag.p99_ms(),
            tally=self._ledger.tally(),
            publishes=published,
            calls=called,
            held=sum(tab.open for tab in self.tabs),
            messages=sum(tab.messages for tab in self.tabs),
            pings=sum(tab.pings for tab in self.tabs),
            backlog=backlog,
            server_waited=None if self._waited_s is None else self._waited_s / seconds,
            windows_p99_ms=self._times.windows_ms(0.99, *self._window_ns),
            unanswered=self._publisher.backlog,
        )

    def _loads(self) -> list[Load]:
        return [self._publisher] if self._caller is None else [self._publisher, self._caller]

    def _load(self, heads: list[bytes], per_s: float, connections: int) -> load.Plan:
        plan = self.plan
        return load.Plan(plan.host, plan.port, plan.server_pid, connections, heads, 0.0, rate_per_s=per_s)


def main() -> None:
    """Read the plan, be led through it."""
    gc.disable()  # the run is short, and a collection would stop the clock of every socket
    plan = heard_plan(Plan)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_led(plan))


async def _led(plan: Plan) -> None:
    latency = Latency(plan)
    await latency.run()
    for tab in latency.tabs:
        if tab.transport is not None:
            tab.transport.abort()


if __name__ == "__main__":
    main()
