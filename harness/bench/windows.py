"""A quantile in each of a few windows of one run, of which the median counts: a bad second is one of five.

A time belongs to the window in which what it measures was due: what waits because the server is late stays where it was
caused.
"""

from array import array
from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from harness.bench.bars import Figure
from harness.bench.load import quantile_ms

WINDOWS: Final = 5
WINDOW_S_MIN: Final = 1.0


def seconds_of(seconds: float) -> float:
    """Return how long to count when so long was asked for: no window is shorter than it may be."""
    return max(seconds, WINDOWS * WINDOW_S_MIN)


class Times:
    """Times, each with the instant from which it counts; in monotonic nanoseconds."""

    def __init__(self) -> None:
        self._due_ns = array("Q")
        self._times_ns = array("Q")

    def add(self, due_ns: int, read_ns: int) -> None:
        """Keep the time from one instant to the other."""
        self._due_ns.append(due_ns)
        self._times_ns.append(read_ns - due_ns)

    def all(self) -> list[int]:
        """Return all, sorted."""
        return sorted(self._times_ns)

    def windows_ms(self, quantile: float, from_ns: int, until_ns: int) -> list[float | None]:
        """Return the quantile in each window of a time, None where nothing was due."""
        windows: list[list[int]] = [[] for _ in range(WINDOWS)]
        for due_ns, time_ns in zip(self._due_ns, self._times_ns, strict=True):
            if from_ns <= due_ns < until_ns:
                windows[(due_ns - from_ns) * WINDOWS // (until_ns - from_ns)].append(time_ns)
        return [quantile_ms(sorted(window), quantile) for window in windows]


def median_of(figure: Figure, windows_ms: Sequence[float | None]) -> Figure:
    """Return a figure whose value is the median of its windows; no value when one of them has none."""
    known = [window for window in windows_ms if window is not None]
    if len(known) < WINDOWS:
        note = f"nothing was timed in {WINDOWS - len(known)} of {WINDOWS} windows; {figure.note}"
        return msgspec.structs.replace(figure, value=None, note=note)
    note = f"{min(known):.1f} to {max(known):.1f} ms in {WINDOWS} windows; {figure.note}"
    return msgspec.structs.replace(figure, value=median(known), note=note, rounds=known)
