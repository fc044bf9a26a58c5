"""What the bench leaves: a table on stdout with the bar beside each figure, and the same as JSON."""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from harness.bench.bars import BARS, Bar, Figure

_BARS: Final = {bar.name: bar for bar in BARS}
_ROW: Final = "{:<52} {:>10} {:>14} {:<11} {:<7} {:>9} {:>9} {:>9}  {}"


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


def verdict(figure: Figure, bar: Bar) -> str:
    """Say `met`, `missed`, or that there is no figure."""
    if figure.value is None:
        return "-"
    return "met" if bar.met(figure.value) else "missed"


def table(report: Report) -> str:
    """Return the report as lines for a person."""
    rows = [_ROW.format("measure", "found", "bar", "unit", "", "CPU us/r", "p50 ms", "p99 ms", "statuses")]
    rows += [_row(figure) for figure in report.figures]
    noise = report.noise
    rows.append(
        f"noise: a fixed piece of work took {noise.before_ms:.1f} ms before and {noise.after_ms:.1f} ms after "
        f"(ratio {noise.ratio:.2f}); CPU us/r, the server's CPU time a request, is what neighbours disturb least"
    )
    return "\n".join(row.rstrip() for row in rows)


def _row(figure: Figure) -> str:
    bar = _BARS[figure.name]
    bound = f"{'>=' if bar.at_least else '<='} {bar.bound:,.0f}"
    statuses = ", ".join(f"{number:,} x {status}" for status, number in sorted(figure.statuses.items()))
    told = "; ".join(part for part in (statuses, figure.note) if part)
    found = "-" if figure.value is None else _shown(figure.value)
    extra = (_shown(one) for one in (figure.cpu_us_per_request, figure.p50_ms, figure.p99_ms))
    return _ROW.format(bar.what, found, bound, bar.unit, verdict(figure, bar), *extra, told)


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def write(report: Report, path: Path) -> None:
    """Write the report as JSON, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
