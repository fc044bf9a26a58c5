"""What claims to run on a ledger keeps its memory constant, however many connections come and go."""

from collections.abc import Iterator
from typing import Any

import pytest

from harness.checkers import CHECKERS
from harness.checkers.base import RunFacts
from harness.checkers.tests.histories import ANN, stamp
from harness.history import Event

LIVE = [make for make in CHECKERS if make().live]
WAVES = 5000


def wave(number: int) -> Iterator[Event]:
    """Yield the ten events of a connection that comes, asks, publishes and goes."""
    name, at_ns = f"c{number}", number * 10_000_000
    data: tuple[tuple[Any, ...], ...] = (
        ("connecting", {"tab": name}),
        ("opened", {}),
        ("received", {"message": {"type": "system", "timestamp": stamp(number), "data": {"client_id": name}}}),
        ("sent", {"message": {"type": "ping"}, "bytes": 15}),
        ("received", {"message": {"type": "pong", "timestamp": stamp(number), "data": {}}, "bytes": 60}),
        ("invoke", {"operation": "ws_broadcast", "body": {"type": "system", "data": {"message": name}}}),
        ("ok", {"status": 200, "body": {"message": "m", "recipients": 1}}),
        ("sent", {"opcode": "text"}),
        ("sample", {"series": "connect", "count": 1}),
        ("closed", {"code": 1000, "by": "self"}),
    )
    for place, (kind, told) in enumerate(data):
        op, connection = (number, None) if kind in ("invoke", "ok") else (None, name)
        yield Event("client", number * 10 + place, at_ns + place, kind, op, connection, ANN, None, told)


def held(value: Any, seen: set[int]) -> int:
    """Return how many items all containers in reach of an object hold; lists of plain numbers are bounded apart."""
    if id(value) in seen or isinstance(value, (str, bytes, int, float, type(None), Event)):
        return 0
    seen.add(id(value))
    if isinstance(value, dict):
        return len(value) + sum(held(item, seen) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)) or type(value).__name__ == "deque":
        measured = all(isinstance(item, float) for item in value)
        return 0 if measured else len(value) + sum(held(item, seen) for item in value)
    names = (*getattr(value, "__dict__", ()), *getattr(value, "__struct_fields__", ()))
    return sum(held(getattr(value, name), seen) for name in names)


@pytest.mark.parametrize("make", LIVE)
def test_a_live_checker_keeps_no_more_after_50_000_events_than_after_20_000(make: Any) -> None:
    checker = make()
    checker.start(RunFacts())
    sizes = []
    for number in range(WAVES):
        for event in wave(number):
            checker.step(event)
        if number + 1 in (WAVES * 2 // 5, WAVES):
            sizes.append(held(checker, set()))
    assert sizes[1] <= sizes[0]


def test_some_checkers_are_live_and_the_measure_sees_what_grows() -> None:
    assert {make().name for make in LIVE} >= {"answers", "pong", "latency"}
    assert held({"kept": [["a"], ["b"]]}, set()) > held({"kept": [["a"]]}, set())
