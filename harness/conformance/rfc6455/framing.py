"""Base framing (RFC 6455 §5.2, §5.3): reserved bits and opcodes, masks, each form of a length, shortest form only."""

import struct
from typing import Final

from harness.conformance.raw_frames import BINARY, CLOSE, CONTINUATION, MASK, NAMES, PING, PONG, TEXT, frame
from harness.conformance.rfc6455.model import ASK, Case, answered, beyond, breaks, fails, themed

EVERY: Final = (TEXT, BINARY, PING, PONG, CLOSE)
RESERVED_DATA: Final = (0x3, 0x4, 0x5, 0x6, 0x7)
RESERVED_CONTROL: Final = (0xB, 0xC, 0xD, 0xE, 0xF)
FIN_TEXT: Final = 0x80 | TEXT
MASKED: Final = 0x80


def padded(size: int) -> bytes:
    """Return `ASK` with blanks behind it, `size` bytes in all."""
    return ASK.ljust(size)


def announced(opcode: int, form: int, size: int) -> bytes:
    """Return a head in the length's 16- or 64-bit form whose payload never comes."""
    length = struct.pack("!H", size) if form == 126 else struct.pack("!Q", size)
    return bytes([0x80 | opcode, MASKED | form]) + length + MASK


RESERVED_BITS: Final = (
    *(breaks(f"reserved-bits-{bits}-on-text", frame(TEXT, ASK, rsv=bits)) for bits in range(1, 8)),
    *(breaks(f"reserved-bit-{bit}-on-empty-{NAMES[opcode]}", frame(opcode, rsv=bit))
      for opcode in (PING, PONG, CLOSE, BINARY) for bit in (4, 2, 1)),
    *(breaks(f"reserved-bit-{bit}-on-the-last-fragment",
             frame(TEXT, ASK[:5], fin=False), frame(CONTINUATION, ASK[5:], rsv=bit)) for bit in (4, 2, 1)),
    breaks("reserved-bit-4-on-the-first-fragment", frame(TEXT, ASK[:5], fin=False, rsv=4)),
    breaks("reserved-bit-behind-a-good-frame-in-one-segment", frame(TEXT, b"{}") + frame(TEXT, ASK, rsv=4)),
)  # fmt: skip
OPCODES: Final = (
    *(breaks(f"reserved-data-opcode-{code:x}", frame(code, ASK)) for code in RESERVED_DATA),
    *(breaks(f"reserved-data-opcode-{code:x}-empty", frame(code)) for code in RESERVED_DATA),
    *(breaks(f"reserved-control-opcode-{code:x}", frame(code, b"x")) for code in RESERVED_CONTROL),
    *(breaks(f"reserved-control-opcode-{code:x}-empty", frame(code)) for code in RESERVED_CONTROL),
    breaks("reserved-data-opcode-between-fragments", frame(TEXT, ASK[:5], fin=False), frame(0x3, ASK[5:])),
    breaks("reserved-control-opcode-between-fragments", frame(TEXT, ASK[:5], fin=False), frame(0xB)),
    fails("RT-CLOSE-1", "a-binary-message", 1003, frame(BINARY, ASK)),
    fails("RT-CLOSE-1", "an-empty-binary-message", 1003, frame(BINARY)),
    fails("RT-CLOSE-1", "a-binary-message-in-fragments", 1003,
          frame(BINARY, ASK[:5], fin=False), frame(CONTINUATION, ASK[5:])),
    fails("RT-CLOSE-1", "a-binary-message-that-is-no-utf-8", 1003, frame(BINARY, b"\xff\xfe")),
)  # fmt: skip
MASKS: Final = (
    *(breaks(f"unmasked-{NAMES[opcode]}", frame(opcode, b"", masked=False)) for opcode in EVERY),
    breaks("unmasked-text-with-payload", frame(TEXT, ASK, masked=False)),
    breaks("unmasked-ping-with-payload", frame(PING, b"x", masked=False)),
    breaks("unmasked-last-fragment",
           frame(TEXT, ASK[:5], fin=False), frame(CONTINUATION, ASK[5:], masked=False)),
    breaks("unmasked-behind-a-masked-frame", frame(TEXT, b"{}") + frame(TEXT, ASK, masked=False)),
    *(answered(f"mask-{key.hex()}", frame(TEXT, ASK, mask=key))
      for key in (bytes(4), b"\xff\xff\xff\xff", b"\x00\x00\x00\x01", b"\x80\x00\x00\x00", b'{"ty')),
    answered("a-mask-of-its-own-for-each-fragment",
             frame(TEXT, ASK[:5], fin=False, mask=b"\x01\x02\x03\x04"),
             frame(CONTINUATION, ASK[5:], mask=b"\xf0\xe0\xd0\xc0")),
)  # fmt: skip
LENGTHS: Final = (
    *(answered(f"a-text-of-{size}-bytes", frame(TEXT, padded(size)))
      for size in (len(ASK), 124, 125, 126, 127, 128, 255, 256, 65_534, 65_535, 65_536)),
    # "The minimal number of bytes MUST be used" (§5.2) says nothing of who reads another form.
    *beyond(
        *(breaks(f"length-{size}-in-16-bits", frame(TEXT, padded(size)[:size], long_length=16))
          for size in (0, 1, 60, 124, 125)),
        *(breaks(f"length-{size}-in-64-bits", frame(TEXT, padded(size)[:size], long_length=64))
          for size in (0, 1, 125, 126, 65_535)),
        *(breaks(f"{NAMES[opcode]}-length-in-{bits}-bits", frame(opcode, b"\x03\xe8", long_length=bits))
          for opcode in (PING, PONG, CLOSE) for bits in (16, 64)),
        breaks("length-in-16-bits-of-a-fragment",
               frame(TEXT, ASK[:5], fin=False), frame(CONTINUATION, ASK[5:], long_length=16)),
    ),
    # Not a length (§5.2) and too large at once.
    fails("RT-CLOSE-4", "length-with-its-highest-bit-set", (1002, 1009), announced(TEXT, 127, 1 << 63)),
    fails("RT-CLOSE-4", "length-of-64-ones", (1002, 1009), announced(TEXT, 127, (1 << 64) - 1)),
)  # fmt: skip
ARRIVAL: Final = (
    answered("a-frame-byte-by-byte", *(bytes([byte]) for byte in frame(TEXT, ASK))),
    answered("a-16-bit-length-byte-by-byte", *(bytes([byte]) for byte in frame(TEXT, padded(126)))),
    *(answered(f"a-frame-cut-after-{at}-bytes", frame(TEXT, padded(200))[:at], frame(TEXT, padded(200))[at:])
      for at in (1, 2, 3, 4, 5, 7, 8, 9)),
    *(answered(f"a-64-bit-length-cut-after-{at}-bytes", frame(TEXT, padded(65_536))[:at],
               frame(TEXT, padded(65_536))[at:]) for at in (3, 6, 9, 10, 12, 14)),
    answered("three-frames-in-one-segment", frame(TEXT, b"{}") + frame(TEXT, ASK) + frame(PONG)),
    answered("a-frame-and-a-half-in-one-segment",
             frame(TEXT, b"{}") + frame(TEXT, ASK)[:9], frame(TEXT, ASK)[9:]),
    breaks("a-reserved-bit-byte-by-byte", *(bytes([byte]) for byte in frame(TEXT, b"{}", rsv=4)[:2])),
    breaks("an-unmasked-frame-byte-by-byte", *(bytes([byte]) for byte in frame(TEXT, b"", masked=False))),
)  # fmt: skip

CASES: Final[tuple[Case, ...]] = themed("framing", *RESERVED_BITS, *OPCODES, *MASKS, *LENGTHS, *ARRIVAL)
