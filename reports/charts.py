"""Charts as SVG text: values in, markup out; pure, so the same record gives the same bytes.

Colours come from the page's custom properties by class, so one chart fits light, dark and print. Whatever text comes
from a record is escaped here, since the page takes the markup as it is. Widths are in user units of a viewBox that
scales to its column; letters scale with it, so `fitted` draws a chart once for each width of column there is.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from markupsafe import Markup

WIDTH: Final = 480
WIDTHS: Final[Mapping[str, int]] = {"narrow": 320, "middle": WIDTH, "broad": 980}
"""The columns that charts stand in, by the class under which the page's style shows one and hides the others."""
BARS_MAX: Final = 40
PX_PER_TICK: Final = 75
CHAR_PX: Final = 6.8
"""About how wide a letter of a chart is."""
LANES_MAX: Final = 12
MORE: Final = "others"
"""The lane of all for which `LANES_MAX` leaves no lane of their own."""
VALUE_MIN: Final = 1e-6
"""A nanosecond in milliseconds: below it a logarithm has nothing to say."""
Axis = Callable[[float], float]
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 26, 28
_PLOT: Final = 146
_ROW, _ROWS_MAX = 14, 4
_LOG_TICK: Final = 50


class Mark(NamedTuple):
    """A line across a chart with a word on it, at a value of the x axis."""

    at: float
    label: str
    kind: str = "mark"


class Span(NamedTuple):
    """Something with a beginning and an end on a lane, in seconds; `end` None is an instant."""

    lane: str
    label: str
    start: float
    end: float | None
    kind: str = "phase"


class Bin(NamedTuple):
    """Values from `low` to below `high`, counted."""

    low: float
    high: float
    number: int


def fitted(draw: Callable[..., Markup]) -> Markup:
    """Call `draw(width=…)` for each width of column, of which the page shows one; nothing when nothing was drawn."""
    drawn = {name: draw(width=width) for name, width in WIDTHS.items()}
    parts = [f'<div class="{name}">{svg}</div>' for name, svg in drawn.items() if svg]
    return Markup(f'<div class="fitted">{"".join(parts)}</div>' if parts else "")


def log_bins(values: Mapping[float, int], bars: int = BARS_MAX) -> list[Bin]:
    """Put (value: count) into at most `bars` bins of equal ratio; values below `VALUE_MIN` stand in the first."""
    positive = [value for value in values if value >= VALUE_MIN]
    if not positive:
        return [Bin(0, 1, sum(values.values()))] if values else []
    low, high = min(positive), max(positive) * 1.000001
    ratio = max((high / low) ** (1 / bars), 1.02)
    size = max(1, math.ceil(math.log(high / low) / math.log(ratio)))
    counts = [0] * size
    for value, count in values.items():
        place = int(math.log(value / low) / math.log(ratio)) if value > low else 0
        counts[min(place, size - 1)] += count
    return [Bin(low * ratio**number, low * ratio ** (number + 1), count) for number, count in enumerate(counts)]


def distribution(bins: Sequence[Bin], marks: Sequence[Mark], title: str, *, width: int = WIDTH) -> Markup:
    """Draw bars of milliseconds over a logarithmic axis, with quantiles and limits marked."""
    if not bins:
        return Markup("")
    ends = [bins[0].low, bins[-1].high, *(mark.at for mark in marks if mark.at > 0)]
    low, high = max(min(ends), VALUE_MIN), max(ends)
    high = max(high, low * 1.5)

    def x(value: float) -> float:
        share = math.log(max(value, low) / low) / math.log(high / low)
        return _LEFT + share * (width - _LEFT - _RIGHT)

    drawn, head = _marks(marks, x, width)
    height = head + _PLOT + _BOTTOM
    floor = head + _PLOT
    top = max(part.number for part in bins)
    bars = [
        _rect(x(part.low), floor, max(1.0, x(part.high) - x(part.low) - 1), part.number / top * _PLOT, "bar")
        for part in bins
        if part.number
    ]
    ticks = [_tick_x(x(value), floor, f"{_short(value)} ms", width) for value in _log_ticks(low, high, width)]
    return _svg(height, title, [*ticks, *bars, *drawn, _axis(floor, width)], width)


