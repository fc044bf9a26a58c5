"""Messages in fragments (RFC 6455 §5.4): any number, of any size, control frames between them, nothing else."""

from typing import Final

from harness.conformance.raw_frames import BINARY, CLOSE, CONTINUATION, NAMES, PING, PONG, TEXT, frame
from harness.conformance.rfc6455.model import ASK, Case, answered, breaks, closes, ignored, ponged, themed

FIRST: Final = frame(TEXT, ASK[:9], fin=False)
MIDDLE: Final = frame(CONTINUATION, ASK[9:20], fin=False)
LAST: Final = frame(CONTINUATION, ASK[20:])
EMPTY: Final = frame(CONTINUATION, fin=False)


def fragments(payload: bytes, size: int, opcode: int = TEXT) -> tuple[bytes, ...]:
    """Return a message in fragments of `size` bytes of payload."""
    starts = range(0, len(payload), size)
    return tuple(frame(CONTINUATION if at else opcode, payload[at : at + size], fin=at == starts[-1]) for at in starts)


WHOLE: Final = (
    *(answered(f"fragments-of-{size}-bytes", *fragments(ASK, size)) for size in (1, 2, 3, 7, 16, 40)),
    *(answered(f"fragments-of-{size}-bytes-in-one-segment", b"".join(fragments(ASK, size))) for size in (1, 2, 7)),
    answered("an-empty-first-fragment", frame(TEXT, fin=False), frame(CONTINUATION, ASK)),
    answered("an-empty-middle-fragment", FIRST, EMPTY, MIDDLE, EMPTY, LAST),
    answered("an-empty-last-fragment", frame(TEXT, ASK, fin=False), frame(CONTINUATION)),
    answered("twenty-empty-fragments", FIRST, EMPTY * 20, MIDDLE, LAST),
    answered("fragments-byte-by-byte", *(bytes([byte]) for byte in frame(TEXT, ASK[:30], fin=False)),
             frame(CONTINUATION, ASK[30:])),
    answered("a-fragment-with-a-16-bit-length", frame(TEXT, ASK.ljust(300), fin=False), frame(CONTINUATION, b" ")),
    answered("two-messages-in-fragments", *fragments(b"{}", 1), *fragments(ASK, 20)),
    ignored("three-empty-fragments", frame(TEXT, fin=False), EMPTY, frame(CONTINUATION)),
)  # fmt: skip
BETWEEN: Final = (
    *(ponged(f"a-ping-of-{size}-bytes-between-fragments", FIRST, frame(PING, b"p" * size), MIDDLE, LAST,
             asked=True, pongs=[b"p" * size]) for size in (0, 1, 125)),
    ponged("a-ping-between-every-two-fragments", FIRST, frame(PING, b"a"), MIDDLE, frame(PING, b"b"), LAST,
           asked=True, pongs=[b"a", b"b"]),
    ponged("a-ping-between-fragments-in-one-segment", FIRST + frame(PING, b"a") + MIDDLE + LAST, asked=True,
           pongs=[b"a"]),
    ponged("a-ping-before-the-last-fragment-comes", FIRST, frame(PING, b"early"), MIDDLE, LAST, asked=True,
           pongs=[b"early"]),
    answered("a-pong-between-fragments", FIRST, frame(PONG, b"x"), MIDDLE, LAST),
    answered("pongs-between-fragments-in-one-segment", FIRST + frame(PONG) + MIDDLE + frame(PONG, b"x") + LAST),
    closes("a-close-between-fragments", b"\x03\xe8", 1000, 1005, before=(FIRST,)),
    closes("an-empty-close-between-fragments", b"", 1000, 1005, before=(FIRST, MIDDLE)),
    closes("the-last-fragment-behind-a-close", b"\x03\xe8", 1000, 1005, before=(FIRST, MIDDLE), behind=LAST),
)  # fmt: skip
WRONG: Final = (
    breaks("a-continuation-of-nothing", frame(CONTINUATION, ASK)),
    breaks("an-unfinished-continuation-of-nothing", frame(CONTINUATION, ASK, fin=False)),
    breaks("an-empty-continuation-of-nothing", frame(CONTINUATION)),
    breaks("a-continuation-behind-a-whole-message", frame(TEXT, b"{}"), frame(CONTINUATION, ASK)),
    breaks("a-continuation-behind-a-message-in-fragments", *fragments(b"{}", 1), frame(CONTINUATION, b"x")),
    breaks("a-text-within-a-text", FIRST, frame(TEXT, ASK)),
    breaks("an-unfinished-text-within-a-text", FIRST, frame(TEXT, ASK, fin=False)),
    breaks("an-empty-text-within-a-text", FIRST, frame(TEXT)),
    breaks("a-text-within-a-text-in-one-segment", FIRST + frame(TEXT, ASK)),
    breaks("a-binary-within-a-text", FIRST, frame(BINARY, ASK)),
    breaks("a-text-within-a-binary", frame(BINARY, b"x", fin=False), frame(TEXT, ASK)),
    breaks("a-text-within-a-text-behind-a-ping", FIRST, frame(PING), frame(TEXT, ASK)),
    *(breaks(f"an-unfinished-{NAMES[opcode]}", frame(opcode, b"\x03\xe8", fin=False))
      for opcode in (PING, PONG, CLOSE)),
    *(breaks(f"an-unfinished-empty-{NAMES[opcode]}", frame(opcode, fin=False)) for opcode in (PING, PONG, CLOSE)),
    breaks("an-unfinished-ping-between-fragments", FIRST, frame(PING, b"x", fin=False)),
    breaks("a-ping-in-fragments", frame(PING, b"x", fin=False) + frame(CONTINUATION, b"y")),
)  # fmt: skip

CASES: Final[tuple[Case, ...]] = themed("fragmentation", *WHOLE, *BETWEEN, *WRONG)
