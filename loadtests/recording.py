"""What one load process records: histograms of named series, in total and per second, and the ledgers of its users.

Written at its end as `samples/<recorder>.json` (mergeable histograms) and, once the run was found valid, as `sample`
events in `history/<recorder>.jsonl`, whose `data` is one of

    {series, unit: "ms", count, p50, p95, p99, max, fan_out, from}    a histogram in figures; `from` names the instant
                                                                     that it counts from
    {series: "ledger", expected, received, lost, doubled, ...}        the sums of a ledger, of one user or of all

No event is written while the load runs: recording must cost nothing that the measurement would show.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.history import FileSink, Recorder
from loadtests.histogram import Histogram, HistogramData
from loadtests.ledger import Sums

CONNECT: Final = "connect"
DELIVERY: Final = "delivery"
DELIVERY_RESPONSE: Final = "delivery_response"
RUNNING: Final = "running"
ENDED: Final = "ended"
SUBMIT: Final = "submit"
SUBMIT_RESPONSE: Final = "submit_response"
REGISTER: Final = "register"
LOOP_LAG: Final = "loop_lag"
MESSAGES: Final = "messages"

MEASURED_FROM: Final[dict[str, str]] = {
    CONNECT: "handshake start to welcome read",
    DELIVERY: "invocation of the submit to the queued push read",
    DELIVERY_RESPONSE: "intended start of the submit to the queued push read",
    RUNNING: "invocation of the submit to the running push read",
    ENDED: "invocation of the submit to the final push read",
    SUBMIT: "invocation of the submit to its answer",
    SUBMIT_RESPONSE: "intended start of the submit to its answer",
    REGISTER: "invocation of the registration to its answer",
    LOOP_LAG: "how late the generator's own loop woke",
}
"""Every series and what its values are; the order is the order of tables."""

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000


class Series(Struct, frozen=True):
    """One series at rest: all values, and the histograms of each second since the measured start."""

    name: str
    whole: HistogramData
    seconds: dict[int, HistogramData] = {}


class Sample(Struct, frozen=True, kw_only=True):
    """The file `samples/<recorder>.json`: one process's series, counts per second, ledgers and what went wrong."""

    format: int = 1
    recorder: str
    series: tuple[Series, ...]
    messages: dict[int, int] = {}
    ledgers: dict[str, Sums] = {}
    users_asked: int = 0
    users_ready: int = 0
    measured_s: float = 0.0
    faults: dict[str, int] = {}


class Recording:
    """Takes values while the load runs; all cost is an addition or two."""

    def __init__(self) -> None:
        self.start_ns = 0
        self._whole: dict[str, Histogram] = {}
        self._seconds: dict[tuple[str, int], Histogram] = {}
        self._messages: dict[int, int] = {}
        self.faults: dict[str, int] = {}

    def add(self, series: str, at_ns: int, value_ns: int) -> None:
        """Count a value that became known at `at_ns`."""
        value_ns = max(0, value_ns)
        _in(self._whole, series).add(value_ns)
        _in(self._seconds, (series, self._second(at_ns))).add(value_ns)

    def message(self, at_ns: int) -> None:
        """Count a message read."""
        second = self._second(at_ns)
        self._messages[second] = self._messages.get(second, 0) + 1

    def fault(self, what: str) -> None:
        """Count something that went wrong, by its name."""
        self.faults[what] = self.faults.get(what, 0) + 1

    def series(self) -> tuple[Series, ...]:
        """Return every series that has values, in the order of `MEASURED_FROM`."""
        names = [name for name in MEASURED_FROM if name in self._whole]
        return tuple(
            Series(
                name,
                self._whole[name].data(),
                {second: part.data() for (own, second), part in sorted(self._seconds.items()) if own == name},
            )
            for name in names
        )

    @property
    def messages(self) -> dict[int, int]:
        """Return the count of messages by second since the measured start."""
        return dict(sorted(self._messages.items()))

    def _second(self, at_ns: int) -> int:
        return (at_ns - self.start_ns) // NS_PER_S if self.start_ns else -1


def _in(histograms: dict[Any, Histogram], key: object) -> Histogram:
    found = histograms.get(key)
    if found is None:
        found = histograms[key] = Histogram()
    return found


def write_sample(run_dir: Path, sample: Sample) -> None:
    """Write `samples/<recorder>.json`."""
    folder = run_dir / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{sample.recorder}.json").write_bytes(msgspec.json.encode(sample) + b"\n")


def read_samples(run_dir: Path) -> list[Sample]:
    """Return the samples of every process of a run, in the order of their names."""
    decode = msgspec.json.Decoder(Sample).decode
    return [decode(path.read_bytes()) for path in sorted((run_dir / "samples").glob("worker-*.json"))]


def merged_series(samples: list[Sample]) -> dict[str, Histogram]:
    """Return each series over all processes."""
    parts: dict[str, list[HistogramData]] = {}
    for sample in samples:
        for series in sample.series:
            parts.setdefault(series.name, []).append(series.whole)
    return {name: Histogram.of(parts[name]) for name in MEASURED_FROM if name in parts}


def merged_ledger(samples: list[Sample]) -> Sums:
    """Return the sums over every user of every process."""
    whole = Sums()
    for sample in samples:
        for sums in sample.ledgers.values():
            whole = whole.plus(sums)
    return whole


def figures(histogram: Histogram) -> dict[str, float]:
    """Return count and quantiles in milliseconds."""
    shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    at = {name: round(histogram.quantile(share) / NS_PER_MS, 3) for name, share in shares.items()}
    return {"count": histogram.count, **at, "max": round(histogram.highest / NS_PER_MS, 3)}


def write_events(
    run_dir: Path, monotonic_ns: Callable[[], int], sample: Sample, fan_out: int, void: Sequence[str]
) -> None:
    """Write the events of one process to `history/<recorder>.jsonl`.

    A void run leaves notes and no times, since whoever judges the history would take them for the server's. Its
    ledgers stay: a generator that was too busy measures badly, but a message that it missed was missed.
    """
    sink = FileSink(run_dir / "history", sample.recorder)
    recorder = Recorder(sample.recorder, monotonic_ns, sink)
    for why in void:
        recorder.record("note", text=f"the load does not count: {why}")
    if not void:
        _record_times(recorder, sample, fan_out)
    for account, sums in sorted(sample.ledgers.items()):
        recorder.record("sample", account=account, series="ledger", **msgspec.structs.asdict(sums))
    sink.close()


def _record_times(recorder: Recorder, sample: Sample, fan_out: int) -> None:
    for series in sample.series:
        shown: dict[str, Any] = {**figures(Histogram.of([series.whole])), "from": MEASURED_FROM[series.name]}
        recorder.record("sample", series=series.name, unit="ms", fan_out=fan_out, **shown)
