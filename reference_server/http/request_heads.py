"""Request heads as bytes: what no head may be, and one written again, without what it asked for in vain."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

Fields = Sequence[tuple[bytes, bytes]]
"""Names in lower case, and values."""

HEAD_BYTES_MAX: Final = 64 * 1024
_HOST: Final = re.compile(rb"(?:\[[0-9A-Za-z:.%_~-]+\]|[\w.~%!$&'()*+,;=-]*)(?::[0-9]*)?", re.ASCII)
_LINE_OVERHEAD_BYTES: Final = len(b"  HTTP/1.1\r\n\r\n")
_FIELD_OVERHEAD_BYTES: Final = len(b": \r\n")
_UPGRADE_HEADERS: Final = frozenset({b"upgrade", b"http2-settings"})


class HeadError(Exception):
    """A head that HTTP forbids to serve; the text says why, for a person."""


def check_head(method: bytes, target: bytes, version: str, fields: Fields) -> None:
    """Raise HeadError for a head that is too large, or that RFC 9112 §§3.2, 6.1 forbids by its Host or its framing.

    The parser lets these pass, and whoever stands before us may read them otherwise: smuggled requests begin so. The
    size is that of the head written without padding, so that it does not depend on how its bytes arrived.
    """
    hosts, codings = 0, []
    size = len(method) + len(target) + _LINE_OVERHEAD_BYTES
    for name, value in fields:
        size += len(name) + len(value) + _FIELD_OVERHEAD_BYTES
        if name == b"host":
            hosts += 1
            if _HOST.fullmatch(value.strip()) is None:
                raise HeadError("the request's Host is no host and port")
        elif name == b"transfer-encoding":
            codings.append(value.strip().lower())
    if size > HEAD_BYTES_MAX:
        raise HeadError("the request's head is too large")
    if hosts > 1 or (hosts == 0 and version != "1.0"):
        raise HeadError("the request lacks Host, or has it more than once")
    if codings and (codings != [b"chunked"] or version == "1.0"):
        raise HeadError("the request's Transfer-Encoding must be chunked, and HTTP/1.0 has none")


def in_origin_form(target: bytes) -> bytes:
    """Return a target that may be an absolute URI as its path and query (RFC 9112 §3.2.2, RFC 6455 §4.2.1)."""
    if target.startswith(b"/"):
        return target
    _, absolute, rest = target.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if absolute else target


def without_upgrade(method: bytes, target: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the head without its upgrade, which may be ignored (RFC 9110 §7.8); names come in lower case."""
    lines = [method + b" " + target + b" HTTP/" + version.encode("ascii")]
    for name, value in headers:
        if name == b"connection":
            options = (option.strip() for option in value.split(b","))
            lines.append(b"connection: " + b", ".join(kept for kept in options if kept.lower() != b"upgrade"))
        elif name not in _UPGRADE_HEADERS:
            lines.append(name + b": " + value)
    return b"\r\n".join([*lines, b"", b""])
