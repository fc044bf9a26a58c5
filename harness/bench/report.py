"""What the bench leaves: a table on stdout with the bar beside each figure, and the same as JSON."""

import textwrap
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from harness.bench.bars import BARS, Bar, Figure
from harness.bench.machine import Machine

_BARS: Final = {bar.name: bar for bar in BARS}
_ROW: Final = "{:<51} {:>9} {:>10} {:<12} {:<8} {:>8} {:>8} {:>8} {:>8}  {}"
COLUMNS: Final = 160
"""A note that would end past this column stands in lines of its own under its row."""
_INDENT: Final = " " * 8


class Noise(Struct, frozen=True):
    """How long one fixed piece of work took on the server's core, before and after; far apart: measure again."""

    before_ms: float
    after_ms: float

    @property
    def ratio(self) -> float:
        """After over before: 1 on a machine that was left alone."""
        return self.after_ms / self.before_ms


class Report(Struct, frozen=True):
    """One run of the bench."""

    figures: list[Figure]
    noise: Noise
    machine: Machine


def verdict(figure: Figure, bar: Bar) -> str:
    """Say `met`, `missed`, `reported` where nothing is asked, or that there is no figure."""
    if figure.value is None:
        return "-"
    if bar.bound is None:
        return "reported"
    return "met" if bar.met(figure.value) else "missed"


def table(report: Report) -> str:
    """Return the report as lines for a person."""
    rows = [_ROW.format("measure", "found", "bar", "unit", "", "CPU us/1", "p50 ms", "p99 ms", "calib ms", "notes")]
    rows += [line for figure in report.figures for line in _lines(figure)]
    noise = report.noise
    rows.append(
        f"noise: a fixed piece of work took {noise.before_ms:.1f} ms before and {noise.after_ms:.1f} ms after "
        f"(ratio {noise.ratio:.2f}), and calib ms during a figure; "
    )
    rows.append("CPU us/1, the server's CPU time a request or delivery, is what neighbours disturb least")
    rows.append("a process that waited wanted its core while neighbours had it: the figure is less than it could be")
    rows.append(f"machine: {report.machine}")
    return "\n".join(row.rstrip() for row in rows)


def _lines(figure: Figure) -> list[str]:
    bar = _BARS[figure.name]
    bound = "" if bar.bound is None else f"{'>=' if bar.at_least else '<='} {bar.bound:,g}"
    statuses = ", ".join(f"{number:,} x {status}" for status, number in sorted(figure.statuses.items()))
    told = "; ".join(part for part in (statuses, figure.note) if part)
    found = "-" if figure.value is None else _shown(figure.value)
    extra = (_shown(one) for one in (figure.cpu_us_per_request, figure.p50_ms, figure.p99_ms, figure.calibration_ms))
    row = _ROW.format(bar.what, found, bound, bar.unit, verdict(figure, bar), *extra, "")
    if len(row) + len(told) <= COLUMNS:
        return [row + told]
    return [row, *textwrap.wrap(told, COLUMNS, initial_indent=_INDENT, subsequent_indent=_INDENT)]


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def write(report: Report, path: Path) -> None:
    """Write the report as JSON, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
