"""Pings and pongs (RFC 6455 §5.5.2, §5.5.3): payloads come back, pongs ask for nothing, 125 bytes at most."""

from typing import Final

from harness.conformance.raw_frames import PING, PONG, TEXT, frame
from harness.conformance.rfc6455.model import ASK, Case, breaks, of_ours, ponged, themed

EVERY_BYTE: Final = bytes(range(256))
SEVERAL: Final = tuple(b"ping %d" % number for number in range(10))

ANSWERED: Final = (
    *(ponged(f"a-ping-of-{size}-bytes", frame(PING, b"p" * size), pongs=[b"p" * size]) for size in (0, 1, 2, 124, 125)),
    ponged("a-ping-that-is-no-utf-8", frame(PING, b"\xff\xfe\x00\xc0"), pongs=[b"\xff\xfe\x00\xc0"]),
    ponged("a-ping-with-the-bytes-0-to-124", frame(PING, EVERY_BYTE[:125]), pongs=[EVERY_BYTE[:125]]),
    ponged("a-ping-with-the-bytes-131-to-255", frame(PING, EVERY_BYTE[131:]), pongs=[EVERY_BYTE[131:]]),
    ponged("a-ping-masked-with-zeros", frame(PING, b"zeros", mask=bytes(4)), pongs=[b"zeros"]),
    ponged("a-ping-byte-by-byte", *(bytes([byte]) for byte in frame(PING, b"slow")), pongs=[b"slow"]),
    ponged("a-ping-of-125-bytes-byte-by-byte", *(bytes([byte]) for byte in frame(PING, EVERY_BYTE[:125])),
           pongs=[EVERY_BYTE[:125]]),
    ponged("ten-pings-one-by-one", *(frame(PING, payload) for payload in SEVERAL), pongs=SEVERAL),
    ponged("ten-pings-in-one-segment", b"".join(frame(PING, payload) for payload in SEVERAL), pongs=SEVERAL),
    ponged("a-ping-before-a-text-in-one-segment", frame(PING, b"a") + frame(TEXT, ASK), asked=True, pongs=[b"a"]),
    ponged("a-ping-behind-a-text-in-one-segment", frame(TEXT, ASK) + frame(PING, b"a"), asked=True, pongs=[b"a"]),
)  # fmt: skip
UNASKED: Final = (
    *(ponged(f"an-unasked-pong-of-{size}-bytes", frame(PONG, b"p" * size), pongs=[]) for size in (0, 1, 125)),
    ponged("an-unasked-pong-that-is-no-utf-8", frame(PONG, b"\xff"), pongs=[]),
    ponged("ten-unasked-pongs", frame(PONG, b"x") * 10, pongs=[]),
    ponged("an-unasked-pong-and-a-ping", frame(PONG, b"x") + frame(PING, b"y"), pongs=[b"y"]),
)
TOO_LONG: Final = (
    *(breaks(f"a-ping-of-{size}-bytes", frame(PING, b"p" * size)) for size in (126, 127, 65_535, 65_536)),
    *(breaks(f"a-pong-of-{size}-bytes", frame(PONG, b"p" * size)) for size in (126, 65_536)),
    # When a server must notice, the RFC does not say: it may read the whole frame first.
    *of_ours(breaks("the-head-of-a-ping-of-126-bytes", frame(PING, b"p" * 126)[:2])),
    breaks("a-ping-of-126-bytes-between-fragments", frame(TEXT, ASK[:5], fin=False), frame(PING, b"p" * 126)),
)

CASES: Final[tuple[Case, ...]] = themed("pings", *ANSWERED, *UNASKED, *TOO_LONG)
