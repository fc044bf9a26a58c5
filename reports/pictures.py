"""Screenshots as data URIs: what is small enough goes in as it is, what is not is made smaller or left out by name.

PNG of a dark, blurred page is mostly noise in the lowest bits; those are dropped, then every second pixel, until the
picture fits. Own code of thirty lines, since a picture library would be a dependency for this alone.
"""

import base64
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

PICTURE_BYTES_MAX: Final = 260_000
PICTURES_BYTES_MAX: Final = 900_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_TYPES: Final[tuple[tuple[bytes, str], ...]] = (
    (_PNG, "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
)
_WIDTHS: Final = ("390", "820", "1440")


class Picture(NamedTuple):
    """One screenshot; `uri` is empty when it was left out, and `note` says why."""

    name: str
    uri: str
    width: int
    height: int
    note: str = ""


class _Raster(NamedTuple):
    width: int
    height: int
    channels: int
    rows: list[bytearray]


def pictures(paths: Sequence[Path]) -> list[Picture]:
    """Return the screenshots, the page widths of the contract first, until the page's share is used up."""
    found, left = [], PICTURES_BYTES_MAX
    for path in sorted(paths, key=_rank):
        picture = _picture(path, min(PICTURE_BYTES_MAX, left))
        if picture is not None:
            found.append(picture)
            left -= len(picture.uri) * 3 // 4
    return found


def _rank(path: Path) -> tuple[int, str]:
    width = next((number for number, width in enumerate(_WIDTHS) if width in path.stem), len(_WIDTHS))
    return width, path.name


def _picture(path: Path, bytes_max: int) -> Picture | None:
    raw = path.read_bytes()
    media = next((media for magic, media in _TYPES if raw.startswith(magic)), None)
    if media is None:
        return None
    width, height = _size_of_png(raw) if media == "image/png" else (0, 0)
    if len(raw) > bytes_max and media == "image/png":
        raw = _reduced(raw, bytes_max)
    if len(raw) > bytes_max:
        return Picture(path.stem, "", width, height, f"too large for this page; it lies in browser/{path.name}")
    return Picture(path.stem, f"data:{media};base64,{base64.b64encode(raw).decode()}", width, height)


def _size_of_png(raw: bytes) -> tuple[int, int]:
    return struct.unpack(">II", raw[16:24]) if len(raw) >= 24 else (0, 0)


def _reduced(raw: bytes, bytes_max: int) -> bytes:
    """Return the picture with fewer bits, then fewer pixels, until it fits; as it was when it can't be read."""
    raster = _decoded(raw)
    if raster is None:
        return raw
    mask = bytes(value & 0xF8 | value >> 5 for value in range(256))
    raster = raster._replace(rows=[row.translate(mask) for row in raster.rows])
    smaller = _encoded(raster)
    while len(smaller) > bytes_max and raster.width > 300:
        raster = _halved(raster)
        smaller = _encoded(raster)
    return smaller


def _decoded(raw: bytes) -> _Raster | None:
    """Decode 8-bit RGB or RGBA without interlace, as browsers write it (PNG specification, 9: filtering)."""
    chunks = dict(_chunks(raw))
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks.get(b"IHDR", bytes(13)))
    channels = {2: 3, 6: 4}.get(colour)
    if channels is None or depth != 8 or interlace:
        return None
    try:
        data = zlib.decompress(chunks[b"IDAT"])
    except (KeyError, zlib.error):
        return None
    stride = width * channels
    rows, above = [], bytearray(stride)
    for number in range(height):
        start = number * (stride + 1)
        if start + stride >= len(data):
            return None
        above = _unfiltered(data[start], bytearray(data[start + 1 : start + 1 + stride]), above, channels)
        rows.append(above)
    return _Raster(width, height, channels, rows)


def _chunks(raw: bytes) -> list[tuple[bytes, bytes]]:
    found: dict[bytes, bytes] = {}
    at = len(_PNG)
    while at + 8 <= len(raw):
        length = int.from_bytes(raw[at : at + 4], "big")
        kind = raw[at + 4 : at + 8]
        found[kind] = found.get(kind, b"") + raw[at + 8 : at + 8 + length]
        at += length + 12
    return list(found.items())


def _unfiltered(kind: int, row: bytearray, above: bytearray, step: int) -> bytearray:
    match kind:
        case 1:
            for at in range(step, len(row)):
                row[at] = (row[at] + row[at - step]) & 255
        case 2:
            for at in range(len(row)):
                row[at] = (row[at] + above[at]) & 255
        case 3:
            for at in range(len(row)):
                left = row[at - step] if at >= step else 0
                row[at] = (row[at] + (left + above[at]) // 2) & 255
        case 4:
            for at in range(len(row)):
                left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
                row[at] = (row[at] + _paeth(left, above[at], corner)) & 255
        case _:
            pass
    return row


def _paeth(left: int, up: int, corner: int) -> int:
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner


def _halved(raster: _Raster) -> _Raster:
    """Take every second pixel of every second row, channel by channel."""
    width, step = (raster.width + 1) // 2, raster.channels
    rows = []
    for row in raster.rows[::2]:
        thin = bytearray(width * step)
        for channel in range(step):
            thin[channel::step] = row[channel :: 2 * step]
        rows.append(thin)
    return _Raster(width, len(rows), step, rows)


def _encoded(raster: _Raster) -> bytes:
    """Encode with the `up` filter, which a page's flat areas suit; alpha is dropped, a page has none."""
    above = bytes(raster.width * 3)
    lines = []
    for row in raster.rows:
        plain = bytes(row) if raster.channels == 3 else _without_alpha(row)
        lines.append(b"\x02" + bytes([(one - two) & 255 for one, two in zip(plain, above, strict=True)]))
        above = plain
    header = struct.pack(">IIBBBBB", raster.width, raster.height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(lines), 9)
    return _PNG + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _without_alpha(row: bytearray) -> bytes:
    plain = bytearray(len(row) // 4 * 3)
    for channel in range(3):
        plain[channel::3] = row[channel::4]
    return bytes(plain)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
