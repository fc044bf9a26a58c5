"""The measures of connects: P1 at 500 new connections a second, and the most that one core takes beside its rivals.

A rival says a welcome as long as the reference server's and looks at nothing else of a handshake; the reference server
checks a token, an origin and the limits of an account, and that is in its figure.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

from msgspec import structs

from harness.bench.accounts import socket_figures
from harness.bench.bars import Figure
from harness.bench.clients import Client, Ready, running
from harness.bench.contest import Play, contested, rates
from harness.bench.contestants import SOCKETS, started
from harness.bench.findings import Findings, of_rate
from harness.bench.load import shown_ms
from harness.bench.machine import shares
from harness.bench.process import Server, serving
from harness.bench.rounds import Round
from harness.bench.setting import Setting
from harness.bench.storm_client import Count, Plan
from harness.bench.windows import median_of, seconds_of

CLIENT: Final = "harness.bench.storm_client"
PER_S: Final = 500
CONNECTIONS_MAX: Final = 15_000
"""One process may have 20,000 files open, and one address some 28,000 ports."""
PER_ACCOUNT_MAX: Final = 25
"""Under the 32 sockets that an account may hold."""
A_ROUND: Final = 1_000
"""Connects in each round of a contest."""
ROUND_S_MAX: Final = 30.0
LATE_S_MAX: Final = 30.0
LEFT_S_MAX: Final = 60.0
WARM_UP_S: Final = 1.0


def connect_storm(setting: Setting) -> Iterator[Figure]:
    """Connect at a steady rate, each socket stays open; the p95 of each window, and of those the median."""
    seconds = min(seconds_of(setting.seconds), CONNECTIONS_MAX / PER_S - WARM_UP_S)
    with serving(setting.server_cores, accounts=CONNECTIONS_MAX // PER_ACCOUNT_MAX) as server:
        plan = Plan(
            server.host, server.port, server.pid, list(server.tokens), PER_S, seconds, CONNECTIONS_MAX, WARM_UP_S
        )
        with running(setting.load_cores, CLIENT, plan) as client:
            count, held = _stormed(client, WARM_UP_S + seconds), _held(server)
    yield figure(count, held)


def figure(count: Count, held: int) -> Figure:
    """Return the p95 to the welcome as a figure; `held` is how many sockets the server said that it had at the end."""
    note = f"{count.welcomed / count.seconds:,.0f} connects/s counted; {_told(count, held)}"
    _, waited = shares(count.server.cpu_s, count.server.waited_s, WARM_UP_S + count.seconds)
    whole = Figure("connect_storm", None, p50_ms=count.p50_ms, p99_ms=count.p99_ms, note=note)
    doubted = structs.replace(whole, waited=waited, lag_ms=count.lag_p99_ms)
    return against(count, held, waited).on(median_of(doubted, count.windows_p95_ms))


def against(count: Count, held: int, waited: float | None) -> Findings:
    """Say what stands against the times that were counted: connects that failed, sockets that ended."""
    faults = [f"{number:,} x {fault}" for fault, number in sorted(count.faults.items())]
    ended = count.begun - sum(count.faults.values()) - count.held
    if ended:
        faults.append(f"{ended:,} sockets ended meanwhile")
    if held != count.held:
        faults.append(f"ws/stats says {held:,} sockets of {count.held:,}")
    rate = of_rate("connects", count.welcomed, PER_S * count.seconds, count.lag_p99_ms, waited)
    return Findings(tuple(faults), () if count.welcomed else ("nobody was welcomed",)) + rate


def connect_rate(setting: Setting) -> Iterator[Figure]:
    """Let each contestant take a thousand connects as fast as they go, five times."""

    @contextlib.contextmanager
    def join(name: str) -> Iterator[Play]:
        with started(setting, name, A_ROUND) as (server, tokens):
            plan = Plan(
                server.host, server.port, server.server_pid, list(tokens), None, ROUND_S_MAX, A_ROUND, warm_up_s=0.0
            )
            with running(setting.load_cores, CLIENT, plan) as client:
                _round(client)
                yield lambda: _round(client)

    contest = contested(setting, SOCKETS, join, f"{A_ROUND:,} welcomed a round, 64 in flight")
    yield from rates(contest, "connect_rate", SOCKETS, "a token is checked")


def _round(client: Client) -> Round:
    """Let a client connect and leave."""
    count = _stormed(client, ROUND_S_MAX)
    client.tell()
    client.said(Ready, LEFT_S_MAX)
    return round_of(count)


def round_of(count: Count) -> Round:
    """Return a storm as a round: void unless every connect was welcomed and was still there at its end."""
    faults = [f"{number:,} x {fault}" for fault, number in sorted(count.faults.items())]
    if not faults and not count.welcomed == count.held == A_ROUND:
        faults = [f"{count.welcomed:,} of {A_ROUND:,} welcomed, {count.held:,} held at the end"]
    return Round(A_ROUND, count.welcomed, 0, count.seconds, count.server, count.client, "; ".join(faults))


def _stormed(client: Client, seconds_max: float) -> Count:
    client.tell()
    return client.said(Count, seconds_max + LATE_S_MAX)


def _held(server: Server) -> int:
    return socket_figures(server).current_connections


def _told(count: Count, held: int) -> str:
    return f"{count.held:,} held, ws/stats says {held:,}; client's lag p99 {shown_ms(count.lag_p99_ms)}"
