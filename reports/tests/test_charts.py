"""Charts: pure, bounded, and well-formed whatever they are given."""

import base64
import re
from importlib import resources
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.charts import (
    BARS_MAX,
    LANES_MAX,
    MORE,
    WIDTHS,
    Bin,
    Mark,
    Span,
    distribution,
    fitted,
    log_bins,
    rate,
    shares,
    timeline,
)
from reports.pictures import PICTURE_BYTES_MAX, PICTURES_BYTES_MAX, galleries
from reports.tests.synthetic import HOSTILE, jpeg, png

COUNTS = st.dictionaries(st.floats(0, 1e9, allow_nan=False), st.integers(1, 10**6), max_size=60)


@pytest.mark.property
@given(COUNTS)
def test_bins_keep_every_value_and_are_bounded(values: dict[float, int]) -> None:
    bins = log_bins(values)

    assert sum(part.number for part in bins) == sum(values.values())
    assert len(bins) <= BARS_MAX + 1


@pytest.mark.property
@given(COUNTS, st.lists(st.tuples(st.floats(0.001, 1e9), st.text(max_size=20)), max_size=4))
def test_a_distribution_is_well_formed(values: dict[float, int], marks: list[tuple[float, str]]) -> None:
    svg = distribution(log_bins(values), [Mark(*mark) for mark in marks if mark[1].isprintable()], "title")

    assert bool(svg) == bool(values)
    assert "nan" not in svg
    if svg:
        ET.fromstring(svg)


@pytest.mark.property
@given(st.dictionaries(st.integers(0, 4000), st.integers(1, 10**6), max_size=30))
def test_a_rate_is_well_formed_and_bounded(counts: dict[int, int]) -> None:
    svg = rate(counts, [Mark(1.0, "quiet", "phase")], "title", "messages / s")

    assert bool(svg) == bool(counts)
    assert len(svg) < 40_000
    if svg:
        ET.fromstring(svg)


def test_hostile_names_are_text_in_a_timeline() -> None:
    name = HOSTILE.replace("\x00", "").replace("\x1b", "")
    root = ET.fromstring(timeline([Span(name, name, 0, 9), Span("l", name, 1, None)], 10, name))

    assert root.get("aria-label") == name
    assert {"script"} & {element.tag for element in root.iter()} == set()


def test_nothing_to_draw_is_no_chart() -> None:
    assert [timeline([], 1, "t"), rate({}, [], "t", "u"), distribution([], [], "t"), shares([("holds", 0)], "t")] == [
        ""
    ] * 4


def test_shares_fill_the_bar_in_proportion() -> None:
    widths = [float(part.get("width", "")) for part in ET.fromstring(shares([("violated", 1), ("holds", 3)], "t"))]

    assert widths[1] / widths[0] == pytest.approx(3, rel=0.05)


def test_a_chart_is_drawn_for_each_width_of_column_and_the_page_shows_one() -> None:
    css = resources.files("reports").joinpath("templates/report.css").read_text("utf-8")
    root = ET.fromstring(fitted(lambda width: rate({0: 1, 9: 4}, [], "t", "u", width=width)))

    boxes = {part.get("class", ""): part[0].get("viewBox", "").split()[2] for part in root}
    assert boxes == {name: str(width) for name, width in WIDTHS.items()}
    assert all(f".fitted > .{name}" in css for name in WIDTHS)
    assert fitted(lambda width: rate({}, [], "t", "u", width=width)) == ""


@pytest.mark.parametrize("width", WIDTHS.values())
def test_ticks_leave_each_other_room(width: int) -> None:
    svg = ET.fromstring(timeline([Span("phase", "quiet", 0, 170)], 170, "t", width=width))

    at = [float(text.get("x", "")) for text in svg.iter("text") if text.get("class") == "tick"]
    assert len(at) > 2
    assert all(after - before > 40 for before, after in pairwise(at))


def test_lanes_are_bounded_and_nothing_is_left_out() -> None:
    spans = [Span(f"cut {number}", "", number, number + 1, "fault") for number in range(3 * LANES_MAX)]
    svg = ET.fromstring(timeline(spans, 99, "t"))

    lanes = [text.text for text in svg.iter("text") if text.get("class") == "lane"]
    assert (len(lanes), lanes[-1]) == (LANES_MAX, MORE)
    assert len(list(svg.iter("rect"))) == len(spans)


def test_bars_stand_on_the_axis_whatever_their_height() -> None:
    svg = ET.fromstring(distribution([Bin(1, 2, 1), Bin(2, 4, 7), Bin(4, 8, 1000)], [Mark(3, "p50")], "t"))

    floors = {float(bar.get("y", "")) + float(bar.get("height", "")) for bar in svg.iter("rect")}
    (axis,) = [line for line in svg.iter("line") if line.get("class") == "axis"]
    assert floors == {float(axis.get("y1", ""))}
    heights = [float(bar.get("height", "")) for bar in svg.iter("rect")]
    assert heights[2] / heights[1] == pytest.approx(1000 / 7, rel=0.06)


