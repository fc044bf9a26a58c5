"""Tables for pings and pongs."""

from harness.checkers.pong import PONG, Pong
from harness.checkers.tests.histories import History, stamp, status
from harness.verdicts import Status

FIRST, SECOND = stamp(1), stamp(2)


def asked(*pings: dict[str, object]) -> History:
    history = History().connect("c1")
    for ping in pings:
        history.add("sent", connection="c1", message={"type": "ping", **ping})
    return history


def test_a_pong_gives_the_timestamp_back() -> None:
    history = asked({"timestamp": FIRST}).receive("c1", "pong", {"received": FIRST})
    assert status(Pong(), history, PONG) is Status.HOLDS


def test_a_ping_without_timestamp_gets_a_pong_without_received() -> None:
    assert status(Pong(), asked({}).receive("c1", "pong", {}), PONG) is Status.HOLDS
    assert status(Pong(), asked({}).receive("c1", "pong", {"received": FIRST}), PONG) is Status.VIOLATED


def test_pongs_come_in_the_order_of_the_pings() -> None:
    history = asked({"timestamp": FIRST}, {"timestamp": SECOND})
    history.receive("c1", "pong", {"received": SECOND}).receive("c1", "pong", {"received": FIRST})
    assert status(Pong(), history, PONG) is Status.VIOLATED


def test_a_missing_pong_is_violated_after_ten_seconds_only() -> None:
    early = asked({"timestamp": FIRST}).add("closed", 9_000, connection="c1", code=1000, by="self")
    late = asked({"timestamp": FIRST}).add("closed", 11_000, connection="c1", code=1000, by="self")
    assert status(Pong(), early, PONG) is Status.UNKNOWN
    assert status(Pong(), late, PONG) is Status.VIOLATED


def test_a_malformed_ping_gets_no_pong() -> None:
    history = asked({"timestamp": "soon"}).receive("c1", "pong", {"received": "soon"})
    assert status(Pong(), history, PONG) is Status.VIOLATED


def test_after_raw_bytes_pongs_can_not_be_paired() -> None:
    history = History().connect("c1").add("sent", connection="c1", opcode="text", bytes=15)
    assert status(Pong(), history.receive("c1", "pong", {}), PONG) is Status.UNKNOWN
