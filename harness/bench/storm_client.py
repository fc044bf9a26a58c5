"""The load client of the connect storm: new sockets at a steady rate, or as fast as a few in flight go.

`python -m harness.bench.storm_client`; see `clients` for how it is led: told to go on it storms and says its `Count`,
told again it leaves and says `Ready` for the next storm.
"""

import asyncio
import gc
import os
import time
from collections import Counter
from itertools import cycle
from typing import Final

from msgspec import Struct

from harness.bench.clients import Ready, heard_more, heard_plan, say
from harness.bench.lag import Lag
from harness.bench.load import Pace, loop_factory, quantile_ms
from harness.bench.rounds import Spent
from harness.bench.tabs import IN_FLIGHT, OPEN_S_MAX, Tab, leave_tabs, open_tab
from harness.bench.windows import Times

LATE_S_MAX: Final = OPEN_S_MAX + 1.0


class Plan(Struct, frozen=True):
    """Connect for `seconds` behind `warm_up_s`: at `per_s`, or else closed-loop until `connections_max` are open."""

    host: str
    port: int
    server_pid: int
    tokens: list[str]
    per_s: float | None
    seconds: float
    connections_max: int
    warm_up_s: float = 1.0


class Count(Struct, frozen=True):
    """What was counted: welcomes of connects that fell due in the time, times from then to the welcome.

    What server and client spent is that of the whole storm, warming up included.
    """

    welcomed: int
    seconds: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    lag_p99_ms: float | None
    held: int
    faults: dict[str, int]
    server: Spent
    client: Spent
    windows_p95_ms: list[float | None]
    begun: int = 0
    """Connects of the whole storm, whatever became of them."""


class Storm:
    """One storm on one server; every socket stays until the end."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.tabs: list[Tab] = []
        self._tokens = cycle(plan.tokens)
        self._times = Times()
        self._faults: Counter[str] = Counter()
        self._window_ns = (0, 0)
        self._lag = Lag()

    async def run(self) -> Count:
        """Warm up, count, wait for the last welcome."""
        started_ns = time.monotonic_ns()
        from_ns = started_ns + round(self.plan.warm_up_s * 1e9)
        self._window_ns = (from_ns, from_ns + round(self.plan.seconds * 1e9))
        pids = (self.plan.server_pid, os.getpid())
        before = [Spent.by(pid) for pid in pids]
        self._lag.start()
        if self.plan.per_s is None:
            until_ns = await self._closed_loop()
        else:
            until_ns = await self._open_loop(Pace(self.plan.per_s, started_ns))
        self._lag.stop()
        server, client = (Spent.by(pid).since(earlier) for pid, earlier in zip(pids, before, strict=True))
        return self._count((until_ns - from_ns) / 1e9, server, client)

    async def _open_loop(self, pace: Pace) -> int:
        until_ns = self._window_ns[1]
        async with asyncio.timeout(self.plan.warm_up_s + self.plan.seconds + LATE_S_MAX), asyncio.TaskGroup() as group:
            while pace.next_ns < until_ns:
                for due_ns in pace.due(min(time.monotonic_ns(), until_ns - 1)):
                    group.create_task(self._connect(due_ns))
                await asyncio.sleep(max(0.0, (pace.next_ns - time.monotonic_ns()) / 1e9))
        return until_ns

    async def _closed_loop(self) -> int:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(self._again_and_again())
        return min(time.monotonic_ns(), self._window_ns[1])

    async def _again_and_again(self) -> None:
        while len(self.tabs) < self.plan.connections_max and (now_ns := time.monotonic_ns()) < self._window_ns[1]:
            await self._connect(now_ns)

    async def _connect(self, due_ns: int) -> None:
        tab = Tab(next(self._tokens))
        self.tabs.append(tab)
        read_ns = await open_tab(self.plan.host, self.plan.port, tab)
        if read_ns is None:
            self._faults[tab.fault] += 1
        elif self._window_ns[0] <= due_ns < self._window_ns[1]:
            self._times.add(due_ns, read_ns)

    def _count(self, seconds: float, server: Spent, client: Spent) -> Count:
        times_ns = self._times.all()
        p50_ms, p95_ms, p99_ms = (quantile_ms(times_ns, quantile) for quantile in (0.5, 0.95, 0.99))
        held = sum(tab.open for tab in self.tabs)
        lag_p99_ms, faults = self._lag.p99_ms(), dict(self._faults)
        windows_ms = self._times.windows_ms(0.95, *self._window_ns)
        counted = (len(times_ns), seconds, p50_ms, p95_ms, p99_ms, lag_p99_ms, held, faults)
        return Count(*counted, server, client, windows_ms, len(self.tabs))


async def _led(plan: Plan) -> None:
    while await asyncio.to_thread(heard_more):
        storm = Storm(plan)
        say(await storm.run())
        again = await asyncio.to_thread(heard_more)
        await leave_tabs(storm.tabs)
        if not again:
            return
        gc.collect()
        say(Ready())


def main() -> None:
    """Read the plan, be led through its storms."""
    gc.disable()  # a storm is short, and a collection would stop the clock of every socket
    plan = heard_plan(Plan)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_led(plan))


if __name__ == "__main__":
    main()
