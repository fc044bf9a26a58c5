"""The hub's rules one by one: who gets what, what a frame leads to, when a connection ends (contract §5)."""

import sys

import msgspec
import pytest

from reference_server.contract import limits
from reference_server.contract.codes import CloseCode
from reference_server.core.answers import Everyone, Only
from reference_server.core.effects import (
    Abort,
    Drained,
    Failed,
    FrameIn,
    HubInput,
    Opcode,
    Opened,
    Revoked,
    Send,
    SendPing,
    Shutdown,
)
from reference_server.core.tests.hub_world import NEVER_NS, START_WALL_NS, HubWorld, ns

PING = '{"type":"ping"}'
STAMPED = '{"type":"ping","timestamp":"2026-01-02T03:04:05.678Z"}'


@pytest.fixture
def world() -> HubWorld:
    return HubWorld()


def test_the_welcome_is_the_first_message_and_names_the_client(world: HubWorld) -> None:
    one = world.open()
    world.accept()

    welcome = world.decoded(one, 0)
    assert welcome["type"] == "system"
    assert "user_id" not in welcome
    data = welcome["data"]
    assert isinstance(data, dict)
    assert data["client_id"] == "client-1"
    assert data["server_time"] == "2023-11-14T22:13:20.000000Z"
    assert world.messages(one) == [b"m1"]


def test_a_message_for_everyone_is_one_send_to_all(world: HubWorld) -> None:
    connections = tuple(world.open(name) for name in ("ann", "bob", "ann"))

    assert world.accept("*") == [Send(b"m1", connections)]


def test_a_message_for_one_account_reaches_all_its_connections_and_no_other(world: HubWorld) -> None:
    one, other, two = (world.open(name) for name in ("ann", "bob", "ann"))

    assert world.accept("ann") == [Send(b"m1", (one, two))]
    assert world.accept("nobody") == []
    assert world.messages(other) == []


def test_who_has_no_connection_hears_nothing(world: HubWorld) -> None:
    audiences = (Everyone(), Only("ann"), Only("bob"))
    assert not any(world.hub.hears(audience) for audience in audiences)
    one, two = world.open("ann"), world.open("ann")

    assert [world.hub.hears(audience) for audience in audiences] == [True, True, False]
    world.lose(one)
    assert world.hub.hears(Only("ann"))
    world.pause(two)
    assert world.hub.hears(Only("ann"))
    world.put(Shutdown())
    assert not any(world.hub.hears(audience) for audience in audiences)


def test_a_connection_gets_nothing_accepted_before_it_joined(world: HubWorld) -> None:
    world.open()
    world.accept()
    late = world.open()
    world.accept()

    assert world.messages(late) == [b"m2"]


def test_a_pong_repeats_the_timestamp_of_the_ping(world: HubWorld) -> None:
    one = world.open()
    world.say(one, STAMPED)
    world.say(one, PING)

    assert world.decoded(one, 1)["data"] == {"received": "2026-01-02T03:04:05.678Z"}
    assert world.decoded(one, 2)["data"] == {}
    assert "user_id" not in world.decoded(one, 2)


@pytest.mark.parametrize(
    ("text", "invalid"),
    [
        ('{"type":"hello"}', 0),
        ("{}", 0),
        ('{"type":7,"x":[1]}', 0),
        ('{"type":"pong","timestamp":"no"}', 0),
        ("", 1),
        ("ping", 1),
        ("[]", 1),
        ('"ping"', 1),
        ("null", 1),
        ('{"type":"ping"', 1),
        ('{"type":"ping","timestamp":null}', 1),
        ('{"type":"ping","timestamp":12}', 1),
        ('{"type":"ping","timestamp":"yesterday"}', 1),
        ('{"type":"ping","timestamp":"2026-02-30T00:00:00Z"}', 1),
        ("[" * 100_000, 1),
        ('{"a":' * 20_000, 1),
    ],
)
def test_what_is_no_ping_is_ignored_and_what_is_no_object_is_counted(world: HubWorld, text: str, invalid: int) -> None:
    one = world.open()

    assert world.say(one, text) == []
    assert world.hub.figures().invalid_messages == invalid


