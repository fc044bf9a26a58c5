"""The measure of many connections: 15,000 held, of which 1,000 hear 10 messages a second each within P2.

They are held until the server has pinged every one of them (contract §5 liveness), so the time counted is about a
minute whatever was asked for, and the wave of pings is in it.
"""

from collections.abc import Iterator
from typing import Final

from harness.bench.accounts import admin_token, sends, socket_figures
from harness.bench.bars import Figure
from harness.bench.clients import Ready, running
from harness.bench.directed import CLIENT, READY_S_MAX, counted, figure, told
from harness.bench.latency import Plan
from harness.bench.machine import file_limit
from harness.bench.numbering import NUMBERED
from harness.bench.process import Server, serving
from harness.bench.setting import Setting
from reference_server.contract.limits import SERVER_PING_PERIOD_S

HELD: Final = 15_000
HEARING_ACCOUNTS: Final = 100
TABS: Final = 10
MESSAGES_PER_S: Final = 10
PUBLISHES_PER_S: Final = HEARING_ACCOUNTS * MESSAGES_PER_S
"""Each publish reaches the ten sockets of one account: fewer and wider ones would be less work than people make."""
IDLE_ACCOUNTS: Final = 560
IDLE_TABS: Final = 25
SPARE_FILES: Final = 200
PING_S: Final = SERVER_PING_PERIOD_S + 2


def held(setting: Setting) -> Iterator[Figure]:
    """Hold them, publish meanwhile, look whether all are still there and answered their pings."""
    allowed = file_limit()
    if allowed < HELD + SPARE_FILES:
        yield Figure("held", None, note=f"a process may open {allowed:,} files here; needs {HELD + SPARE_FILES:,}")
        yield Figure("held_still", None, note="not measured either")
        return
    with (
        serving(setting.server_cores, accounts=HEARING_ACCOUNTS + IDLE_ACCOUNTS) as server,
        running(setting.load_cores, CLIENT, plan_of(server, admin_token(server))) as client,
    ):
        client.said(Ready, READY_S_MAX)
        count = counted(client, max(setting.seconds, PING_S))
        current = socket_figures(server).current_connections
    note = f"{count.timed / count.seconds:,.0f} deliveries/s, each publish to {TABS}; {told(count)}"
    yield figure("held", count, note)
    note = f"ws/stats says {current:,}; {count.pings:,} pings of the server answered"
    yield Figure("held_still", min(count.held, current), note=note)


def plan_of(server: Server, admin: str) -> Plan:
    """Return who is held and who of them hears what."""
    hearing, idle = server.tokens[:HEARING_ACCOUNTS], server.tokens[HEARING_ACCOUNTS:]
    return Plan(
        server.host,
        server.port,
        server.pid,
        tokens=list(hearing),
        tabs=TABS,
        publishes=sends(hearing, admin, NUMBERED),
        per_s=PUBLISHES_PER_S,
        idle=list(idle),
        idle_tabs=IDLE_TABS,
    )
