"""Frames of RFC 6455 as bytes made by hand, right ones and those that no library lets one send (§5)."""

import struct
from typing import Final

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 0x1, 0x2, 0x8, 0x9, 0xA, 0x0
NAMES: Final = {
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
    CONTINUATION: "continuation",
}
MASK: Final = b"\x37\xfa\x21\x3d"
CONTROL_BYTES_MAX: Final = 125
NO_CODE: Final = 1005


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    masked: bool = True,
    rsv: int = 0,
    long_length: int = 0,
    mask: bytes = MASK,
) -> bytes:
    """Return a frame's bytes; `long_length` 16 or 64 writes the length in a form longer than it needs."""
    head = bytes([(0x80 if fin else 0) | (rsv << 4) | opcode])
    bit, size = (0x80 if masked else 0), len(payload)
    if long_length == 64 or size > 0xFFFF:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    elif long_length == 16 or size > 125:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | size])
    return head + (mask + masked_with(payload, mask) if masked else payload)


def masked_with(payload: bytes, mask: bytes) -> bytes:
    """Mask a payload, or unmask it (RFC 6455 §5.3)."""
    # As one number: a loop over 64 KiB would stop everybody on this loop for 10 ms.
    whole = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(whole)).to_bytes(len(payload))
