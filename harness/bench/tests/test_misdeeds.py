"""Each kind of hostile peer does what it says, and the server what it must, a few of them at a time."""

import asyncio
import time
from typing import Any

import pytest

from harness.bench.accounts import admin_token, socket_figures
from harness.bench.hostile_kinds import KINDS
from harness.bench.misdeeds import Count, Plan
from harness.bench.peers import MISDEEDS
from harness.bench.process import Server

PEERS = 6
DEADLINE_S = 40.0


def done(server: Server, kind: str, **named: Any) -> Count:
    """Let a kind loose; the hub must hold nobody and have counted no more and no less than the peers did."""
    chosen: dict[str, Any] = {"admin": "", "tokens": list(server.tokens), "peers": PEERS, "per_s": None, "seconds": 0.2}
    plan, count, before = Plan(kind, server.host, server.port, **(chosen | named)), Count(), socket_figures(server)

    async def let_loose() -> None:
        async with asyncio.timeout(DEADLINE_S):
            await MISDEEDS[kind](plan, count)

    asyncio.run(let_loose())
    deadline = time.monotonic() + DEADLINE_S
    while (after := socket_figures(server)).current_connections and time.monotonic() < deadline:
        pass
    assert after.current_connections == 0
    assert after.total_connections - before.total_connections == count.welcomed
    assert after.messages_sent - before.messages_sent == count.messages
    return count


def test_every_kind_is_done_by_somebody() -> None:
    assert list(MISDEEDS) == [kind.name for kind in KINDS]


@pytest.mark.parametrize("per_s", [None, 500.0])
@pytest.mark.parametrize(
    ("kind", "ended"),
    [("idle", {"1000": PEERS}), ("cycles", {"1000": PEERS}), ("resets", {"reset": PEERS}), ("drip", {"left": PEERS})],
)
def test_peers_come_and_go(server: Server, kind: str, ended: dict[str, int], per_s: float | None) -> None:
    assert done(server, kind, per_s=per_s) == Count(PEERS, PEERS, ended, {})


def test_slow_handshakes_are_ended_by_the_server(server: Server) -> None:
    assert done(server, "loris", seconds=2.0) == Count(0, 0, {"ended by the server": PEERS}, {})


def test_floods_of_pings_are_closed_with_1008(server: Server) -> None:
    count = done(server, "ping_flood", seconds=1.2)

    assert count.welcomed >= PEERS
    assert count.ended == {"1008": count.welcomed}


def test_pings_at_the_limit_are_all_answered(server: Server) -> None:
    count = done(server, "ping_limit", seconds=0.5)

    assert count.ended == {"1000": PEERS}
    assert count.messages > PEERS
    assert count.faults == {}


@pytest.mark.slow
def test_stalled_readers_are_closed_and_what_they_got_has_no_gaps(server: Server) -> None:
    before = socket_figures(server).slow_consumers_closed
    count = done(server, "stalled", admin=admin_token(server), peers=4)

    assert sum(count.ended.values()) == 4
    assert set(count.ended) == {"1013", "1006"}
    assert count.faults == {}
    assert socket_figures(server).slow_consumers_closed - before == 4
