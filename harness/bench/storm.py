"""The measure of the connect storm: P1 at 500 new connections a second, and the most that one core takes."""

from collections.abc import Iterator
from typing import Final

from harness.bench.accounts import socket_figures
from harness.bench.bars import Figure
from harness.bench.clients import running
from harness.bench.process import Server, serving
from harness.bench.setting import Setting
from harness.bench.storm_client import Count, Plan

CLIENT: Final = "harness.bench.storm_client"
PER_S: Final = 500
CONNECTIONS_MAX: Final = 15_000
"""One process may have 20,000 files open, and one address some 28,000 ports."""
PER_ACCOUNT_MAX: Final = 25
"""Under the 32 sockets that an account may hold."""
LATE_S_MAX: Final = 30.0
WARM_UP_S: Final = 1.0


def connect_storm(setting: Setting) -> Iterator[Figure]:
    """Connect at a steady rate, then as fast as it goes; every socket stays open meanwhile."""
    seconds = min(setting.seconds, CONNECTIONS_MAX / PER_S - WARM_UP_S)
    steady, held = _stormed(setting, PER_S, seconds)
    note = f"{steady.welcomed / steady.seconds:,.0f} connects/s counted; {_told(steady, held)}"
    yield Figure("connect_storm", steady.p95_ms, p50_ms=steady.p50_ms, p99_ms=steady.p99_ms, note=note)
    fastest, held = _stormed(setting, None, setting.seconds)
    rate = fastest.welcomed / fastest.seconds
    note = f"64 in flight for {fastest.seconds:.1f} s; {_told(fastest, held)}"
    yield Figure("connect_rate", rate, p50_ms=fastest.p50_ms, p99_ms=fastest.p99_ms, note=note)


def _stormed(setting: Setting, per_s: float | None, seconds: float) -> tuple[Count, int]:
    with serving(setting.server_cores, accounts=CONNECTIONS_MAX // PER_ACCOUNT_MAX) as server:
        plan = Plan(server.host, server.port, list(server.tokens), per_s, seconds, CONNECTIONS_MAX, WARM_UP_S)
        with running(setting.load_cores, CLIENT, plan) as client:
            count = client.said(Count, WARM_UP_S + seconds + LATE_S_MAX)
            return count, _held(server)


def _held(server: Server) -> int:
    return socket_figures(server).current_connections


def _told(count: Count, held: int) -> str:
    faults = "".join(f"; {number:,} x {fault}" for fault, number in sorted(count.faults.items()))
    return f"{count.held:,} held, ws/stats says {held:,}; client's lag p99 {count.lag_p99_ms:.1f} ms{faults}"
