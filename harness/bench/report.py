"""What the bench leaves: a table with the bar beside each figure, what its words mean, and the same as JSON.

A verdict is `undecided` where what was disturbed or was not the limit decides it: `doubts` says which, and why.
"""

import os
import tempfile
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.bench.bars import BARS, Bar, Figure
from harness.bench.machine import Machine

BARS_BY_NAME: Final = {bar.name: bar for bar in BARS}
COLUMNS: Final = 120
"""No line is wider: notes stand in lines of their own under their row."""
BUSY_MIN: Final = 0.9
"""Of the server's core, what it had or wanted: under it something else was the limit."""
WAITED_MAX: Final = 0.2
"""The part of the time in which the server may wait for its core before a verdict says more of its neighbours."""
RATIO: Final = "ratio"
INTERRUPTED: Final = "not measured: interrupted"
ONE_CORE: Final = "server and load share one core"
WHAT_WIDTH: Final = 43
_COUNTS: Final = ("of 5", "sockets")
_ROW: Final = f"{{:<{WHAT_WIDTH}}} {{:>9}} {{:>10}} {{:<12}} {{:<9}} {{:>8}} {{:>7}} {{:>7}} {{:>7}}"
_INDENT: Final = " " * 4

LEGEND: Final = (
    ("undecided", "what was found can't decide it: the reason stands under the row"),
    ("CPU us/1", "the server's CPU time a request or delivery in microseconds, which neighbours disturb least"),
    ("p50 ms, p99 ms", "of the times that the figure is about; a figure of several windows is their median"),
    ("calib", "ms that a fixed piece of work took on the server's core, the mean of before and after the figure"),
    ("waited", "the part of the time in which a process wanted its core and neighbours had it"),
    ("lag", "how late the load client itself was: a latency may be that much too high"),
    ("ledger", "messages that came, of those that were due"),
    ("floor", "a bare loop of sock.send in Python, no WebSocket work: what one call for each receiver costs"),
    ("sink", "the load client that holds the sockets and counts what comes by its length"),
    ("read in full", "connections on which the number in each message was looked at too"),
    ("figures off", "how many of the five of GET /ws/stats are not what the bench opened, read and saw closed"),
    ("fresh", "memory before any hostile peer; left behind counts from it, and wave 2 from what the first wave left"),
)


class Noise(Struct, frozen=True):
    """How long one fixed piece of work took on the server's core, before and after; far apart: measure again."""

    before_ms: float
    after_ms: float

    @property
    def ratio(self) -> float:
        """After over before: 1 on a machine that was left alone."""
        return self.after_ms / self.before_ms


class Circumstances(Struct, frozen=True):
    """Under what a run was made; `commit` is None outside of a checkout."""

    date: str
    commit: str | None
    seconds: float
    server_cores: list[int]
    load_cores: list[int]

    @property
    def shared(self) -> bool:
        """Whether server and load had to share a core."""
        return bool(set(self.server_cores) & set(self.load_cores))


class Report(Struct, frozen=True):
    """One run of the bench; it is not `complete` when it was interrupted."""

    figures: list[Figure]
    noise: Noise
    machine: Machine
    circumstances: Circumstances
    complete: bool = True


def verdict(figure: Figure, bar: Bar, *, shared: bool = False) -> str:
    """Say `met`, `missed`, `undecided`, `reported` where nothing is asked, or that there is no figure.

    With a fault a bar is missed whatever else was found; `shared` says that server and load had one core.
    """
    if figure.fault and bar.bound is not None:
        return "missed"
    if figure.value is None:
        return "-"
    if bar.bound is None:
        return "reported"
    if doubts(figure, bar, shared=shared):
        return "undecided"
    return "met" if bar.met(figure.value) else "missed"


def doubts(figure: Figure, bar: Bar, *, shared: bool = False) -> list[str]:
    """Say why a value can't decide its bar; nothing when it can."""
    if figure.value is None:
        return []
    found = [ONE_CORE] if shared else []
    # What neighbours take makes a rate or a time worse and never better: a bar that is met all the same is met.
    is_met_anyway = bar.bound is not None and bar.unit != RATIO and bar.met(figure.value)
    if not is_met_anyway and figure.busy is not None and figure.busy < BUSY_MIN:
        found.append(f"the server was not the limit: it had or wanted {figure.busy:.0%} of its core")
    if not is_met_anyway and figure.waited is not None and figure.waited > WAITED_MAX:
        found.append(f"the server waited {figure.waited:.0%} of the time for its core")
    if figure.lag_ms and bar.met(figure.value - figure.lag_ms) != bar.met(figure.value):
        found.append(f"{figure.lag_ms:.1f} ms of it may be the load client's own lag")
    if _contradicted(figure, figure.value, bar):
        found.append(f"the rounds lie on both sides of the bar, and the ratio by CPU time, {figure.by_cpu:.2f}, beyond")
    return found


