"""A storm opens what fell due, holds it, and tells what was refused."""

import asyncio
import importlib.util
from typing import Any

import msgspec
import pytest

from harness.bench import contest, storm
from harness.bench.accounts import socket_figures
from harness.bench.bars import BARS
from harness.bench.clients import Ready, running
from harness.bench.contestants import OURS, SOCKETS
from harness.bench.process import Server
from harness.bench.report import verdict
from harness.bench.rounds import Spent
from harness.bench.setting import Setting
from harness.bench.storm import A_ROUND, CLIENT, CONNECTIONS_MAX, PER_ACCOUNT_MAX, connect_rate, round_of
from harness.bench.storm_client import Count, Plan, Storm
from reference_server.contract.limits import SOCKETS_PER_ACCOUNT_MAX

ANYWHERE = Setting(seconds=0.1, server_cores=frozenset(), load_cores=frozenset())
BAR = next(bar for bar in BARS if bar.name == "connect_storm")
STEADY = Count(2_500, 5.0, 1.0, 2.0, 3.0, 0.1, 3_000, {}, Spent(0.4), Spent(0.2), [2.0] * 5, 3_000)
WHOLE = Count(A_ROUND, 0.5, 1.0, 2.0, 3.0, 0.1, A_ROUND, {}, Spent(0.4), Spent(0.2), [])


def plan(server: Server, **named: Any) -> Plan:
    chosen: dict[str, Any] = {
        "tokens": list(server.tokens),
        "per_s": 100.0,
        "seconds": 0.3,
        "connections_max": 100,
        "warm_up_s": 0.1,
    }
    return Plan(server.host, server.port, server.pid, **(chosen | named))


def test_no_account_of_the_storm_holds_more_sockets_than_it_may() -> None:
    assert CONNECTIONS_MAX % PER_ACCOUNT_MAX == 0
    assert PER_ACCOUNT_MAX < SOCKETS_PER_ACCOUNT_MAX


def test_what_falls_due_in_the_time_is_counted_and_all_stay(server: Server) -> None:
    with running(frozenset(), CLIENT, plan(server)) as client:
        client.tell()
        count = client.said(Count, 20.0)

    # What falls due while warming up is opened and held, not counted.
    assert (count.welcomed, count.held) == (30, 39)
    assert count.faults == {}
    assert None not in (count.p50_ms, count.p95_ms, count.p99_ms)
    assert 0 < (count.p50_ms or 0) <= (count.p95_ms or 0) <= (count.p99_ms or 0)
    assert count.begun == 39
    assert all(window is not None for window in count.windows_p95_ms)


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


def test_a_client_storms_again_when_all_have_left(server: Server) -> None:
    again = plan(server, per_s=None, connections_max=70, seconds=20.0, warm_up_s=0.0)
    with running(frozenset(), CLIENT, again) as client:
        for _ in range(2):
            client.tell()
            assert client.said(Count, 20.0).held == socket_figures(server).current_connections == 70
            client.tell()
            client.said(Ready, 20.0)
            assert socket_figures(server).current_connections == 0


def test_a_round_in_which_all_were_welcomed_counts() -> None:
    assert (round_of(WHOLE).fault, round_of(WHOLE).per_s) == ("", 2 * A_ROUND)


@pytest.mark.parametrize(
    ("counted", "fault"),
    [
        ({"faults": {"refused": 2}, "welcomed": 998}, "2 x refused"),
        ({"welcomed": 999}, "999 of 1,000 welcomed, 1,000 held at the end"),
        ({"held": 999}, "1,000 of 1,000 welcomed, 999 held at the end"),
    ],
)
def test_a_round_with_less_is_void(counted: dict[str, Any], fault: str) -> None:
    found = round_of(msgspec.structs.replace(WHOLE, **counted))

    assert (found.fault, found.per_s) == (fault, None)


def test_connects_of_each_contestant_are_counted_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm, "A_ROUND", 70)
    monkeypatch.setattr(contest, "ROUNDS", 2)
    figures = {figure.name: figure for figure in connect_rate(ANYWHERE)}

    assert list(figures) == ["connect_rate", *(f"connect_rate_{rival}" for rival in SOCKETS if rival != OURS)]
    for name, figure in figures.items():
        if name != "connect_rate_picows" or importlib.util.find_spec("picows"):
            assert len(figure.rounds) == 2, figure.note
            assert "70 welcomed a round" in figure.note


def test_a_storm_tells_each_quantile_by_its_name(server: Server) -> None:
    storm_ = Storm(plan(server))
    storm_._window_ns = (0, 100)
    for number in range(1, 101):
        storm_._times.add(number - 1, number - 1 + number * 1_000_000)
    count = storm_._count(1.0, Spent(), Spent())

    assert (count.p50_ms, count.p95_ms, count.p99_ms) == (51.0, 96.0, 100.0)
    assert count.windows_p95_ms == [20.0, 40.0, 60.0, 80.0, 100.0]


def test_the_figure_of_a_storm_is_the_median_of_its_windows() -> None:
    found = storm.figure(msgspec.structs.replace(STEADY, windows_p95_ms=[2.0, 9.0, 4.0, 3.0, 8.0]), 3_000)

    assert (found.value, found.p50_ms, found.p99_ms, found.fault) == (4.0, 1.0, 3.0, "")
    assert "500 connects/s counted; 3,000 held, ws/stats says 3,000; client's lag p99 0.1 ms" in found.note
    assert verdict(found, BAR) == "met"


REFUSED = "the server answered a handshake with 503"
NOBODY: dict[str, Any] = {"welcomed": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None, "windows_p95_ms": [None] * 5}


@pytest.mark.parametrize(
    ("named", "held", "value", "said", "why"),
    [
        ({**NOBODY, "held": 0, "faults": {REFUSED: 3_000}}, 0, None, "missed", f"3,000 x {REFUSED}"),
        ({"welcomed": 2_499, "held": 2_999, "faults": {REFUSED: 1}}, 2_999, 2.0, "missed", f"1 x {REFUSED}"),
        ({"held": 2_000}, 2_000, 2.0, "missed", "1,000 sockets ended meanwhile"),
        ({}, 2_999, 2.0, "missed", "ws/stats says 2,999 sockets of 3,000"),
        ({"welcomed": 2_400}, 3_000, 2.0, "missed", "2,400 connects of 2,500 due"),
        ({"welcomed": 2_400, "lag_p99_ms": 90.0}, 3_000, None, "-", "the load client was late itself"),
        ({**NOBODY, "held": 0, "begun": 0, "seconds": 0.001}, 0, None, "-", "nobody was welcomed"),
    ],
    ids=["all refused", "one refused", "some ended", "the hub differs", "too few", "a client that was late", "none"],
)
def test_the_bar_of_a_storm_is_met_only_where_all_were_welcomed_and_stayed(
    named: dict[str, Any], held: int, value: float | None, said: str, why: str
) -> None:
    found = storm.figure(msgspec.structs.replace(STEADY, **named), held)

    assert (found.value, verdict(found, BAR)) == (value, said)
    assert why in (found.fault if said == "missed" else found.note)
