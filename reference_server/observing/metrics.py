"""The figures of one process as plain counters; Prometheus's text is made of them only when it is asked for.

Counting lies on the way of every request, so it is a dictionary's entry and no more. Every label comes from a table
(an operation's name, a method, a status), so that the number of series is bounded whatever is asked.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from reference_server.contract.messages import TaskUpdateData
from reference_server.core.answers import Publish
from reference_server.core.units import SECOND_NS

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the duration histogram; P2's 50 ms and P1's 100 ms are among them (contract §8)."""
_BOUNDS_NS: Final = tuple(round(bound * SECOND_NS) for bound in BUCKETS_S)
PAGE: Final = "page"
UNKNOWN: Final = "unknown"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
OTHER: Final = "other"


class Series:
    """Answers of one kind: how many took how long, by bucket, the last one open, and the sum of what they took."""

    __slots__ = ("counts", "sum_ns")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS_NS) + 1)
        self.sum_ns = 0

    def add(self, other: "Series") -> None:
        """Count in what another one counted."""
        self.counts = [own + more for own, more in zip(self.counts, other.counts, strict=True)]
        self.sum_ns += other.sum_ns


@dataclass(slots=True)
class Metrics:
    """What happened since the process started; `tells_process` adds its memory, files and processor time.

    `answers` by (operation, method, status), `task_moves` by the status that was pushed.
    """

    tells_process: bool = False
    answers: dict[tuple[str, str, int], Series] = field(default_factory=dict)
    task_moves: Counter[str] = field(default_factory=Counter)

    def answered(self, operation: str, method: str, status: int, duration_ns: int) -> None:
        """Count a request; `operation` is the name of one, PAGE or UNKNOWN."""
        key = (operation, method if method in METHODS else OTHER, status)
        series = self.answers.get(key)
        if series is None:
            series = self.answers[key] = Series()
        series.counts[bisect_left(_BOUNDS_NS, duration_ns)] += 1
        series.sum_ns += duration_ns

    def published(self, publish: Publish) -> None:
        """Count a task's transition; what an admin publishes in a task's name is none."""
        if isinstance(publish.data, TaskUpdateData):
            self.task_moves[publish.data.status] += 1

    def requests(self) -> dict[tuple[str, str, int], int]:
        """Return how many answers of each kind there were."""
        return {key: sum(series.counts) for key, series in sorted(self.answers.items())}

    def durations(self) -> dict[str, Series]:
        """Return how long answers took, by operation."""
        found: dict[str, Series] = {}
        for (operation, _, _), series in sorted(self.answers.items()):
            found.setdefault(operation, Series()).add(series)
        return found
