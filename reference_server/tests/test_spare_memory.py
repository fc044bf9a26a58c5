"""Memory is given back after connections left: once for all that left together, and again for later ones."""

import gc
from collections.abc import Callable

import pytest

from reference_server.spare_memory import GIVE_BACK_AFTER_S, MANY, SpareMemory, trim


class Memory:
    """What was done, in order; time passes when a timer is fired."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.done: list[str] = []
        self.spare = SpareMemory(
            lambda delay_s, fire: self.timers.append((delay_s, fire)), lambda: self.done.append("given back")
        )
        self.spare.add(lambda: self.done.append("one table"))
        self.spare.add(lambda: self.done.append("another table"))

    def leave(self, number: int, still_open: int = 0) -> None:
        for left in range(number):
            self.spare.connection_left(still_open + number - left - 1)

    def fire(self) -> list[str]:
        _, fire = self.timers.pop()
        fire()
        done, self.done = self.done, []
        return done


@pytest.fixture
def memory() -> Memory:
    return Memory()


def test_memory_is_given_back_once_for_all_that_left_together(memory: Memory) -> None:
    memory.leave(3)

    ((delay_s, _),) = memory.timers
    assert delay_s == GIVE_BACK_AFTER_S
    assert memory.done == []
    assert memory.fire() == ["given back"]
    memory.leave(1)
    assert len(memory.timers) == 1


def test_once_many_have_left_tables_are_made_smaller_first(memory: Memory) -> None:
    memory.leave(MANY)
    assert memory.fire() == ["one table", "another table", "given back"]


@pytest.mark.parametrize(("left", "still_open"), [(MANY - 1, 0), (MANY, 4 * MANY + 1), (3 * MANY, 12 * MANY + 1)])
def test_few_or_few_of_those_that_stay_leave_the_tables_alone(memory: Memory, left: int, still_open: int) -> None:
    memory.leave(left, still_open)
    assert memory.fire() == ["given back"]


def test_a_quarter_of_those_that_stay_are_enough(memory: Memory) -> None:
    memory.leave(2 * MANY, 8 * MANY)
    assert "one table" in memory.fire()


def test_a_wave_that_leaves_slowly_is_many_too(memory: Memory) -> None:
    memory.leave(MANY - 1)
    assert memory.fire() == ["given back"]
    memory.leave(1)
    assert "one table" in memory.fire()


def test_those_that_left_before_are_not_counted_again(memory: Memory) -> None:
    memory.leave(MANY)
    memory.fire()
    memory.leave(1)
    assert memory.fire() == ["given back"]


def test_garbage_goes_when_many_have_left(memory: Memory) -> None:
    class Circle:
        def __init__(self) -> None:
            self.itself = self

    def circles() -> int:
        return sum(1 for one in gc.get_objects() if isinstance(one, Circle))

    gc.disable()
    try:
        Circle()
        memory.leave(1)
        memory.fire()
        assert circles() == 1
        memory.leave(MANY)
        memory.fire()
        assert circles() == 0
    finally:
        gc.enable()


def test_the_systems_own_call_can_be_made() -> None:
    trim()