def test_no_rule_of_the_page_gives_a_drawn_class_a_size() -> None:
    """Width and height of a rectangle are properties too: a rule for `.bar` alone would make all bars one height."""
    css = resources.files("reports").joinpath("templates/report.css").read_text("utf-8")
    marks, spans = [Mark(1, "m", "limit")], [Span("l", "n", 0, 9, "fault")]
    drawn = distribution(log_bins({1.0: 1}), marks, "t") + rate({0: 1}, marks, "t", "u") + timeline(spans, 9, "t")
    classes = {name for names in re.findall(r'class="([^"]+)"', drawn) for name in names.split()}

    sizes = re.compile(r"(?:^|[;\s])(?:width|height|x|y|r|display)\s*:")
    bare = [
        selector.strip()
        for selectors, rules in re.findall(r"([^{}]+)\{([^{}]*)\}", css)
        for selector in selectors.split(",")
        if sizes.search(rules) and selector.strip().removeprefix(".") in classes - {"chart"}
    ]
    assert "bar" in classes
    assert bare == []


LABELS = ("p50", "p95", "p99", "P2: 50 ms")


@pytest.mark.parametrize("width", WIDTHS.values())
@pytest.mark.parametrize("at", [(2, 2.1, 2.2, 50), (48, 49, 49.5, 50), (2, 49, 60, 50), (50, 50, 50, 50)])
def test_words_of_marks_never_overlap(at: tuple[float, ...], width: int) -> None:
    marks = [Mark(*mark) for mark in zip(at, LABELS, strict=True)]
    svg = ET.fromstring(distribution(log_bins({1.5: 10, 70.0: 1}), marks, "t", width=width))

    words = [text for group in svg.iter("g") for text in group.iter("text")]
    boxes = [_box(text) for text in words]
    assert sorted(text.text or "" for text in words) == sorted(LABELS)
    for number, (left, right, y) in enumerate(boxes):
        assert left >= 0
        assert right <= width
        assert all(y != other_y or right <= low or high <= left for low, high, other_y in boxes[:number])
    assert max(y for _, _, y in boxes) <= min(float(bar.get("y", "")) for bar in svg.iter("rect"))


def _box(text: ET.Element) -> tuple[float, float, float]:
    at, width = float(text.get("x", "")), 6.5 * len(text.text or "")
    left = at - width if text.get("text-anchor") == "end" else at
    return left, left + width, float(text.get("y", ""))


def test_screenshots_go_in_as_they_are_by_page_the_dashboard_first(tmp_path: Path) -> None:
    for page in ("login", "dashboard"):
        for width in (1440, 390, 820):
            (tmp_path / f"{page}-{width}.jpg").write_bytes(jpeg(width, 10))
    (tmp_path / "agents-390.png").write_bytes(png(390, 7))
    (tmp_path / "trace.jpg").write_bytes(b"no picture")

    found = galleries(sorted(tmp_path.iterdir()))

    assert [(gallery.page, gallery.is_first) for gallery in found] == [
        ("dashboard", True), ("agents", False), ("login", False),
    ]  # fmt: skip
    assert [(picture.name, picture.width, picture.height) for picture in found[0].pictures] == [
        ("dashboard-390", 390, 10), ("dashboard-820", 820, 10), ("dashboard-1440", 1440, 10),
    ]  # fmt: skip
    whole = base64.b64encode((tmp_path / "dashboard-390.jpg").read_bytes()).decode()
    assert found[0].pictures[0].uri == f"data:image/jpeg;base64,{whole}"
    assert (found[1].pictures[0].width, found[1].pictures[0].height) == (390, 7)


def test_a_screenshot_that_is_too_large_is_left_out_by_name(tmp_path: Path) -> None:
    (tmp_path / "dashboard-390.jpg").write_bytes(jpeg(390, 10) + bytes(PICTURE_BYTES_MAX))

    (gallery,) = galleries([tmp_path / "dashboard-390.jpg"])

    (picture,) = gallery.pictures
    assert (picture.uri, "browser/dashboard-390.jpg" in picture.note) == ("", True)


@pytest.mark.parametrize("kept", [3, 4, 6, 22, 25])
def test_a_broken_screenshot_has_no_size_and_is_no_reason_to_fail(tmp_path: Path, kept: int) -> None:
    (tmp_path / "login-390.jpg").write_bytes(jpeg(390, 10)[:kept])

    (gallery,) = galleries([tmp_path / "login-390.jpg"])

    assert (gallery.pictures[0].width, gallery.pictures[0].height) == (0, 0)


def test_nine_screenshots_of_a_usual_size_all_fit(tmp_path: Path) -> None:
    for page in ("dashboard", "login", "signup"):
        for width in (390, 820, 1440):
            (tmp_path / f"{page}-{width}.jpg").write_bytes(jpeg(width, 10) + bytes(110_000))

    found = [picture for gallery in galleries(sorted(tmp_path.iterdir())) for picture in gallery.pictures]

    assert [picture.note for picture in found] == [""] * 9


def test_all_screenshots_together_keep_the_page_small(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"shot-{number}.jpg").write_bytes(b"\xff\xd8\xff" + bytes(PICTURE_BYTES_MAX - 10))

    found = [picture for gallery in galleries(sorted(tmp_path.iterdir())) for picture in gallery.pictures]

    assert sum(len(picture.uri) for picture in found) * 3 // 4 <= PICTURES_BYTES_MAX + 100
    assert [picture.name for picture in found if picture.note] == [f"shot-{number}" for number in range(4, 8)]
