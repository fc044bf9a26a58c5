"""A storm opens what fell due, holds it, and tells what was refused."""

import asyncio
from typing import Any

import pytest

from harness.bench.clients import running
from harness.bench.process import Server
from harness.bench.storm import CLIENT, CONNECTIONS_MAX, PER_ACCOUNT_MAX
from harness.bench.storm_client import Count, Plan, Storm
from reference_server.contract.limits import SOCKETS_PER_ACCOUNT_MAX


def plan(server: Server, **named: Any) -> Plan:
    chosen: dict[str, Any] = {
        "tokens": list(server.tokens),
        "per_s": 100.0,
        "seconds": 0.3,
        "connections_max": 100,
        "warm_up_s": 0.1,
    }
    return Plan(server.host, server.port, **(chosen | named))


def test_no_account_of_the_storm_holds_more_sockets_than_it_may() -> None:
    assert CONNECTIONS_MAX % PER_ACCOUNT_MAX == 0
    assert PER_ACCOUNT_MAX < SOCKETS_PER_ACCOUNT_MAX


def test_what_falls_due_in_the_time_is_counted_and_all_stay(server: Server) -> None:
    with running(frozenset(), CLIENT, plan(server)) as client:
        count = client.said(Count, 20.0)

    # What falls due while warming up is opened and held, not counted.
    assert (count.welcomed, count.held) == (30, 39)
    assert count.faults == {}
    assert 0 < count.p50_ms <= count.p95_ms <= count.p99_ms


@pytest.mark.parametrize("most", [1, 70])
def test_a_closed_loop_opens_at_most_so_many(server: Server, most: int) -> None:
    async def storm() -> Count:
        one = Storm(plan(server, per_s=None, connections_max=most, seconds=20.0, warm_up_s=0.0))
        count = await one.run()
        for tab in one.tabs:
            if tab.transport is not None:
                tab.transport.abort()
        return count

    count = asyncio.run(storm())
    assert most <= count.welcomed == count.held < most + 64
    assert count.seconds < 20.0


def test_refused_handshakes_show(server: Server) -> None:
    count = asyncio.run(Storm(plan(server, tokens=["no.such.token"], seconds=0.05)).run())

    assert count.welcomed == count.held == 0
    assert ["401" in fault for fault in count.faults] == [True]
