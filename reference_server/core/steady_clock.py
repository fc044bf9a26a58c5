"""A wall clock that never goes back and never stands still (contract §5d).

When the system's clock is set back, this one goes on at half speed until the other has caught up: timestamps stay in
order, and what waits for an instant still comes to it.
"""


class SteadyClock:
    """Made of the two clocks of the environment, read at the same moment."""

    def __init__(self) -> None:
        self._shown_ns = 0
        self._monotonic_ns = 0

    def read(self, monotonic_ns: int, wall_ns: int) -> int:
        """Return nanoseconds since the Unix epoch, at least what was returned before."""
        slowed_ns = self._shown_ns + max(0, monotonic_ns - self._monotonic_ns) // 2
        self._shown_ns = wall_ns if wall_ns >= self._shown_ns else slowed_ns
        self._monotonic_ns = monotonic_ns
        return self._shown_ns
