"""Deadlines are kept once for each that lives, and are found in their order when those of the dead are gone."""

from reference_server.core.connections import Connection
from reference_server.core.deadlines import Deadlines
from reference_server.core.effects import Opened


def connection(number: int) -> Connection:
    return Connection(Opened(number, "ann", "t", 0, 0, "client"), 0, 0, 0)


def test_what_is_left_is_due_in_its_order() -> None:
    table = {number: connection(number) for number in range(6)}
    deadlines = Deadlines(table)
    for one, due_ns in zip(table.values(), (1, 10, 2, 11, 12, 3), strict=True):
        deadlines.set(one, due_ns)
    del table[0], table[2]
    deadlines.shrink()

    assert len(deadlines) == 4
    assert deadlines.next_ns() == 3
    assert [one.number for one in deadlines.due(12)] == [5, 1, 3, 4]


def test_a_deadline_that_came_back_is_kept_once() -> None:
    one = connection(1)
    deadlines = Deadlines({1: one})
    for due_ns in (5, 6, 5, 6, 5):
        deadlines.set(one, due_ns)
    deadlines.shrink()

    assert len(deadlines) == 1
    assert [found.number for found in deadlines.due(9)] == [1]
