"""Request heads as bytes: one written again, without what it asked for in vain."""

from collections.abc import Iterable
from typing import Final

_UPGRADE_HEADERS: Final = frozenset({b"upgrade", b"http2-settings"})


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
