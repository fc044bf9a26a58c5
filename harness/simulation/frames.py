"""RFC 6455 frames as bytes, both ways, without chance: the mask comes in.

Only what a simulated link carries: whole messages and control frames. What a peer may never send is an error here,
since no simulated peer sends it; the server's own protocol code is judged for that on real sockets.
"""

import struct
from dataclasses import dataclass
from typing import Final

TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
NAMES: Final = {TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
_FIN: Final = 0x80
_MASKED: Final = 0x80


@dataclass(frozen=True, slots=True)
class Frame:
    """One complete frame; the payload is unmasked."""

    opcode: int
    payload: bytes


def encode(opcode: int, payload: bytes, mask: bytes = b"") -> bytes:
    """Return the frame's bytes; with four bytes of `mask` as a client sends it (RFC 6455 §5.2, §5.3)."""
    masked = _MASKED if mask else 0
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FIN | opcode, masked | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FIN | opcode, masked | 126, size)
    else:
        head = struct.pack("!BBQ", _FIN | opcode, masked | 127, size)
    return head + mask + (_masked(payload, mask) if mask else payload)


def close_fields(payload: bytes) -> tuple[int, str]:
    """Return the code and reason of a close frame; 1005 when it carries none (RFC 6455 §7.1.5)."""
    if len(payload) < 2:
        return 1005, ""
    return int.from_bytes(payload[:2], "big"), payload[2:].decode()


class Reader:
    """Cut a stream of bytes into frames, however the bytes are divided."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes and return the frames that are complete now."""
        self._buffer += data
        found: list[Frame] = []
        while (taken := self._next()) is not None:
            found.append(taken)
        return found

    def _next(self) -> Frame | None:
        head = _head(self._buffer)
        if head is None:
            return None
        opcode, masked, start, size = head
        mask = bytes(self._buffer[start : start + 4]) if masked else b""
        start += len(mask)
        if len(self._buffer) < start + size:
            return None
        payload = bytes(self._buffer[start : start + size])
        del self._buffer[: start + size]
        return Frame(opcode, _masked(payload, mask) if mask else payload)


def _head(buffer: bytearray) -> tuple[int, bool, int, int] | None:
    """Return opcode, whether it is masked, where mask or payload starts and the payload's size."""
    if len(buffer) < 2:
        return None
    opcode, masked, size = buffer[0] & 0x0F, bool(buffer[1] & _MASKED), buffer[1] & 0x7F
    if not buffer[0] & _FIN or opcode not in NAMES:
        raise ValueError(f"frame starts with {buffer[0]:#04x}, expected a whole message or a control frame")
    start = 2 + {126: 2, 127: 8}.get(size, 0)
    if len(buffer) < start + (4 if masked else 0):
        return None
    return opcode, masked, start, int.from_bytes(buffer[2:start], "big") if size >= 126 else size


def _masked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    keys = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(size, "big")