def test_the_last_of_doubled_names_wins(world: HubWorld) -> None:
    one = world.open()

    assert world.say(one, '{"type":"ping","type":"other"}') == []
    assert len(world.say(one, '{"type":"other","type":"ping"}')) == 1


def test_a_protocol_ping_is_answered_with_its_payload(world: HubWorld) -> None:
    one = world.open()
    world.put(FrameIn(one, Opcode.PING, b"abc"))

    assert world.pongs[one] == [b"abc"]


@pytest.mark.parametrize("code", [1002, 1007, 1009])
def test_a_peer_that_breaks_the_protocol_is_closed_with_the_code(world: HubWorld, code: int) -> None:
    one = world.open()
    world.put(Failed(one, code, "why"))
    world.accept()
    world.run_to(10)

    assert world.closed[one] == (code, 0)
    assert world.aborted[one] == ns(5)
    assert world.messages(one) == []


def test_a_binary_message_closes_with_1003(world: HubWorld) -> None:
    one = world.open()
    world.put(FrameIn(one, Opcode.BINARY, b"x"))

    assert world.closed[one] == (1003, 0)


@pytest.mark.parametrize(("payload", "code"), [(b"", 1000), (b"\x03\xe8bye", 1000), (b"\x0f\xa0", 4000)])
def test_a_close_is_answered_with_its_code_and_aborted_5_s_later(world: HubWorld, payload: bytes, code: int) -> None:
    one = world.open()
    world.put(FrameIn(one, Opcode.CLOSE, payload))
    world.run_to(6)

    assert world.closed[one] == (code, 0)
    assert world.aborted[one] == ns(5)


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.PONG, Opcode.PING, Opcode.FRAGMENT])
def test_the_101st_frame_of_a_burst_closes_with_1008(world: HubWorld, opcode: Opcode) -> None:
    one = world.open()
    for _ in range(limits.FRAME_BURST_MAX):
        world.put(FrameIn(one, opcode, b"{}" if opcode is Opcode.TEXT else b""))
    assert one not in world.closed
    world.put(FrameIn(one, opcode))

    assert world.closed[one] == (1008, 0)


@pytest.mark.parametrize("over", [FrameIn(1, Opcode.BINARY, b"x"), Revoked("ann", "t")])
def test_who_floods_behind_its_close_is_aborted_before_the_5_s(world: HubWorld, over: HubInput) -> None:
    one = world.open()
    world.put(over)
    assert one in world.closed
    for _ in range(limits.FRAME_BURST_MAX):
        world.put(FrameIn(one, Opcode.PONG))
    world.put(FrameIn(one, Opcode.PONG))

    assert world.aborted[one] == world.now_ns


def test_a_flood_is_closed_with_1008_before_it_is_aborted(world: HubWorld) -> None:
    one = world.open()
    for _ in range(2 * limits.FRAME_BURST_MAX):
        world.put(FrameIn(one, Opcode.PING))

    assert world.closed[one][0] == CloseCode.POLICY
    assert one not in world.aborted


def test_20_frames_a_second_are_never_too_many(world: HubWorld) -> None:
    one = world.open()
    for _ in range(limits.FRAME_BURST_MAX):
        world.put(FrameIn(one, Opcode.PONG))
    for tick in range(1, 2000):
        world.run_to(tick * 0.05)
        world.put(FrameIn(one, Opcode.PONG))
    assert one not in world.closed
    world.put(FrameIn(one, Opcode.PONG))

    assert world.closed[one][0] == 1008


def test_a_silent_peer_is_pinged_at_54_s_and_ended_between_60_and_66_s(world: HubWorld) -> None:
    one = world.open()
    world.run_to(100)

    assert world.pings[one] == [ns(54)]
    assert ns(60) <= world.closed[one][1] < world.aborted[one] <= ns(66)


def test_a_peer_that_answers_pings_lives(world: HubWorld) -> None:
    one = world.open()
    for minute in range(1, 60):
        world.run_to(54 * minute)
        world.put(FrameIn(one, Opcode.PONG))

    assert world.pings[one] == [ns(54 * minute) for minute in range(1, 60)]
    assert one not in world.closed


