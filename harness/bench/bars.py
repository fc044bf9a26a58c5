"""What the reference server is held to on one core, and what was found beside it."""

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

from harness.bench.hostile_kinds import KINDS, Kind
from reference_server.contract import limits


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise: `bound` in `unit`, kept when the figure is at least, or else at most, that much; None: reported."""

    name: str
    what: str
    unit: str
    bound: float | None = None
    at_least: bool = True

    def met(self, value: float) -> bool:
        """Say whether a figure keeps the promise."""
        if self.bound is None:
            return True
        return value >= self.bound if self.at_least else value <= self.bound


def _hostile(kind: Kind) -> tuple[Bar, ...]:
    name = f"hostile_{kind.name}"
    return (
        Bar(name, f"p99 beside {kind.what}", "ms", limits.DELIVERY_P99_MS, at_least=False),
        Bar(f"{name}_memory", f"left behind by {kind.what}", "MiB", 5, at_least=False),
        Bar(f"{name}_second", f"added by wave 2: {kind.what}", "MiB", 5, at_least=False),
        Bar(f"{name}_stats", f"figures off after {kind.what}", "of 5", 0, at_least=False),
    )


BARS: Final = (
    Bar("submit_normal", "POST /tasks/submit, synchronous=NORMAL", "requests/s", 6_500, at_least=True),
    Bar("submit_full", "POST /tasks/submit, synchronous=FULL", "requests/s", 5_500, at_least=True),
    Bar("get_task", "GET /tasks/{id}", "requests/s", 10_000, at_least=True),
    Bar("logins_p99", "p99 of calls beside 20 logins/s", "ms", 50, at_least=False),
    Bar("mixed_p99", "p99 beside 20 logins/s and 10 uploads", "ms", 50, at_least=False),
    Bar("ready", "start to ready", "s", 1, at_least=False),
    Bar("resident", "resident memory at rest", "MiB", 120, at_least=False),
    Bar("connect_storm", "p95 to the welcome at 500 connects/s", "ms", limits.CONNECT_P95_MS_LOCAL, at_least=False),
    Bar("connect_rate", "connects as fast as 64 in flight go", "connects/s", 500, at_least=True),
    Bar("connect_rate_picows", "connects: picows", "connects/s"),
    Bar("connect_rate_websockets", "connects: websockets", "connects/s"),
    Bar("connect_rate_stock", "connects: uvicorn's stock socket path", "connects/s"),
    Bar("directed", "p99 to 2 tabs at 2,000 submits/s", "ms", limits.DELIVERY_P99_MS, at_least=False),
    Bar("directed_rate", "to 2 tabs of 1,000, 8 publishes in flight", "deliveries/s"),
    Bar("directed_rate_picows", "directed: picows", "deliveries/s"),
    Bar("directed_rate_websockets", "directed: websockets.broadcast", "deliveries/s"),
    Bar("directed_rate_stock", "directed: uvicorn's stock socket path", "deliveries/s"),
    Bar("held", "p99 at 10,000 deliveries/s, 15,000 held", "ms", limits.DELIVERY_P99_MS, at_least=False),
    Bar("held_still", "sockets still there at the end", "sockets", 15_000, at_least=True),
    *(bar for kind in KINDS for bar in _hostile(kind)),
    Bar("fan_out", "fan-out to 1,000, one by one", "deliveries/s", 110_000),
    Bar("fan_out_to_floor", "fan-out: ours to the floor", "ratio", 0.75),
    Bar("fan_out_to_picows", "fan-out: ours to picows", "ratio", 0.95),
    Bar("fan_out_floor", "fan-out: floor, a bare loop of sock.send", "deliveries/s"),
    Bar("fan_out_picows", "fan-out: picows", "deliveries/s"),
    Bar("fan_out_websockets", "fan-out: websockets.broadcast", "deliveries/s"),
    Bar("fan_out_stock", "fan-out: uvicorn's stock socket path", "deliveries/s"),
    Bar("fan_out_bursts", "fan-out to 1,000, bursts of 8", "deliveries/s", 600_000),
    Bar("fan_out_bursts_floor", "bursts: floor, 8 frames in one sock.send", "deliveries/s"),
    Bar("fan_out_bursts_picows", "bursts: picows", "deliveries/s"),
    Bar("fan_out_bursts_websockets", "bursts: websockets.broadcast", "deliveries/s"),
    Bar("fan_out_bursts_stock", "bursts: uvicorn's stock socket path", "deliveries/s"),
    Bar("idle_memory", "memory a connection at 10,000 idle", "KiB", 4, at_least=False),
    Bar("idle_cpu", "CPU at 10,000 idle connections", "% of a core"),
    Bar("idle_memory_picows", "memory a connection: picows", "KiB"),
    Bar("idle_memory_websockets", "memory a connection: websockets", "KiB"),
    Bar("idle_memory_stock", "memory a connection: uvicorn's stock path", "KiB"),
)


class Figure(Struct, frozen=True, omit_defaults=True):
    """One measured value beside its bar; `value` is None when it was not measured, and `note` says why.

    `calibration_ms` is how long a fixed piece of work took on the server's core, the mean before and after it was
    measured; `rounds` are what the value is the median of. What the verdict looks at besides (`report.verdict`):
    `busy` and `waited`, the parts of the time in which the server had or wanted its core, and in which it wanted it and
    others had it (`busy` where as much was asked as it can do); `lag_ms`, how late the load client itself was in a
    latency; `by_cpu`, the ratio of what both took of their cores; `fault`, what breaks the promise whatever the value.
    """

    name: str
    value: float | None
    cpu_us_per_request: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    statuses: dict[str, int] = {}
    calibration_ms: float | None = None
    note: str = ""
    rounds: list[float] = []
    busy: float | None = None
    waited: float | None = None
    lag_ms: float | None = None
    by_cpu: float | None = None
    fault: str = ""
