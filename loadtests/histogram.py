"""A log-linear histogram: integers fall into buckets a 64th of their size wide, and histograms merge exactly.

Recording is one shift and one dictionary update, since it stands on the hot path; whatever is read from it is at most
`ERROR_MAX` above the truth, never below.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

SUB_BITS: Final = 6
_LINEAR_MAX: Final = 2 << SUB_BITS
ERROR_MAX: Final = 1 / (1 << SUB_BITS)


def bucket_of(value: int) -> int:
    """Return the bucket of a value; raises ValueError for a negative one."""
    if value < _LINEAR_MAX:
        if value < 0:
            raise ValueError(f"value {value} is negative, expected 0 or more")
        return value
    shift = value.bit_length() - SUB_BITS - 1
    return (shift << SUB_BITS) + (value >> shift)


def highest_in(bucket: int) -> int:
    """Return the highest value that falls into a bucket."""
    if bucket < _LINEAR_MAX:
        return bucket
    shift = (bucket >> SUB_BITS) - 1
    return ((bucket - (shift << SUB_BITS) + 1) << shift) - 1


class HistogramData(Struct, frozen=True):
    """A histogram at rest: `buckets` are (bucket, count) pairs in rising order, values in nanoseconds."""

    count: int = 0
    total: int = 0
    lowest: int = 0
    highest: int = 0
    buckets: tuple[tuple[int, int], ...] = ()
    unit: str = "ns"
    sub_bits: int = SUB_BITS


class Histogram:
    """Counts of values by bucket."""

    __slots__ = ("_buckets", "count", "highest", "lowest", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.lowest = 0
        self.highest = 0
        self._buckets: dict[int, int] = {}

    def add(self, value: int) -> None:
        """Count one value."""
        bucket = bucket_of(value)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1
        self.lowest = value if not self.count else min(self.lowest, value)
        self.highest = max(self.highest, value)
        self.count += 1
        self.total += value

    def quantile(self, share: float) -> int:
        """Return a value that at least `share` of the values do not exceed; 0 when there are none."""
        wanted = max(1, -int(-share * self.count // 1))
        seen = 0
        for bucket, count in sorted(self._buckets.items()):
            seen += count
            if seen >= wanted:
                return min(highest_in(bucket), self.highest)
        return self.highest

    def data(self) -> HistogramData:
        """Return what can be written down."""
        pairs = tuple(sorted(self._buckets.items()))
        return HistogramData(self.count, self.total, self.lowest, self.highest, pairs)

    @classmethod
    def of(cls, parts: Iterable[HistogramData]) -> "Histogram":
        """Return the sum of histograms; raises ValueError where their buckets differ in width or unit."""
        whole = cls()
        for part in parts:
            whole._take(part)
        return whole

    def _take(self, part: HistogramData) -> None:
        if (part.unit, part.sub_bits) != ("ns", SUB_BITS):
            raise ValueError(f"histogram in {part.unit} with {part.sub_bits} sub-bits, expected ns with {SUB_BITS}")
        if not part.count:
            return
        for bucket, count in part.buckets:
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count
        self.lowest = part.lowest if not self.count else min(self.lowest, part.lowest)
        self.highest = max(self.highest, part.highest)
        self.count += part.count
        self.total += part.total
