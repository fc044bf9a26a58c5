"""The numbers of a load run, from `samples/load.json`: figures, ledger, rate, and why it does not count if it does not.

The shape belongs to the load folder, which writes it; what is missing here is left out, so old records stay readable.
"""

from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from harness.records import ReadRecord, RecordError

SUMMARY: Final = "samples/load.json"
SUB_BITS: Final = 6
NS_PER_MS: Final = 1_000_000
DELIVERY: Final = "delivery"

T = TypeVar("T")


class Load(Struct, frozen=True, kw_only=True):
    """What a load run came to; times in milliseconds, `messages_per_s` by second since the measured start."""

    scenario: str
    users: int
    duration_s: float
    fan_out: int = 1
    offered: int = 0
    figures: dict[str, dict[str, float]] = {}
    measured_from: dict[str, str] = {}
    ledger: dict[str, int] = {}
    server: dict[str, int] | None = None
    messages_per_s: dict[int, int] = {}
    faults: dict[str, int] = {}
    void: tuple[str, ...] = ()
    left_behind: str = ""


def losses_of(load: Load | None) -> str:
    """Return what a load run that counts found missing or too much, as the middle of a sentence; else nothing."""
    if load is None or load.void:
        return ""
    found = [f"{load.ledger[name]} {name}" for name in ("lost", "doubled", "foreign") if load.ledger.get(name)]
    return f"pushes went astray: {', '.join(found)}" if found else ""


class _Histogram(Struct, frozen=True):
    buckets: tuple[tuple[int, int], ...] = ()
    sub_bits: int = SUB_BITS


class _Series(Struct, frozen=True):
    name: str
    whole: _Histogram


class _Sample(Struct, frozen=True):
    series: tuple[_Series, ...] = ()


def read_load(record: ReadRecord) -> Load | None:
    """Return the load of a record, or None when it has none; raises RecordError when it can't be read."""
    if not (record.path / SUMMARY).is_file():
        return None
    return _decoded(record, SUMMARY, Load)


def delivery_values_ms(record: ReadRecord) -> dict[float, int]:
    """Return (delivery latency in ms: count) over all processes of a load run; empty when it left no samples."""
    found: dict[float, int] = {}
    for path in record.files("samples", "worker-*.json"):
        sample = _decoded(record, f"samples/{path.name}", _Sample)
        for series in sample.series:
            if series.name == DELIVERY:
                for bucket, count in series.whole.buckets:
                    value = _highest(bucket, series.whole.sub_bits) / NS_PER_MS
                    found[value] = found.get(value, 0) + count
    return found


def _highest(bucket: int, sub_bits: int) -> float:
    """Return the highest value of a log-linear bucket, as the figures beside it do: they are upper bounds."""
    linear = 2 << sub_bits
    if bucket < linear:
        return float(bucket)
    shift = (bucket >> sub_bits) - 1
    return float(((bucket - (shift << sub_bits) + 1) << shift) - 1)


def _decoded(record: ReadRecord, name: str, model: type[T]) -> T:
    try:
        return msgspec.json.decode(record.text(name), type=model)
    except msgspec.DecodeError as fault:
        raise RecordError(f"{record.path.name}/{name} is no {model.__name__.strip('_').lower()}: {fault}") from fault