def test_an_expired_token_drops_the_outbox_and_closes_with_4401(world: HubWorld) -> None:
    one = world.open(expires_ns=START_WALL_NS + ns(10))
    world.pause(one)
    world.accept()
    world.run_to(10)
    world.drain(one)
    world.accept()
    world.run_to(20)

    assert world.closed[one] == (4401, ns(10))
    assert world.aborted[one] == ns(15)
    assert world.messages(one) == []


def test_a_revoked_token_closes_its_connections_only(world: HubWorld) -> None:
    one, other, two = world.open(jti="a"), world.open(jti="b"), world.open("bob", jti="a")
    world.put(Revoked("ann", "a"))
    world.accept()

    assert world.closed == {one: (4401, 0)}
    assert world.messages(one) == []
    assert world.messages(other) == world.messages(two) == [b"m1"]


def test_revoking_all_spares_tokens_issued_later(world: HubWorld) -> None:
    old, new = world.open(issued_ns=5), world.open(issued_ns=6)
    world.put(Revoked("ann", until_ns=5))

    assert set(world.closed) == {old}
    assert new not in world.closed


def test_a_slow_consumer_that_is_revoked_closes_with_4401_at_once(world: HubWorld) -> None:
    one = world.open(jti="a")
    world.pause(one)
    for _ in range(limits.OUTBOX_MESSAGES_MAX + 1):
        world.accept()
    world.put(Revoked("ann", "a"))

    assert world.closed[one] == (4401, 0)
    assert not world.hub.backlogged(one)


def test_over_32_sockets_the_longest_silent_closes_with_4409(world: HubWorld) -> None:
    first = world.open()
    for second in range(1, limits.SOCKETS_PER_ACCOUNT_MAX):
        world.run_to(second)
        world.open()
    world.put(FrameIn(first, Opcode.PONG))
    world.open("bob")
    assert world.closed == {}
    newest = world.open()

    assert world.closed == {first + 1: (4409, world.now_ns)}
    assert world.hub.figures().current_connections == limits.SOCKETS_PER_ACCOUNT_MAX + 1
    assert len(world.got[newest]) == 1


def test_a_paused_connection_gets_its_outbox_in_order_and_then_what_follows(world: HubWorld) -> None:
    one, other = world.open(), world.open("bob")
    world.accept()
    world.pause(one)
    for _ in range(5):
        world.accept()
    world.say(one, PING)
    assert world.messages(one) == [b"m1"]
    world.drain(one)
    world.accept()

    *before, pong, last = world.messages(one)
    assert [*before, last] == [b"m%d" % n for n in range(1, 8)]
    assert b"pong" in pong
    assert world.messages(other) == [b"m%d" % n for n in range(1, 8)]


def test_over_256_messages_1013_follows_what_it_has(world: HubWorld) -> None:
    one = world.open()
    world.pause(one)
    for _ in range(limits.OUTBOX_MESSAGES_MAX):
        world.accept()
    assert world.hub.figures().slow_consumers_closed == 0
    world.accept()
    world.accept()
    assert world.hub.figures().slow_consumers_closed == 1
    assert world.closed == {}
    world.drain(one)

    assert world.closed[one] == (1013, 0)
    assert world.messages(one) == [b"m%d" % n for n in range(1, limits.OUTBOX_MESSAGES_MAX + 1)]


def test_over_1_mib_1013_follows_and_5_s_later_the_connection_is_aborted(world: HubWorld) -> None:
    one = world.open()
    world.pause(one)
    for _ in range(17):
        world.accept(text="x" * limits.SERVER_MESSAGE_BYTES_MAX)
    world.run_to(20)

    assert world.hub.figures().slow_consumers_closed == 1
    assert world.aborted[one] == ns(5)
    assert world.hub.figures().messages_sent == 1 + 16


def test_a_paused_peer_is_not_pinged_and_gets_one_pong(world: HubWorld) -> None:
    one = world.open()
    world.pause(one)
    for payload in (b"a", b"b"):
        world.put(FrameIn(one, Opcode.PING, payload))
    world.run_to(50)
    assert world.pings[one] == []
    world.drain(one)

    assert world.pongs[one] == [b"b"]


