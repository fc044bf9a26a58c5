"""Token buckets in integer nanoseconds, a bounded number of them (contract §2 limits).

A bucket is one number: the instant at which it is full again (the generic cell rate algorithm). A full bucket is
the same as none, so buckets that have filled up are forgotten.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from reference_server.core.units import SECOND_NS

BUCKETS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` calls at once, and one more every `interval_ns`."""

    burst: int
    interval_ns: int

    @classmethod
    def per_second(cls, burst: int, calls: int) -> "Rate":
        """Return the rate of `calls` a second with a burst."""
        return cls(burst, SECOND_NS // calls)

    @classmethod
    def per_minute(cls, calls: int) -> "Rate":
        """Return a bucket as large as a minute's allowance."""
        return cls(calls, 60 * SECOND_NS // calls)

    def taken(self, full_at_ns: int, now_ns: int) -> int | None:
        """Return when a bucket that is full at `full_at_ns` is full again after one call; None when it is empty."""
        after = max(full_at_ns, now_ns) + self.interval_ns
        return after if after - now_ns <= self.burst * self.interval_ns else None

    def wait_ns(self, full_at_ns: int, now_ns: int) -> int:
        """Return after what time a call succeeds; 0 when one does now."""
        return max(0, full_at_ns + self.interval_ns - self.burst * self.interval_ns - now_ns)


class Buckets:
    """The buckets of one rate by key; over `buckets_max` the one untouched longest is forgotten (and so is full)."""

    def __init__(self, rate: Rate, buckets_max: int = BUCKETS_MAX) -> None:
        self._rate = rate
        self._buckets_max = buckets_max
        self._full_at_ns: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at_ns)

    def take(self, key: str, now_ns: int) -> int | None:
        """Take one call; return None, or the whole seconds (at least 1) after which one succeeds."""
        full_at_ns = self._full_at_ns.get(key, now_ns)
        after = self._rate.taken(full_at_ns, now_ns)
        if after is None:
            return max(1, -(-self._rate.wait_ns(full_at_ns, now_ns) // SECOND_NS))
        self._full_at_ns[key] = after
        self._full_at_ns.move_to_end(key)
        self._forget(now_ns)
        return None

    def _forget(self, now_ns: int) -> None:
        """Drop two of the longest untouched if full, so that the work of a call stays constant."""
        for _ in range(2):
            key, full_at_ns = next(iter(self._full_at_ns.items()))
            if full_at_ns > now_ns and len(self._full_at_ns) <= self._buckets_max:
                return
            del self._full_at_ns[key]
            if not self._full_at_ns:
                return
