"""The frames of the peer: right ones, and for each fault one that no server may send."""

import struct
from typing import Final

SENDING_FAULTS: Final = (
    "sends_masked", "sends_reserved_bits", "sends_reserved_opcodes", "sends_long_lengths", "sends_long_controls",
    "sends_controls_in_fragments", "sends_lone_continuations", "sends_texts_within", "sends_bad_utf8",
    "sends_forbidden_codes", "sends_a_byte_of_a_code", "sends_bad_reasons", "sends_behind_its_close",
)  # fmt: skip
FRAGMENTING: Final = "sends_texts_in_fragments"
"""No fault: a server may."""

MASK: Final = b"\x01\x02\x03\x04"


def written(opcode: int, payload: bytes, faults: frozenset[str]) -> bytes:
    """Return what a peer with these faults writes for one message or control frame."""
    payload = _spoiled(opcode, payload, faults)
    if opcode == 1 and FRAGMENTING in faults:
        ends = (_frame(opcode, payload[:7], faults, fin=False), _frame(0, payload[7:], faults))
        return _frame(9, b"between", faults).join(ends)
    before = _frame(3, b"", faults) if "sends_reserved_opcodes" in faults else b""
    if opcode == 1 and "sends_lone_continuations" in faults:
        before += _frame(0, b"", faults)
    if opcode == 1 and "sends_texts_within" in faults:
        before += _frame(1, b"", faults, fin=False)
    behind = _frame(9, b"", faults) if opcode == 8 and "sends_behind_its_close" in faults else b""
    whole = not (opcode & 8 and "sends_controls_in_fragments" in faults)
    return before + _frame(opcode, payload, faults, fin=whole) + behind


def _spoiled(opcode: int, payload: bytes, faults: frozenset[str]) -> bytes:
    if opcode == 1 and "sends_bad_utf8" in faults:
        return payload + b"\xff"
    if opcode == 8 and "sends_forbidden_codes" in faults:
        return struct.pack("!H", 1005)
    if opcode == 8 and "sends_a_byte_of_a_code" in faults:
        return payload[:1]
    if opcode == 8 and "sends_bad_reasons" in faults:
        return payload[:2] + b"\xe2\x82"
    return payload.ljust(126) if opcode & 8 and "sends_long_controls" in faults else payload


def _frame(opcode: int, payload: bytes, faults: frozenset[str], fin: bool = True) -> bytes:
    masked = "sends_masked" in faults
    size = len(payload)
    form = 127 if size > 0xFFFF or "sends_long_lengths" in faults else 126 if size > 125 else size
    length = struct.pack({126: "!H", 127: "!Q"}[form], size) if form > 125 else b""
    first = (0x80 if fin else 0) | (0x40 if "sends_reserved_bits" in faults else 0) | opcode
    head = bytes([first, (0x80 if masked else 0) | form]) + length
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
