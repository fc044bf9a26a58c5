"""A time limit that is moved far more often than it is reached: moving it makes and cancels no timer."""

from collections.abc import Callable
from typing import Protocol

from reference_server.environment import Cancelable


class Loop(Protocol):
    """What the timer needs of asyncio's loop; times in seconds."""

    def time(self) -> float:
        """Return the loop's clock."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> Cancelable:
        """Run `callback` after `delay`."""


class IdleTimer:
    """Calls `fire` once `set` was not called again, nor `clear`, for as long as it said.

    A connection moves its limit twice a request, which cost 4 us with a timer each. Here one timer is left to run out;
    it looks whether the limit has moved, and goes on for the rest.
    """

    def __init__(self, loop: Loop, delay_s: float, fire: Callable[[], None]) -> None:
        self._loop = loop
        self._delay_s = delay_s
        self._fire = fire
        self._due_s: float | None = None
        self._timer: Cancelable | None = None

    def set(self) -> None:
        """Let the time begin anew."""
        self._due_s = self._loop.time() + self._delay_s
        if self._timer is None:
            self._timer = self._loop.call_later(self._delay_s, self._look)

    def clear(self) -> None:
        """Have no limit until it is set again."""
        self._due_s = None

    def close(self) -> None:
        """Have none any more, and leave no timer behind."""
        self.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._due_s is None:
            return
        left_s = self._due_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
        else:
            self._due_s = None
            self._fire()
