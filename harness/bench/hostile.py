"""The measures of hostile peers: what others feel meanwhile, what memory stays behind, whether the hub counts right.

For each kind a server of its own and others at a steady pace on it. The kind comes twice: what others feel is timed in
the second wave, from the peers' being ready to the last one's having left. Memory is read when others alone have warmed
the server up, and behind each wave: what the first one leaves for good counts, and so does what each further one adds.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from harness.bench.accounts import admin_token, sends, socket_figures
from harness.bench.bars import Figure
from harness.bench.calls import head
from harness.bench.clients import Client, Ready, running
from harness.bench.directed import CLIENT, COUNT_S_MAX, READY_S_MAX, against, doubted, told
from harness.bench.findings import Findings, of_load
from harness.bench.held import SPARE_FILES
from harness.bench.hostile_kinds import KINDS, Kind
from harness.bench.latency import Count, Plan
from harness.bench.load import shown_ms
from harness.bench.machine import GIVEN_BACK_S, file_limit, resident_mib
from harness.bench.misdeeds import Count as PeersCount
from harness.bench.misdeeds import Plan as PeersPlan
from harness.bench.numbering import NUMBERED
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
SECONDS_MAX: Final = 45.0
"""Less than the server's patience with a peer that is silent (contract §5 liveness)."""
PEERS_S_MAX: Final = 120.0
WARM_UP_S: Final = 1.0
ORDINARY_S: Final = 3.0
"""How long others alone warm the server up."""
GONE_S_MAX: Final = 20.0
LOOK_S: Final = 0.1
T = TypeVar("T")


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


def _beside(setting: Setting, kind: Kind) -> tuple[Figure, ...]:
    with serving(setting.server_cores, accounts=OTHERS + PEER_ACCOUNTS) as server:
        admin = admin_token(server)
        with running(setting.load_cores, CLIENT, _others(server, admin)) as others:
            others.said(Ready, READY_S_MAX)
            time.sleep(ORDINARY_S)
            resident = [resident_mib(server.pid)]
            plan = _peers(server, admin, kind, kind.warm_up_peers, WARM_UP_S)
            first, _ = _wave(setting, server, plan, _nothing, _nothing)
            resident.append(resident_mib(server.pid))
            seconds = min(max(setting.seconds, kind.seconds_min), SECONDS_MAX)
            plan = _peers(server, admin, kind, kind.peers, seconds)
            second, count = _wave(setting, server, plan, others.tell, lambda: _stopped(others))
            resident.append(resident_mib(server.pid))
            figures = socket_figures(server)
    absent = _absent(kind, second)
    return (
        _felt(kind, count, [first, second]),
        *(absent.on(one) for one in (*_memory(kind, *resident), _exact(kind, figures, count, [first, second]))),
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


def _wave(
    setting: Setting, server: Server, plan: PeersPlan, begin: Callable[[], None], end: Callable[[], T]
) -> tuple[PeersCount, T]:
    """Let them come, between `begin` and `end`; wait until they have gone and what they held is given back."""
    with running(setting.load_cores, PEERS, plan) as peers:
        peers.said(Ready, READY_S_MAX)
        begin()
        peers.tell()
        count = peers.said(PeersCount, PEERS_S_MAX)
        ended = end()
    deadline = time.monotonic() + GONE_S_MAX
    while _current(server) != OTHERS * OTHERS_TABS and time.monotonic() < deadline:
        time.sleep(LOOK_S)
    time.sleep(GIVEN_BACK_S)
    return count, ended


def _nothing() -> None:
    """Stand where others would be counted."""


def _current(server: Server) -> int:
    return socket_figures(server).current_connections


def _stopped(others: Client) -> Count:
    others.tell()
    return others.said(Count, COUNT_S_MAX)


def _felt(kind: Kind, count: Count, waves: Sequence[PeersCount]) -> Figure:
    """Return what others felt, the worse of pushes and calls; `waves` are the peers, of whom the last are timed."""
    calls_ms = None if count.calls is None else count.calls.p99_ms
    ended = [f"{number:,} {_ending(how)}" for how, number in sorted(waves[-1].ended.items())]
    shown = [f"pushes p99 {shown_ms(count.p99_ms)}, calls p99 {shown_ms(calls_ms)}", *ended, told(count)]
    felt = [(count.p99_ms, count.p50_ms)] + ([] if count.calls is None else [(calls_ms, count.calls.p50_ms)])
    p99_ms, p50_ms = max(felt, key=lambda times: math.inf if times[0] is None else times[0])
    found = Figure(f"hostile_{kind.name}", p99_ms, p50_ms=p50_ms, p99_ms=p99_ms, note="; ".join(shown))
    calls = Findings() if count.calls is None else of_load("calls", count.calls)
    return (_of_peers(kind, waves) + against(count) + calls + _absent(kind, waves[-1])).on(doubted(found, count))


def _ending(how: str) -> str:
    """Say how a peer ended: `how` is a close code, or words that stand for themselves."""
    return f"ended with {how}" if how.isdigit() else how


def _of_peers(kind: Kind, waves: Sequence[PeersCount]) -> Findings:
    """Say what the server did to hostile peers that it should not have done."""
    faults = [f"{number:,} x {fault}" for wave in waves for fault, number in sorted(wave.faults.items())]
    # The first wave is shorter than the server's patience with some of them.
    ended, ends = sorted(waves[-1].ended.items()), ", ".join(kind.ends)
    odd = [f"{number:,} {_ending(how)}, expected {ends}" for how, number in ended if how not in kind.ends]
    return Findings((*faults, *odd))


def _absent(kind: Kind, peers: PeersCount) -> Findings:
    """Say that fewer came than should have: beside them nothing was measured."""
    came = sum(peers.ended.values())
    return Findings() if came >= kind.peers else Findings(unmeasured=(f"{came:,} of {kind.peers:,} peers came",))


def _memory(kind: Kind, fresh: float | None, level: float | None, left: float | None) -> tuple[Figure, Figure]:
    """Return what both waves left behind, and what the second of them added."""
    memory, second = f"hostile_{kind.name}_memory", f"hostile_{kind.name}_second"
    if fresh is None or level is None or left is None:
        none = "this system has no /proc"
        return Figure(memory, None, note=none), Figure(second, None, note=none)
    note = f"fresh {fresh:.1f} MiB, behind the first wave {level:.1f}, behind the second {left:.1f}"
    return Figure(memory, left - fresh, note=note), Figure(second, left - level, note=note)


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
    for what in ("", "_memory", "_second", "_stats"):
        yield Figure(f"hostile_{kind.name}{what}", None, note=why)
