"""A whole day in the hub on virtual time: pings, silence and expiry keep to their times (LIVE-DAY-1)."""

from heapq import heapify, heappop, heappush

from reference_server.core.effects import FrameIn, Opcode
from reference_server.core.hub import SILENCE_ABORT_NS, SILENCE_NS
from reference_server.core.tests.hub_world import START_WALL_NS, HubWorld, ns

DAY_S = 24 * 3600
TALKERS, MUTES, EXPIRING = 20, 20, 20
CLIENT_PING_S = 25
PING = b'{"type":"ping"}'


def test_a_day_of_pings_silence_and_expiry_keeps_to_these_times() -> None:
    world = HubWorld()
    talkers = [world.open(f"talker-{n}") for n in range(TALKERS)]
    mutes, expiring = {}, {}
    talk = [(CLIENT_PING_S + offset / TALKERS, one) for offset, one in enumerate(talkers)]
    joins = [(n * DAY_S / 25, n) for n in range(MUTES)]
    events = [*((at, "talk", one) for at, one in talk), *((at, "join", n) for at, n in joins)]
    heapify(events)
    while events and events[0][0] < DAY_S:
        at, kind, which = heappop(events)
        world.run_to(at)
        if kind == "join":
            mutes[world.open("mute")] = world.now_ns
            lifetime = ns(60 * which + 1)
            dying = world.open(f"dying-{which}", expires_ns=START_WALL_NS + world.now_ns + lifetime)
            expiring[dying] = world.now_ns + lifetime
            heappush(events, (at + CLIENT_PING_S, "talk", dying))
            continue
        if which not in world.closed:
            world.put(FrameIn(which, Opcode.TEXT, PING))
            heappush(events, (at + CLIENT_PING_S, "talk", which))
    world.run_to(DAY_S)

    assert len(expiring) == EXPIRING
    for one in talkers:
        assert one not in world.closed
        assert world.pings[one] == [ns(54 * n) for n in range(1, DAY_S // 54 + 1)]
    for one, opened_ns in mutes.items():
        assert world.pings[one] == [opened_ns + ns(54)]
        assert world.closed[one][1] == opened_ns + SILENCE_NS
        assert world.aborted[one] == opened_ns + SILENCE_NS + SILENCE_ABORT_NS
        assert ns(60) <= world.closed[one][1] - opened_ns <= world.aborted[one] - opened_ns <= ns(66)
    for one, expires_ns in expiring.items():
        assert world.closed[one] == (4401, expires_ns)
        assert world.aborted[one] == expires_ns + ns(5)
    assert world.hub.figures().current_connections == TALKERS
