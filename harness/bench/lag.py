"""How late a load client's own loop runs: what it measures of others is at most that much too high."""

import asyncio
import time
from array import array
from typing import Final

from harness.bench.load import Pace, quantile_ms

TICKS_PER_S: Final = 200


class Lag:
    """Ticks that fall due at a steady rate; a pause of a second makes two hundred of them late, not one."""

    def __init__(self) -> None:
        self._late_ns = array("Q")
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Tick from now on; what was noted before is forgotten."""
        self.stop()
        self._late_ns = array("Q")
        self._tick(Pace(TICKS_PER_S, time.monotonic_ns()))

    def stop(self) -> None:
        """Tick no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def p99_ms(self) -> float | None:
        """Return the lateness that one tick in a hundred exceeds; None when it never ticked."""
        return quantile_ms(sorted(self._late_ns), 0.99)

    @property
    def ticks(self) -> int:
        """How many fell due."""
        return len(self._late_ns)

    def note(self, pace: Pace, now_ns: int) -> None:
        """Note how late each tick is that has fallen due."""
        self._late_ns.extend(now_ns - due_ns for due_ns in pace.due(now_ns))

    def _tick(self, pace: Pace) -> None:
        now_ns = time.monotonic_ns()
        self.note(pace, now_ns)
        delay_s = (pace.next_ns - now_ns) / 1e9
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick, pace)
