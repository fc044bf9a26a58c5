"""Charts: pure, bounded, and well-formed whatever they are given."""

import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.charts import BARS_MAX, Mark, Span, distribution, log_bins, rate, shares, timeline
from reports.pictures import PICTURE_BYTES_MAX, PICTURES_BYTES_MAX, pictures
from reports.tests.synthetic import HOSTILE, png, png_of

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


def noise(width: int, height: int, kinds: bytes = b"\x00") -> bytes:
    """Return a PNG that hardly compresses, its rows filtered in turn by each of `kinds`."""
    state, rows = 12345, bytearray()
    for number in range(height):
        rows.append(kinds[number % len(kinds)])
        for _ in range(width * 3):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            rows.append(state >> 16 & 255)
    return png_of(width, height, bytes(rows))


def test_a_small_screenshot_goes_in_as_it_is_and_widths_come_in_order(tmp_path: Path) -> None:
    for width in (1440, 390, 820):
        (tmp_path / f"dashboard-{width}.png").write_bytes(png(width, 10))
    (tmp_path / "trace.png").write_bytes(b"no picture")

    found = pictures(sorted(tmp_path.iterdir()))

    assert [(picture.name, picture.width) for picture in found] == [
        ("dashboard-390", 390), ("dashboard-820", 820), ("dashboard-1440", 1440),
    ]  # fmt: skip
    assert all(picture.uri.startswith("data:image/png;base64,") for picture in found)


def test_a_large_screenshot_is_made_smaller_and_shows_its_true_size(tmp_path: Path) -> None:
    path = tmp_path / "dashboard-1440.png"
    path.write_bytes(noise(400, 260, b"\x00\x01\x02\x03\x04"))
    assert path.stat().st_size > PICTURE_BYTES_MAX

    (picture,) = pictures([path])

    assert (picture.width, picture.height, picture.note) == (400, 260, "")
    assert len(picture.uri) * 3 // 4 <= PICTURE_BYTES_MAX


def test_a_reduced_screenshot_keeps_its_colours(tmp_path: Path) -> None:
    from reports.pictures import _decoded, _encoded, _reduced

    raw = png(64, 8, b"\xf8\x80\x08")
    raster = _decoded(_reduced(raw, 10**6))
    assert raster is not None
    assert raster.rows[3][:3] == bytes((0xFF, 0x84, 0x08))
    assert _decoded(_encoded(raster)) == raster


@pytest.mark.parametrize("kind", range(5))
def test_every_png_filter_is_read(kind: int) -> None:
    from reports.pictures import _decoded

    plain = [bytes((10 * row + 3 * at) & 255 for at in range(12)) for row in range(3)]
    raster = _decoded(png_of(4, 3, b"".join(bytes([kind]) + _filtered(kind, plain, row) for row in range(3))))

    assert raster is not None
    assert [bytes(row) for row in raster.rows] == plain


def _filtered(kind: int, plain: list[bytes], row: int) -> bytes:
    """Filter a row as the PNG specification says, written a second time from its text."""

    def at(line: int, place: int) -> int:
        return plain[line][place] if line >= 0 and place >= 0 else 0

    def predicted(place: int) -> int:
        left, up, corner = at(row, place - 3), at(row - 1, place), at(row - 1, place - 3) if place >= 3 else 0
        nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
        return (0, left, up, (left + up) // 2, nearest)[kind]

    return bytes((plain[row][place] - predicted(place)) & 255 for place in range(12))


@pytest.mark.parametrize("cut", [8, 20, 40, -20])
def test_a_broken_large_screenshot_is_left_out_by_name(tmp_path: Path, cut: int) -> None:
    raw = noise(400, 260)
    path = tmp_path / "dashboard-390.png"
    path.write_bytes(raw[:cut] + bytes(PICTURE_BYTES_MAX))

    (picture,) = pictures([path])

    assert (picture.uri, "browser/dashboard-390.png" in picture.note) == ("", True)


def test_all_screenshots_together_keep_the_page_small(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"shot-{number}.jpg").write_bytes(b"\xff\xd8\xff" + bytes(PICTURE_BYTES_MAX - 10))

    found = pictures(sorted(tmp_path.iterdir()))

    assert sum(len(picture.uri) for picture in found) * 3 // 4 <= PICTURES_BYTES_MAX + 100
    assert [picture.name for picture in found if picture.note] == [f"shot-{number}" for number in range(3, 8)]


def test_a_grey_or_interlaced_png_is_no_reason_to_fail(tmp_path: Path) -> None:
    header = struct.pack(">II", 13, 0x49484452) + struct.pack(">IIBBBBB", 400, 400, 8, 0, 0, 0, 1)
    path = tmp_path / "grey.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", zlib.crc32(b"")) + bytes(PICTURE_BYTES_MAX))

    assert pictures([path])[0].uri == ""
