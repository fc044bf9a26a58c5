"""How late a load client's own loop runs: what it measures of others is at most that much too high."""

import asyncio
import time
from array import array
from typing import Final

from harness.bench.load import quantile_ms

PERIOD_NS: Final = 5_000_000


class Lag:
    """A tick every 5 ms; each notes by how much it came too late."""

    def __init__(self) -> None:
        self._late_ns = array("Q")
        self._due_ns = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Tick from now on; what was noted before is forgotten."""
        self.stop()
        self._late_ns = array("Q")
        self._due_ns = time.monotonic_ns()
        self._tick()

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def p99_ms(self) -> float:
        """Return the lateness that one tick in a hundred exceeds."""
        return quantile_ms(sorted(self._late_ns), 0.99)

    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        self._late_ns.append(max(0, now_ns - self._due_ns))
        self._due_ns = max(self._due_ns + PERIOD_NS, now_ns)
        delay_s = (self._due_ns - now_ns) / 1e9
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)