def test_a_peer_whose_ping_fell_into_a_pause_is_pinged_as_soon_as_it_reads(world: HubWorld) -> None:
    one = world.open()
    world.run_to(53.99)
    world.pause(one)
    world.accept()
    world.run_to(54.01)
    assert world.pings[one] == []
    first, *_ = world.put(Drained(one))
    world.drain(one)
    world.put(FrameIn(one, Opcode.PONG))
    world.run_to(62)

    assert first == SendPing((one,))
    assert world.pings[one] == [ns(54.01)]
    assert one not in world.closed


def test_shutdown_warns_closes_with_1001_and_refuses(world: HubWorld) -> None:
    one, slow = world.open(), world.open("bob")
    world.pause(slow)
    world.put(Shutdown())
    assert world.accept() == []
    assert world.put(Opened(99, "ann", "t", 0, NEVER_NS, "late")) == [Abort(99)]
    world.drain(slow)
    world.run_to(10)

    for connection in (one, slow):
        warning = world.decoded(connection)
        assert warning["type"] == "system"
        assert isinstance(warning["data"], dict)
        assert warning["data"]["level"] == "warning"
        assert world.closed[connection] == (1001, 0)
        assert world.aborted[connection] <= ns(5)


def test_a_shutdown_aborts_a_peer_that_reads_nothing_within_5_s(world: HubWorld) -> None:
    one = world.open()
    world.pause(one)
    world.put(Shutdown())
    world.run_to(10)

    assert world.aborted[one] <= ns(5)


def test_the_figures_are_exact(world: HubWorld) -> None:
    one, two = world.open(), world.open("bob")
    world.accept()
    world.accept("bob")
    world.say(one, PING)
    world.lose(two)

    figures = world.hub.figures()
    assert msgspec.structs.astuple(figures) == (1, 2, 2 + 2 + 1 + 1, 0, 0)


def test_timestamps_hold_when_the_wall_clock_goes_back(world: HubWorld) -> None:
    one = world.open()
    world.hub.handle(FrameIn(one, Opcode.TEXT, PING.encode()), 1, START_WALL_NS + ns(5))
    (pong,) = world.hub.handle(FrameIn(one, Opcode.TEXT, PING.encode()), 2, START_WALL_NS)

    assert isinstance(pong, Send)
    assert b"22:13:25.000000Z" in pong.payload


def test_tables_shrink_when_many_have_gone_and_nobody_notices(world: HubWorld) -> None:
    numbers = [world.open(f"account {number % 300}") for number in range(3000)]
    world.pause(numbers[-1])
    world.accept(text="while paused")
    for number in numbers[1:-2]:
        world.lose(number)
    hub, due_ns = world.hub, world.hub.next_timer_ns()

    def rooms() -> list[int]:
        tables = (hub._connections, hub._accounts, hub._everyone._ready, hub._deadlines._heap)
        return [sys.getsizeof(table) for table in tables]

    before = rooms()
    hub.shrink()
    assert all(now < then / 4 for then, now in zip(before, rooms(), strict=True))
    assert hub.next_timer_ns() == due_ns
    assert world.accept() == [Send(b"m2", (numbers[0], numbers[-2]))]
    world.drain(numbers[-1])
    assert world.messages(numbers[-1]) == [b"while paused", b"m2"]


def test_tables_of_paused_and_ending_connections_shrink_too(world: HubWorld) -> None:
    numbers = [world.open(f"account {number}") for number in range(1000)]
    for number in numbers:
        world.pause(number)
    stalled = sys.getsizeof(world.hub._everyone.stalled)
    for _ in range(limits.OUTBOX_MESSAGES_MAX + 1):
        world.accept()
    ending = sys.getsizeof(world.hub._ending)
    for number in numbers:
        world.lose(number)
    world.hub.shrink()

    assert sys.getsizeof(world.hub._everyone.stalled) < stalled / 20
    assert sys.getsizeof(world.hub._ending) < ending / 20


def test_what_comes_for_a_gone_connection_does_nothing(world: HubWorld) -> None:
    one = world.open()
    world.lose(one)

    assert world.say(one, PING) == []
    assert world.put(Failed(one, 1002, "")) == []
    world.lose(one)
    assert world.hub.next_timer_ns() is None