def rate(per_second: Mapping[int, int], marks: Sequence[Mark], title: str, what: str, *, width: int = WIDTH) -> Markup:
    """Draw counts by second as steps, with phases and faults marked."""
    if not per_second:
        return Markup("")
    first, last = min(per_second), max(per_second) + 1
    top = max(per_second.values())
    step = max(1, math.ceil((last - first) / (width / 2)))

    def x(second: float) -> float:
        return _LEFT + (second - first) / max(1, last - first) * (width - _LEFT - _RIGHT)

    drawn, head = _marks(marks, x, width)
    floor = head + _PLOT
    points = []
    for second in range(first, last, step):
        mean = sum(per_second.get(second + part, 0) for part in range(step)) / step
        y = floor - mean / top * _PLOT
        points += [f"{x(second):.1f},{y:.1f}", f"{x(min(second + step, last)):.1f},{y:.1f}"]
    area = f'<polygon class="area" points="{x(first):.1f},{floor} {" ".join(points)} {x(last):.1f},{floor}"/>'
    line = f'<polyline class="line" points="{" ".join(points)}"/>'
    levels = [_tick_y(floor - share * _PLOT, _short(share * top), width) for share in (0.5, 1.0)]
    ticks = [_tick_x(x(second), floor, f"{_short(second)} s", width) for second in _ticks(first, last, width)]
    label = f'<text class="unit" x="{_LEFT}" y="14">{escape(what)}</text>'
    return _svg(floor + _BOTTOM, title, [label, *levels, *ticks, area, line, *drawn, _axis(floor, width)], width)


def timeline(spans: Sequence[Span], seconds: float, title: str, *, width: int = WIDTH) -> Markup:
    """Draw lanes of spans and instants over the run's time; lanes beyond `LANES_MAX` share one."""
    if not spans:
        return Markup("")
    lanes = list(dict.fromkeys(span.lane for span in spans))
    lanes = [*lanes[: LANES_MAX - 1], MORE] if len(lanes) > LANES_MAX else lanes
    chars = min(max(map(len, lanes)), int(width / 3.4 / CHAR_PX))
    left, row = chars * CHAR_PX + 18, 26
    height = 4 + row * len(lanes) + _BOTTOM
    floor = height - _BOTTOM
    length = max(seconds, *(span.end or span.start for span in spans), 1e-9)

    def x(second: float) -> float:
        return left + second / length * (width - left - _RIGHT)

    parts = [
        f'<text class="lane" x="{left - 12:.1f}" y="{4 + row * number + 16}">{escape(_cut(lane, chars))}</text>'
        for number, lane in enumerate(lanes)
    ]
    factor, unit = (1, "s") if length >= 2 else (1000, "ms")
    ticks = _ticks(0, length * factor, width - left)
    parts += [_tick_x(x(value / factor), floor, f"{_short(value)} {unit}", width) for value in ticks]
    for span in spans:
        parts.append(_span(span, x, 4 + row * lanes.index(span.lane if span.lane in lanes else MORE)))
    return _svg(height, title, [*parts, _axis(floor, width, left)], width)


def shares(parts: Sequence[tuple[str, int]], title: str) -> Markup:
    """Draw one bar made of coloured parts: (class, count)."""
    whole = sum(count for _, count in parts)
    if not whole:
        return Markup("")
    drawn, at = [], 0.0
    for kind, count in parts:
        width = count / whole * WIDTH
        if count:
            gap = 2 if at + width < WIDTH - 0.1 else 0
            drawn.append(_rect(at, 10, max(width - gap, 1), 10, f"part {kind}"))
        at += width
    return _svg(10, title, drawn, WIDTH, classes="shares")


def _span(span: Span, x: Axis, top: float) -> str:
    title = f"<title>{escape(span.label)}</title>"
    if span.end is None:
        return (
            f'<circle class="{escape(span.kind)}" cx="{x(span.start):.1f}" cy="{top + 12:.1f}" r="5">{title}</circle>'
        )
    width = max(x(span.end) - x(span.start) - 1, 2)
    box = (
        f'<rect class="{escape(span.kind)}" x="{x(span.start):.1f}" y="{top + 3:.1f}" width="{width:.1f}" height="18" '
        f'rx="4">{title}</rect>'
    )
    if not span.label or width < CHAR_PX * len(span.label) + 12:
        return box
    return f'{box}<text class="inside" x="{x(span.start) + 7:.1f}" y="{top + 16:.1f}">{escape(span.label)}</text>'


