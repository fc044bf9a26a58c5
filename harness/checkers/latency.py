"""Budgets that are measured: P1 (connect), P2 (delivery), P6 (bytes of a ping and its pong) (contract §8).

P1: `connecting` to the welcome read. P2: `invoke` of a publish to the frame read, where the message itself tells
whose it is: the unique `query` of a submit in its `queued` push, the data of a broadcast or send. Of load runs the
figures come as `sample {series: "connect" | "delivery", unit: "ms", count, p50, p95, p99, max, fan_out}`. What was
measured while a fault was active is left out. P6: `sent {message: ping, bytes?}` and `received {message: pong,
bytes}`; payload bytes, to which the frame headers of RFC 6455 §5.2 are added.
"""

from typing import Any, Final

import msgspec

from harness.checkers.published import weak_of
from harness.checkers.sockets import Sockets, data_of, message_of
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract import limits

P1, P2, P6 = "PERF-P1", "PERF-P2", "PERF-P6"
NS_PER_MS: Final = 1_000_000
VALUES_MIN: Final = 5
"""Fewer measurements are no percentile."""
VALUES_KEPT_MAX: Final = 100_000
ASKED_KEPT_MAX: Final = 1000
"""Publishes whose delivery is waited for; the oldest was delivered, or is lost and no latency."""
SAMPLES_KEPT_MAX: Final = 1000
SERIES: Final = ("connect", "delivery")
MASK_BYTES: Final = 4


class Latency(Fold):
    """Keeps the measured values, bounded; percentiles are nearest-rank."""

    name = "latency"
    clauses = (P1, P2, P6)
    live = True

    def begin(self) -> None:
        """Forget everything."""
        self._sockets = Sockets(only_live=True)
        self._connects: list[float] = []
        self._deliveries: list[float] = []
        self._asked: dict[bytes, Event | None] = {}
        self._samples: dict[str, list[Event]] = {}
        self._ping_bytes: tuple[int, Event] | None = None

    def take(self, event: Event) -> None:
        """Measure what this event completes."""
        before = self._sockets.see(event)
        if event.kind == "sample":
            self._take_sample(event)
        elif event.kind == "invoke":
            self._remember(event)
        elif event.kind == "sent":
            self._measure_ping(event)
        elif event.kind == "received":
            if before is not None and before.welcome is event and not self.tally.faults:
                _keep(self._connects, (event.at_ns - before.begin.at_ns) / NS_PER_MS)
            self._measure_delivery(event)
            self._measure_pong(event)

    def _take_sample(self, event: Event) -> None:
        series = str(event.data.get("series"))
        if series in SERIES:
            kept = self._samples.setdefault(series, [])
            kept.append(event)
            del kept[:-SAMPLES_KEPT_MAX]

    def end(self) -> None:
        """Judge the percentiles."""
        connect_max = limits.CONNECT_P95_MS_LOCAL if self.run.local else limits.CONNECT_P95_MS_PRODUCTION
        self._judge(P1, self._connects, "connect", "p95", connect_max)
        self._judge(P2, self._deliveries, "delivery", "p99", limits.DELIVERY_P99_MS)

    def _judge(self, clause: str, values: list[float], series: str, quantile: str, most_ms: float) -> None:
        measured = _figures(values)
        evidence: tuple[Event, ...] = ()
        sampled = [event for event in self._samples.get(series, []) if _count(event) >= VALUES_MIN]
        if sampled:
            worst = max(sampled, key=lambda event: _number(event, quantile))
            names = ("p50", "p95", "p99", "max", "fan_out")
            measured = {name: _number(worst, name) for name in names} | {
                "count": float(sum(_count(event) for event in sampled))
            }
            evidence = (worst,)
        if measured["count"] < VALUES_MIN:
            self.tally.undecided(clause, f"{measured['count']:.0f} measurements, {VALUES_MIN} are needed")
            return
        found = measured[quantile]
        told = f"{quantile} is {found:.1f} ms of {measured['count']:.0f}, expected under {most_ms} ms"
        self.tally.judge(clause, found < most_ms, told, *evidence)
        self.tally.figure(clause, **measured)

    def _remember(self, event: Event) -> None:
        key = _asked_key(event.data.get("operation"), event.data.get("body"))
        if key is not None:
            # The same words twice: the push can't tell which of the two it answers.
            self._asked[key] = None if key in self._asked or self.tally.faults else event
            if len(self._asked) > ASKED_KEPT_MAX:
                del self._asked[next(iter(self._asked))]

    def _measure_delivery(self, event: Event) -> None:
        message = message_of(event)
        data = data_of(message, "task_update")
        keys = [weak_of(message.get("type"), message.get("data"))] if message is not None else []
        if data is not None and data.get("status") == "queued" and data.get("revision", 1) == 1:
            keys.append(_query_key(data.get("query")))
        for key in keys:
            asked = self._asked.get(key)
            same_clock = asked is not None and (self.run.shared_clock or asked.recorder == event.recorder)
            if asked is not None and same_clock and not self.tally.faults and event.at_ns >= asked.at_ns:
                _keep(self._deliveries, (event.at_ns - asked.at_ns) / NS_PER_MS)

    def _measure_ping(self, event: Event) -> None:
        message = event.data.get("message")
        if isinstance(message, dict) and message.get("type") == "ping":
            size = event.data.get("bytes")
            payload = size if isinstance(size, int) else len(msgspec.json.encode(message))
            self._ping_bytes = (_wire_bytes(payload, masked=True), event)

    def _measure_pong(self, event: Event) -> None:
        size = event.data.get("bytes")
        if self._ping_bytes is None or not isinstance(size, int) or data_of(message_of(event), "pong") is None:
            return
        ping_bytes, ping = self._ping_bytes
        both = ping_bytes + _wire_bytes(size, masked=False)
        told = f"a ping and its pong take {both} bytes, {limits.PING_PONG_WIRE_BYTES_MAX} at most"
        self.tally.judge(P6, both <= limits.PING_PONG_WIRE_BYTES_MAX, told, ping, event)
        claimed, most = limits.PING_PONG_WIRE_BYTES_CLAIMED, limits.PING_PONG_WIRE_BYTES_MAX
        self.tally.figure(P6, bytes=float(both), claimed_bytes=float(claimed), limit_bytes=float(most))


def _asked_key(operation: Any, body: Any) -> bytes | None:
    if not isinstance(body, dict):
        return None
    if operation == "submit_task":
        return _query_key(body.get("query"))
    return weak_of(body.get("type"), body.get("data")) if operation in ("ws_broadcast", "ws_send") else None


def _query_key(query: Any) -> bytes:
    return weak_of("query", query)


def _wire_bytes(payload: int, *, masked: bool) -> int:
    extended = 0 if payload < 126 else 2 if payload < 65536 else 8
    return 2 + extended + (MASK_BYTES if masked else 0) + payload


def _keep(values: list[float], value: float) -> None:
    if len(values) < VALUES_KEPT_MAX:
        values.append(value)


def _figures(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {"count": 0.0}
    rank = {name: ordered[-(-len(ordered) * part // 100) - 1] for name, part in (("p50", 50), ("p95", 95), ("p99", 99))}
    return {"count": float(len(ordered)), **rank, "max": ordered[-1]}


def _count(event: Event) -> int:
    return int(_number(event, "count"))


def _number(event: Event, name: str) -> float:
    value = event.data.get(name, 0)
    return float(value) if isinstance(value, (int, float)) else 0.0
