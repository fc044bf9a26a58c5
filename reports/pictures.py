"""Screenshots as data URIs, page by page: what fits goes in as it is, what does not is left out by name."""

import base64
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

PICTURE_BYTES_MAX: Final = 250_000
PICTURES_BYTES_MAX: Final = 1_050_000
"""Of all together, before base64 makes a third more of them."""
FIRST: Final = "dashboard"
TITLES: Final[dict[str, str]] = {"api-docs": "API documents"}
"""Of pages whose name alone is no title."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_SIZED: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The JPEG markers that say a frame's size (ITU-T T.81, B.2.2)."""


class Picture(NamedTuple):
    """One screenshot; `uri` is empty when it was left out, and `note` says why."""

    name: str
    uri: str
    width: int
    height: int
    note: str = ""


class Gallery(NamedTuple):
    """The screenshots of one page, narrow windows first."""

    page: str
    pictures: list[Picture]
    is_first: bool

    @property
    def title(self) -> str:
        """What stands above them."""
        return TITLES.get(self.page, self.page.capitalize())


def galleries(paths: Sequence[Path]) -> list[Gallery]:
    """Return the screenshots by page, the dashboard first, until the page's share is used up."""
    found: dict[str, list[Picture]] = {}
    left = PICTURES_BYTES_MAX
    for path in sorted(paths, key=_rank):
        picture = _picture(path, min(PICTURE_BYTES_MAX, left))
        if picture is not None:
            found.setdefault(_page_and_width(path)[0], []).append(picture)
            left -= len(picture.uri) * 3 // 4
    return [Gallery(page, shown, page == FIRST) for page, shown in found.items()]


def _rank(path: Path) -> tuple[bool, str, int]:
    page, width = _page_and_width(path)
    return page != FIRST, page, width


def _page_and_width(path: Path) -> tuple[str, int]:
    page, _, width = path.stem.rpartition("-")
    return (page, int(width)) if page and width.isdecimal() else (path.stem, 0)


def _picture(path: Path, bytes_max: int) -> Picture | None:
    raw = path.read_bytes()
    if raw.startswith(_PNG):
        media, (width, height) = "image/png", _size_of_png(raw)
    elif raw.startswith(_JPEG):
        media, (width, height) = "image/jpeg", _size_of_jpeg(raw)
    else:
        return None
    if len(raw) > bytes_max:
        return Picture(path.stem, "", width, height, f"too large for this page; it lies in browser/{path.name}")
    return Picture(path.stem, f"data:{media};base64,{base64.b64encode(raw).decode()}", width, height)


def _size_of_png(raw: bytes) -> tuple[int, int]:
    return struct.unpack(">II", raw[16:24]) if len(raw) >= 24 else (0, 0)


def _size_of_jpeg(raw: bytes) -> tuple[int, int]:
    """Go from segment to segment until one says the size; a broken picture has none."""
    at = 2
    while at + 9 <= len(raw) and raw[at] == 0xFF:
        if raw[at + 1] in _SIZED:
            height, width = struct.unpack(">HH", raw[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(raw[at + 2 : at + 4], "big")
    return 0, 0