def _marks(marks: Sequence[Mark], x: Axis, whole: int) -> tuple[list[str], float]:
    """Draw the marks of a chart so wide, and return where its plot begins below their words.

    Words that would collide step down a row; those that find none stay readable under the pointer.
    """
    placed: list[tuple[Mark, int | None, bool]] = []
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS_MAX)]
    for mark in sorted(marks):
        at, width = x(mark.at), 7 * len(mark.label) + 8
        flipped = at + width > whole
        left, right = (at - width, at) if flipped else (at, at + width)
        free = (number for number, row in enumerate(taken) if all(right <= low or high <= left for low, high in row))
        row = next(free, None)
        if row is not None:
            taken[row].append((left, right))
        placed.append((mark, row, flipped))
    rows = max((row + 1 for _, row, _ in placed if row is not None), default=0)
    head = _TOP + _ROW * max(0, rows - 1) + (4 if rows else 0)
    return [_mark(mark, x(mark.at), row, flipped, head + _PLOT) for mark, row, flipped in placed], head


def _mark(mark: Mark, at: float, row: int | None, flipped: bool, floor: float) -> str:
    """Draw one mark; its line begins at its own word, so that it crosses none above."""
    word, top = "", _TOP + _ROW * (_ROWS_MAX - 1)
    if row is not None:
        top = _TOP + _ROW * row
        anchor = f'x="{at - 4:.1f}" text-anchor="end"' if flipped else f'x="{at + 4:.1f}"'
        word = f'<text {anchor} y="{top}">{escape(mark.label)}</text>'
    return (
        f'<g class="mark {escape(mark.kind)}"><title>{escape(mark.label)}</title>'
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 9}" y2="{floor}"/>{word}</g>'
    )


def _svg(height: float, title: str, parts: Sequence[str], width: int, classes: str = "chart") -> Markup:
    label = escape(title, quote=True)
    stretch = ' preserveAspectRatio="none"' if classes == "shares" else ""
    return Markup(
        f'<svg class="{classes}" viewBox="0 0 {width} {height:g}" role="img" aria-label="{label}"{stretch}>'
        f"{''.join(parts)}</svg>"
    )


def _rect(left: float, floor: float, width: float, height: float, kind: str) -> str:
    tall = max(height, 1.0)
    return (
        f'<rect class="{escape(kind)}" x="{left:.1f}" y="{floor - tall:.1f}" width="{width:.1f}" height="{tall:.1f}"/>'
    )


def _axis(floor: float, width: int, left: float = _LEFT) -> str:
    return f'<line class="axis" x1="{left:g}" x2="{width - _RIGHT}" y1="{floor}" y2="{floor}"/>'


def _tick_x(at: float, floor: float, label: str, width: int) -> str:
    reach = 3.5 * len(label)
    inside = min(max(at, reach), width - reach)
    return f'<text class="tick" x="{inside:.1f}" y="{floor + 17}" text-anchor="middle">{escape(label)}</text>'


def _tick_y(at: float, label: str, width: int) -> str:
    return (
        f'<line class="level" x1="{_LEFT}" x2="{width - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        f'<text class="tick" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    )


def _ticks(first: float, last: float, width: float) -> list[float]:
    """Return round values between two, as many as so many pixels have room for."""
    raw = max(last - first, 1e-9) / max(2, width / PX_PER_TICK)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    return [step * number for number in range(math.ceil(first / step), math.floor(last / step) + 1)]


def _log_ticks(low: float, high: float, width: int) -> list[float]:
    """Return 1, 2, 5 times powers of ten between two, thinned to powers of ten where there is no room for so many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if 3 * len(powers) * _LOG_TICK <= width else (1,)
    found = [factor * 10.0**power for power in powers for factor in factors]
    return [value for value in found if low <= value <= high]


def _short(value: float) -> str:
    return f"{value:.4g}" if value == 0 or 0.01 <= abs(value) < 10_000 else f"{value:g}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
