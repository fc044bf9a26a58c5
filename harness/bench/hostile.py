"""The measures of hostile peers: what others feel meanwhile, what memory stays behind, whether the hub counts right.

For each kind a server of its own, others at a steady pace on it from the first to the last, and the kind twice: once
so that allocators and tables have their size, once beside which is measured.
"""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from harness.bench.accounts import admin_token, sends, socket_figures
from harness.bench.bars import Figure
from harness.bench.calls import head
from harness.bench.clients import Client, Ready, running
from harness.bench.directed import CLIENT, COUNT_S_MAX, READY_S_MAX, doubted, told
from harness.bench.held import SPARE_FILES
from harness.bench.hostile_kinds import KINDS, Kind
from harness.bench.latency import NUMBERED, Count, Plan
from harness.bench.machine import file_limit, resident_mib
from harness.bench.misdeeds import Count as PeersCount
from harness.bench.misdeeds import Plan as PeersPlan
from harness.bench.process import Server, serving
from harness.bench.setting import Setting
from reference_server.contract.models import SocketFigures

PEERS: Final = "harness.bench.peers"
OTHERS: Final = 100
OTHERS_TABS: Final = 2
PUBLISHES_PER_S: Final = 200
CALLS_PER_S: Final = 100
PEER_ACCOUNTS: Final = 600
"""15,000 peers at 25 an account, under the 32 sockets that it may hold."""
PEERS_S_MAX: Final = 120.0
WARM_UP_S: Final = 1.0
GONE_S_MAX: Final = 20.0
LOOK_S: Final = 0.1
QUIET_S: Final = 2.0


def hostile(setting: Setting) -> Iterator[Figure]:
    """Measure others beside each kind in turn."""
    allowed = file_limit()
    for kind in KINDS:
        if allowed < kind.peers + SPARE_FILES:
            yield from _unmeasured(
                kind, f"a process may open {allowed:,} files here; needs {kind.peers + SPARE_FILES:,}"
            )
            continue
        try:
            yield from _beside(setting, kind)
        except RuntimeError as fault:
            yield from _unmeasured(kind, str(fault))


def _beside(setting: Setting, kind: Kind) -> tuple[Figure, Figure, Figure]:
    with serving(setting.server_cores, accounts=OTHERS + PEER_ACCOUNTS) as server:
        admin = admin_token(server)
        with running(setting.load_cores, CLIENT, _others(server, admin)) as others:
            others.said(Ready, READY_S_MAX)
            fresh_mib = resident_mib(server.pid)
            peers = [_let_loose(setting, server, _peers(server, admin, kind, kind.warm_up_peers, WARM_UP_S))]
            level_mib = resident_mib(server.pid)
            others.tell()
            seconds = max(setting.seconds, kind.seconds_min)
            peers.append(_let_loose(setting, server, _peers(server, admin, kind, kind.peers, seconds)))
            left_mib = resident_mib(server.pid)
            count = _stopped(others)
            figures = socket_figures(server)
    return (
        _felt(kind, count, peers[-1]),
        _memory(kind, fresh_mib, level_mib, left_mib),
        _exact(kind, figures, count, peers),
    )


def _others(server: Server, admin: str) -> Plan:
    tokens = server.tokens[:OTHERS]
    paths = ("/users/me", "/agents", "/tasks")
    calls = [head("GET", path, token) for token in tokens for path in paths]
    return Plan(
        server.host,
        server.port,
        server.pid,
        tokens=list(tokens),
        tabs=OTHERS_TABS,
        publishes=sends(tokens, admin, NUMBERED),
        per_s=PUBLISHES_PER_S,
        calls=calls,
        calls_per_s=CALLS_PER_S,
    )


def _peers(server: Server, admin: str, kind: Kind, peers: int, seconds: float) -> PeersPlan:
    tokens = list(server.tokens[OTHERS:])
    return PeersPlan(kind.name, server.host, server.port, admin, tokens, peers, kind.per_s, seconds)


def _let_loose(setting: Setting, server: Server, plan: PeersPlan) -> PeersCount:
    """Let them come, wait until they have gone and it is quiet."""
    with running(setting.load_cores, PEERS, plan) as peers:
        count = peers.said(PeersCount, PEERS_S_MAX)
    deadline = time.monotonic() + GONE_S_MAX
    while _current(server) != OTHERS * OTHERS_TABS and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    time.sleep(QUIET_S)
    return count


def _current(server: Server) -> int:
    return socket_figures(server).current_connections


def _stopped(others: Client) -> Count:
    others.tell()
    return others.said(Count, COUNT_S_MAX)


def _felt(kind: Kind, count: Count, peers: PeersCount) -> Figure:
    """Return what others felt: the worse of pushes and calls, and the median of the same."""
    calls_ms = count.calls.p99_ms if count.calls is not None else 0.0
    ended = [f"{number:,} {_ending(how)}" for how, number in sorted(peers.ended.items())]
    faults = [f"{number:,} x {fault}" for fault, number in sorted(peers.faults.items())]
    shown = [f"pushes p99 {count.p99_ms:.1f} ms, calls p99 {calls_ms:.1f} ms", *ended, *faults, told(count)]
    felt = [(count.p99_ms, count.p50_ms)] + ([] if count.calls is None else [(calls_ms, count.calls.p50_ms)])
    p99_ms, p50_ms = max(felt)
    name, note = f"hostile_{kind.name}", "; ".join(shown)
    return doubted(Figure(name, p99_ms, p50_ms=p50_ms, p99_ms=p99_ms, note=note), count)


def _ending(how: str) -> str:
    """Say how a peer ended: `how` is a close code, or words that stand for themselves."""
    return f"ended with {how}" if how.isdigit() else how


def _memory(kind: Kind, fresh: float | None, level: float | None, left: float | None) -> Figure:
    name = f"hostile_{kind.name}_memory"
    if fresh is None or level is None or left is None:
        return Figure(name, None, note="this system has no /proc")
    return Figure(name, left - level, note=f"fresh {fresh:.1f} MiB, warm {level:.1f}, afterwards {left:.1f}")


def _exact(kind: Kind, figures: SocketFigures, count: Count, peers: Sequence[PeersCount]) -> Figure:
    off = differences(kind, figures, count, peers)
    note = "; ".join(off) or f"{figures.total_connections:,} connections, {figures.messages_sent:,} messages"
    return Figure(f"hostile_{kind.name}_stats", len(off), note=note)


def differences(kind: Kind, figures: SocketFigures, count: Count, peers: Sequence[PeersCount]) -> list[str]:
    """Say which figures of the hub at quiet are not what the bench held, opened, read and saw closed."""
    welcomed, messages = sum(one.welcomed for one in peers), sum(one.messages for one in peers)
    expected = SocketFigures(
        current_connections=count.held,
        total_connections=OTHERS * OTHERS_TABS + welcomed,
        messages_sent=count.messages + messages,
        slow_consumers_closed=welcomed if kind.name == "stalled" else 0,
        invalid_messages=0,
    )
    pairs = ((name, getattr(figures, name), getattr(expected, name)) for name in SocketFigures.__struct_fields__)
    return [f"{name} {found:,}, expected {due:,}" for name, found, due in pairs if found != due]


def _unmeasured(kind: Kind, why: str) -> Iterator[Figure]:
    yield Figure(f"hostile_{kind.name}", None, note=why)
    yield Figure(f"hostile_{kind.name}_memory", None, note=why)
    yield Figure(f"hostile_{kind.name}_stats", None, note=why)
