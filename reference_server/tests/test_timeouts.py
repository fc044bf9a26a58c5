"""Time limits of one length share a timer: each that was not called off runs at its time, in the order of starting."""

import sys
from collections.abc import Callable

import pytest

from reference_server.http.timeouts import Timeouts

DELAY_S = 10.0


class Calling:
    """A loop whose time the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[[], None], /) -> None:
        self.timers.append((self.now_s + delay, callback))

    def call_soon(self, callback: Callable[[], None], /) -> None:
        self.timers.append((self.now_s, callback))

    def pass_s(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while due := [one for one in self.timers if one[0] <= until_s]:
            first = min(due, key=lambda one: one[0])
            self.timers.remove(first)
            self.now_s = first[0]
            first[1]()
        self.now_s = until_s


class Limits:
    """Timeouts under test, and the names of those that ran."""

    def __init__(self) -> None:
        self.loop = Calling()
        self.timeouts = Timeouts(self.loop, DELAY_S)
        self.ran: list[str] = []

    def start(self, name: str) -> int:
        return self.timeouts.start(lambda: self.ran.append(f"{name} at {self.loop.now_s:g}"))


@pytest.fixture
def limits() -> Limits:
    return Limits()


def test_each_runs_when_its_own_time_is_over(limits: Limits) -> None:
    limits.start("a")
    limits.loop.pass_s(4)
    limits.start("b")
    limits.loop.pass_s(5.9)
    assert limits.ran == []
    limits.loop.pass_s(100)
    assert limits.ran == ["a at 110", "b at 114"]
    assert limits.loop.timers == []


def test_none_runs_before_its_time_because_another_is_due(limits: Limits) -> None:
    limits.start("a")
    limits.loop.pass_s(0.5)
    limits.start("b")
    limits.loop.pass_s(9.6)
    assert limits.ran == ["a at 110"]
    limits.loop.pass_s(0.4)
    assert limits.ran == ["a at 110", "b at 110.5"]


def test_one_that_fails_takes_no_other_with_it(limits: Limits) -> None:
    def fire() -> None:
        raise RuntimeError("it failed")

    limits.timeouts.start(fire)
    limits.start("b")
    with pytest.raises(RuntimeError, match="it failed"):
        limits.loop.pass_s(DELAY_S)
    limits.loop.pass_s(0)
    assert limits.ran == ["b at 110"]


def test_room_is_not_kept_for_those_that_are_over(limits: Limits) -> None:
    numbers = [limits.start(str(number)) for number in range(2000)]
    for number in numbers[1:]:
        limits.timeouts.cancel(number)
    before = sys.getsizeof(limits.timeouts._running)
    limits.timeouts.shrink()
    assert sys.getsizeof(limits.timeouts._running) < before / 20
    limits.loop.pass_s(DELAY_S)
    assert limits.ran == ["0 at 110"]


def test_one_timer_stands_for_all(limits: Limits) -> None:
    for name in "abc":
        limits.start(name)
    assert len(limits.loop.timers) == 1
    limits.loop.pass_s(DELAY_S)
    assert limits.ran == ["a at 110", "b at 110", "c at 110"]


def test_one_that_was_called_off_does_not_run(limits: Limits) -> None:
    first, second = limits.start("a"), limits.start("b")
    limits.timeouts.cancel(first)
    limits.loop.pass_s(DELAY_S)
    limits.timeouts.cancel(second)
    assert limits.ran == ["b at 110"]


def test_one_that_starts_after_all_were_called_off_has_its_whole_time(limits: Limits) -> None:
    limits.timeouts.cancel(limits.start("a"))
    limits.loop.pass_s(8)
    limits.start("b")
    limits.loop.pass_s(9.9)
    assert limits.ran == []
    limits.loop.pass_s(0.2)
    assert limits.ran == ["b at 118"]


def test_one_that_runs_may_call_another_off_and_start_one(limits: Limits) -> None:
    def fire() -> None:
        limits.timeouts.cancel(numbers[1])
        limits.start("c")

    numbers = [limits.timeouts.start(fire), limits.start("b")]
    limits.loop.pass_s(3 * DELAY_S)
    assert limits.ran == ["c at 120"]
