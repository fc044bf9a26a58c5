"""The measures of directed pushes: P2 from a submit to both of its owner's tabs, and the rate of them beside rivals.

For the rate each publish names the two tabs of one of 500 accounts: the reference server is asked by the admin's
`POST /ws/send`, a rival by a request whose path names two connections.
"""

import time
from collections.abc import Iterator
from typing import Final

from msgspec import structs

from harness.bench.bars import Figure
from harness.bench.calls import head
from harness.bench.clients import Client, Ready, running
from harness.bench.contest import rates
from harness.bench.contestants import SOCKETS
from harness.bench.fan_out import CONNECTIONS, published
from harness.bench.findings import Findings, of_load, of_tally
from harness.bench.latency import Count, Plan
from harness.bench.load import shown_ms
from harness.bench.machine import shares
from harness.bench.numbering import NUMBERED
from harness.bench.process import serving
from harness.bench.setting import Setting
from harness.bench.windows import median_of, seconds_of

CLIENT: Final = "harness.bench.latency"
PER_S: Final = 2_000
ACCOUNTS: Final = 200
TABS: Final = 2
IN_FLIGHT: Final = 8
STEPS: Final = ["queued", "running", "completed"]
TASK_MS: Final = "20:60"
WORKERS: Final = 500
"""Tasks of 40 ms on average keep 80 of them busy at 2,000 a second: the executor is never what waits."""
WARM_UP_S: Final = 1.0
READY_S_MAX: Final = 60.0
COUNT_S_MAX: Final = 45.0


def directed(setting: Setting) -> Iterator[Figure]:
    """Submit at a steady rate; time `queued` on each tab, and expect every other push too, of the whole run."""
    options = ("--task-ms", TASK_MS, "--workers", str(WORKERS))
    with serving(setting.server_cores, *options, accounts=ACCOUNTS) as server:
        tokens = list(server.tokens)
        submits = [head("POST", "/tasks/submit", token, {"query": NUMBERED, "budget": 1}) for token in tokens]
        plan = Plan(server.host, server.port, server.pid, tokens, TABS, submits, PER_S, steps=STEPS)
        with running(setting.load_cores, CLIENT, plan) as client:
            client.said(Ready, READY_S_MAX)
            count = counted(client, seconds_of(setting.seconds))
    note = f"{told(count)}; tasks of {TASK_MS} ms, {WORKERS} workers"
    yield median_of(figure("directed", count, note), count.windows_p99_ms)


def directed_rate(setting: Setting) -> Iterator[Figure]:
    """Publish to two tabs of a thousand after the other, a few publishes in flight, beside the rivals."""
    contest = published(setting, SOCKETS, IN_FLIGHT, audiences=CONNECTIONS // TABS)
    yield from rates(contest, "directed_rate", SOCKETS, "each publish is a call of the REST API")


def figure(name: str, count: Count, note: str) -> Figure:
    """Return the p99 of the pushes as a figure, held to the ledger; beside it what a publish cost the server."""
    publishes = count.publishes
    cpu_us = None if publishes.cpu_s is None or not publishes.answers else publishes.cpu_s / publishes.answers * 1e6
    found = Figure(name, count.p99_ms, cpu_us, count.p50_ms, count.p99_ms, note=note)
    return against(count).on(doubted(found, count))


def against(count: Count) -> Findings:
    """Say what stands against the times that were counted."""
    publishes, tally = count.publishes, count.tally
    before = tally.refused - sum(number for status, number in publishes.statuses.items() if not status.startswith("2"))
    outside = (f"{before:,} publishes refused outside the time",) if before > 0 else ()
    never = (f"{count.unanswered:,} publishes never answered",) if count.unanswered else ()
    own = Findings(outside + never, () if count.timed else ("nothing was timed",))
    return of_tally(tally) + of_load("publishes", publishes) + own


def doubted(figure: Figure, count: Count) -> Figure:
    """Return a figure with what a verdict looks at besides: how long the server waited, how late the client was."""
    seconds = count.publishes.seconds
    wanted_s = None if count.server_waited is None else count.server_waited * seconds
    _, waited = shares(count.publishes.cpu_s, wanted_s, seconds)
    return structs.replace(figure, waited=waited, lag_ms=count.lag_p99_ms)


def counted(client: Client, seconds: float) -> Count:
    """Let a client that is ready warm up, and then count for so long."""
    time.sleep(WARM_UP_S)
    client.tell()
    time.sleep(seconds)
    client.tell()
    return client.said(Count, COUNT_S_MAX)


def told(count: Count) -> str:
    """Say what load there was in the time, what became of its messages, and how late the client itself was."""
    publishes, tally = count.publishes, count.tally
    parts = [f"{publishes.answers / publishes.seconds:,.0f} publishes/s answered"]
    if count.backlog > count.publishes.answers // 100:
        parts.append(f"{count.backlog:,} behind at the end")
    if publishes.cpu_s is not None:
        parts.append(f"server core {publishes.cpu_s / publishes.seconds:.0%} busy")
    if count.server_waited is not None:
        parts.append(f"the server waited {count.server_waited:.0%} of the time for its core")
    parts.append(f"ledger {tally.received:,} of {tally.expected:,}")
    parts += [f"max {shown_ms(count.max_ms, 0)}", f"client's lag p99 {shown_ms(count.lag_p99_ms)}"]
    return "; ".join(parts)