def _contradicted(figure: Figure, value: float, bar: Bar) -> bool:
    """Say whether rounds disagree on the bar while the measure that neighbours disturb least says the opposite."""
    if figure.by_cpu is None:
        return False
    return len({bar.met(one) for one in figure.rounds}) > 1 and bar.met(figure.by_cpu) != bar.met(value)


def table(report: Report) -> str:
    """Return the report as lines for a person."""
    shared, noise, told = report.circumstances.shared, report.noise, report.circumstances
    lines = [_ROW.format("measure", "found", "bar", "", "verdict", "CPU us/1", "p50 ms", "p99 ms", "calib")]
    figures = [figure for figure in report.figures if figure.note != INTERRUPTED]
    lines += [line for figure in figures for line in _lines(figure, shared=shared)]
    if len(figures) < len(report.figures):
        lines.append(f"interrupted: {len(report.figures) - len(figures)} more rows were not measured")
    if shared:
        lines.append(f"{ONE_CORE}, {_listed(told.server_cores)}: no bar is decided; two quiet cores are needed")
    lines.append("")
    lines += [line for word, meaning in LEGEND for line in _wrapped(f"{word}: {meaning}", "")]
    lines.append("")
    lines.append(
        f"noise: a fixed piece of work took {noise.before_ms:.1f} ms before all and {noise.after_ms:.1f} ms after it "
        f"(ratio {noise.ratio:.2f})"
    )
    if told.server_cores:
        lines.append(f"server on core {_listed(told.server_cores)}, load on {_listed(told.load_cores)}")
    lines += _wrapped(f"machine: {report.machine}", "")
    return "\n".join(line.rstrip() for line in lines)


def _listed(cores: Sequence[int]) -> str:
    return ", ".join(map(str, cores))


def _lines(figure: Figure, *, shared: bool) -> list[str]:
    bar = BARS_BY_NAME[figure.name]
    bound = "" if bar.bound is None else f"{'>=' if bar.at_least else '<='} {bar.bound:,g}"
    extra = (_shown(one) for one in (figure.cpu_us_per_request, figure.p50_ms, figure.p99_ms, figure.calibration_ms))
    row = _ROW.format(bar.what, found(figure, bar), bound, bar.unit, verdict(figure, bar, shared=shared), *extra)
    return [row, *_wrapped(_told(figure, bar, shared=shared), _INDENT)]


def _told(figure: Figure, bar: Bar, *, shared: bool) -> str:
    statuses = ", ".join(f"{number:,} x {status}" for status, number in sorted(figure.statuses.items()))
    parts = (figure.fault, *doubts(figure, bar, shared=shared), statuses, figure.note)
    return "; ".join(part for part in parts if part)


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS, initial_indent=indent, subsequent_indent=indent or _INDENT)


def found(figure: Figure, bar: Bar) -> str:
    """Return the value as a reader sees it: what is counted has no fraction."""
    if figure.value is None:
        return "-"
    return f"{figure.value:,.0f}" if bar.unit in _COUNTS else _shown(figure.value)


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def line(figure: Figure, *, shared: bool = False) -> str:
    """Return a figure in one line, told while others are still measured."""
    bar = BARS_BY_NAME[figure.name]
    if figure.value is None:
        return f"{bar.what}: no figure; {_told(figure, bar, shared=shared)}"
    return f"{bar.what}: {found(figure, bar)} {bar.unit}, {verdict(figure, bar, shared=shared)}"


def prepare(path: Path) -> None:
    """Make the folder of a report and look whether the report can be written there; raises OSError with a reason."""
    if path.exists() and not path.is_file():
        raise IsADirectoryError("it is there and no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.parent):
        pass


def write(report: Report, path: Path) -> None:
    """Write the report as JSON, its folder too, whole or not at all."""
    prepare(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as beside:
        beside.write(msgspec.json.format(msgspec.json.encode(_exported(report))) + b"\n")
        os.fchmod(beside.fileno(), 0o644)
    Path(beside.name).replace(path)


def _exported(report: Report) -> dict[str, Any]:
    """Return the report with what a reader of the figures alone would miss."""
    rows = [_row(figure, shared=report.circumstances.shared) for figure in report.figures]
    exported: dict[str, Any] = msgspec.to_builtins(report)
    return exported | {"figures": rows}


def _row(figure: Figure, *, shared: bool) -> dict[str, Any]:
    bar = BARS_BY_NAME[figure.name]
    asked = {"what": bar.what, "unit": bar.unit, "bar": bar.bound, "at_least": bar.at_least}
    judged = {"verdict": verdict(figure, bar, shared=shared), "doubts": doubts(figure, bar, shared=shared)}
    found: dict[str, Any] = msgspec.to_builtins(figure)
    return found | asked | judged
