"""Prometheus's text of a process's figures (contract §1 service), from a registry of its own.

`prometheus_client` is imported at the first scrape: most processes are never scraped, and the start waits for nobody.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from reference_server.contract.models import SocketFigures
from reference_server.core.units import SECOND_NS
from reference_server.observing.metrics import BUCKETS_S, Metrics, Series

if TYPE_CHECKING:
    from prometheus_client import Metric

PREFIX: Final = "zerostate"


def exposition(metrics: Metrics, sockets: SocketFigures, tasks: Mapping[str, int], version: str) -> str:
    """Return the text, format 0.0.4; `tasks` says how many have each status, and is empty when nobody knows."""
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(metrics, sockets, tasks, version))
    if metrics.tells_process:
        ProcessCollector(registry=registry)
    return generate_latest(registry).decode()


class _Figures:
    """A collector that is asked once."""

    def __init__(self, metrics: Metrics, sockets: SocketFigures, tasks: Mapping[str, int], version: str) -> None:
        self._metrics = metrics
        self._sockets = sockets
        self._tasks = tasks
        self._version = version

    def collect(self) -> "Iterator[Metric]":
        from prometheus_client.core import InfoMetricFamily

        yield InfoMetricFamily(f"{PREFIX}_build", "The version that runs", {"version": self._version})
        yield from self._http()
        yield from self._of_tasks()
        yield from self._of_sockets()

    def describe(self) -> "Iterator[Metric]":
        """Say nothing in advance: registering asks for it."""
        return iter(())

    def _http(self) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        labels = ("operation", "method", "status")
        requests = CounterMetricFamily(
            f"{PREFIX}_http_requests", "Requests answered, handshakes included", labels=labels
        )
        for (operation, method, status), count in self._metrics.requests().items():
            requests.add_metric((operation, method, str(status)), count)
        yield requests
        name = f"{PREFIX}_http_request_duration_seconds"
        durations = HistogramMetricFamily(name, "From the request's head to its answer", labels=("operation",))
        for operation, one in self._metrics.durations().items():
            durations.add_metric((operation,), _buckets(one), one.sum_ns / SECOND_NS)
        yield durations

    def _of_tasks(self) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        told = "Transitions of tasks that were pushed, by the status they led to"
        moves = CounterMetricFamily(f"{PREFIX}_task_transitions", told, labels=("to",))
        for status, count in sorted(self._metrics.task_moves.items()):
            moves.add_metric((status,), count)
        yield moves
        now = GaugeMetricFamily(f"{PREFIX}_tasks", "Unfinished tasks by status: queued is the depth of the queue",
                                labels=("status",))  # fmt: skip
        for status, count in self._tasks.items():
            now.add_metric((status,), count)
        yield now

    def _of_sockets(self) -> "Iterator[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        sockets = self._sockets
        yield GaugeMetricFamily(f"{PREFIX}_ws_connections", "Live sockets", sockets.current_connections)
        for name, told, count in (
            ("ws_connections_opened", "Sockets opened since the start", sockets.total_connections),
            ("ws_messages_sent", "Messages put in outboxes, welcome and pong included", sockets.messages_sent),
            ("ws_slow_consumers_closed", "Sockets closed because they read too slowly", sockets.slow_consumers_closed),
            ("ws_invalid_messages", "Client messages that were no JSON object or a malformed ping",
             sockets.invalid_messages),
        ):  # fmt: skip
            yield CounterMetricFamily(f"{PREFIX}_{name}", told, count)


def _buckets(series: Series) -> list[tuple[str, float]]:
    """Return the cumulative counts by upper bound; the last one has none."""
    bounds = [*(str(bound) for bound in BUCKETS_S), "+Inf"]
    return list(zip(bounds, accumulate(series.counts), strict=True))
