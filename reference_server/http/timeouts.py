"""Time limits of one length, of which most are called off: one timer of the loop stands for all of them.

Each connection has such a limit until its request's head is there. A timer each would be made and thrown away ten
thousand times when as many connect at once, which costs more time, and memory that uvloop keeps (spare_memory).
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from reference_server.core.tables import refit


class Loop(Protocol):
    """What they need of asyncio's loop; times in seconds."""

    def time(self) -> float:
        """Return the loop's clock."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> object:
        """Run `callback` after `delay`."""

    def call_soon(self, callback: Callable[[], None], /) -> object:
        """Run `callback` after what runs now."""


class Timeouts:
    """Runs what was started once the time is over, in that order."""

    def __init__(self, loop: Loop, delay_s: float) -> None:
        self._loop = loop
        self._delay_s = delay_s
        self._running: dict[int, tuple[float, Callable[[], None]]] = {}
        self._started = 0
        self._timer_is_set = False

    def start(self, fire: Callable[[], None]) -> int:
        """Call `fire` when the time is over; return the number by which that can be called off."""
        self._started += 1
        self._running[self._started] = (self._loop.time() + self._delay_s, fire)
        self._set_timer(self._delay_s)
        return self._started

    def cancel(self, number: int) -> None:
        """Call one off; nothing when it has run."""
        self._running.pop(number, None)

    def _set_timer(self, delay_s: float) -> None:
        if not self._timer_is_set:
            self._timer_is_set = True
            self._loop.call_later(delay_s, self._look)

    def _look(self) -> None:
        """Run what is due. All have the same length, so the first to be started is the first to be due."""
        self._timer_is_set = False
        now_s = self._loop.time()
        due = []
        for number, (due_s, _) in self._running.items():
            if due_s > now_s:
                self._set_timer(due_s - now_s)
                break
            due.append(number)
        for number in due:
            # In a turn of its own: one that fails must not take the others with it, and may call another off.
            self._loop.call_soon(partial(self._run, number))

    def _run(self, number: int) -> None:
        _, fire = self._running.pop(number, (0.0, _nothing))
        fire()

    def shrink(self) -> None:
        """Keep no room for those that are over."""
        refit(self._running)


def _nothing() -> None:
    """Stand for what was called off between its being due and its turn."""
