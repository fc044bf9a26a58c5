"""The idle timer ends what is idle, and nothing that moved its limit in time."""

from collections.abc import Callable

import pytest

from reference_server.http.idle_timer import IdleTimer


class Handle:
    def __init__(self, due_s: float, callback: Callable[[], None]) -> None:
        self.due_s = due_s
        self.callback = callback
        self.canceled = False

    def cancel(self) -> None:
        self.canceled = True


class StandingLoop:
    """A loop whose time goes on only when it is told to, and that counts the timers it made."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.made = 0
        self.left: list[Handle] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Handle:
        self.made += 1
        self.left.append(Handle(self.now_s + delay, callback))
        return self.left[-1]

    def run_to(self, now_s: float) -> None:
        while self.left and min(handle.due_s for handle in self.left) <= now_s:
            handle = min(self.left, key=lambda one: one.due_s)
            self.left.remove(handle)
            self.now_s = handle.due_s
            if not handle.canceled:
                handle.callback()
        self.now_s = now_s


@pytest.fixture
def loop() -> StandingLoop:
    return StandingLoop()


@pytest.fixture
def fired(loop: StandingLoop) -> list[float]:
    return []


@pytest.fixture
def timer(loop: StandingLoop, fired: list[float]) -> IdleTimer:
    return IdleTimer(loop, 10.0, lambda: fired.append(loop.now_s))


def test_what_stays_idle_is_told_once_at_its_time(loop: StandingLoop, timer: IdleTimer, fired: list[float]) -> None:
    loop.run_to(3)
    timer.set()
    loop.run_to(100)

    assert fired == [13.0]


def test_a_limit_that_moves_makes_no_timer_each_time(loop: StandingLoop, timer: IdleTimer, fired: list[float]) -> None:
    for second in range(100):
        loop.run_to(second)
        timer.clear()
        timer.set()

    assert fired == []
    assert loop.made <= 12
    loop.run_to(200)
    assert fired == [109.0]


def test_a_cleared_limit_is_never_reached_until_it_is_set_again(
    loop: StandingLoop, timer: IdleTimer, fired: list[float]
) -> None:
    timer.set()
    timer.clear()
    loop.run_to(50)
    assert fired == []
    timer.set()
    loop.run_to(70)
    assert fired == [60.0]


def test_a_closed_timer_leaves_none_behind(loop: StandingLoop, timer: IdleTimer, fired: list[float]) -> None:
    timer.set()
    timer.close()

    assert [handle.canceled for handle in loop.left] == [True]
    loop.run_to(50)
    assert fired == []
