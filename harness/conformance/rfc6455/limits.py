"""What a server may bound (RFC 6455 §10.4, contract §5): 64 KiB a message, 100 frames in a burst, 20 a second."""

from typing import Final

from harness.conformance.raw_frames import CONTINUATION, PING, PONG, TEXT, frame
from harness.conformance.rfc6455.fragmentation import fragments
from harness.conformance.rfc6455.framing import announced, padded
from harness.conformance.rfc6455.model import ASK, PONG_OF_PROBE, PROBE, Case, answered, fails, ignored, of_ours, themed
from reference_server.contract.limits import CLIENT_MESSAGE_BYTES_MAX, FRAME_BURST_MAX, FRAMES_PER_S

OVER: Final = CLIENT_MESSAGE_BYTES_MAX + 1
HALF: Final = CLIENT_MESSAGE_BYTES_MAX // 2
FITTING: Final = FRAME_BURST_MAX - 1
"""The probe is the last frame of a burst."""

FLOOD: Final = FRAME_BURST_MAX * 3
BLANK: Final = frame(TEXT, b'{"type":"x"}')
SPENT: Final = FRAME_BURST_MAX - 10
"""A burst that leaves half a second of the rate, for a machine that stands still."""

SUSTAINED_S: Final = 5
TOO_MANY_PER_S: Final = FRAMES_PER_S + 5
SEEN_WITHIN_MS: Final = (SUSTAINED_S + 5) * 1000


def large(name: str, *pieces: bytes) -> Case:
    """RT-CLOSE-3: a message over 64 KiB."""
    return fails("RT-CLOSE-3", name, 1009, *pieces)


def flooded(name: str, data: bytes) -> Case:
    """RT-CLOSE-5: more frames than a burst may have; what came before the last one allowed may be answered."""
    return Case("RT-CLOSE-5", name, {"close_code": [1008], "receives_none": PONG_OF_PROBE}, (data + PROBE,))


def borne(name: str, data: bytes) -> Case:
    """RT-CLOSE-5: as many frames as a burst may have."""
    return ignored(name, data, clause="RT-CLOSE-5")


def streamed(one: bytes, first: bytes, per_s: int) -> tuple[bytes, ...]:
    """Return a burst that begins with `first`, and then so many frames a second."""
    return (first + one * (SPENT - 1), *(one for _ in range(per_s * SUSTAINED_S)))


def sustained(name: str, one: bytes, first: bytes = b"", last: bytes = b"") -> Case:
    """RT-CLOSE-5: behind a spent burst, as many frames a second as are allowed for good."""
    sends = (*streamed(one, first or one, FRAMES_PER_S), last + PROBE)
    expected = {"receives": PONG_OF_PROBE, "receives_count": 1}
    return Case("RT-CLOSE-5", name, expected, sends, pace=FRAMES_PER_S)


def overdone(name: str, one: bytes, first: bytes = b"") -> Case:
    """RT-CLOSE-5: behind a spent burst, a few more a second than are allowed for good."""
    sends = (*streamed(one, first or one, TOO_MANY_PER_S), PROBE)
    expected = {"close_code": [1008], "within_ms": SEEN_WITHIN_MS, "receives_none": PONG_OF_PROBE}
    return Case("RT-CLOSE-5", name, expected, sends, pace=TOO_MANY_PER_S)


BEGUN, FRAGMENT, LAST = frame(TEXT, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION)
RATES: Final = (
    sustained("20-texts-a-second-behind-a-burst", BLANK),
    sustained("20-pings-a-second-behind-a-burst", frame(PING)),
    sustained("20-pongs-a-second-behind-a-burst", frame(PONG)),
    sustained("20-fragments-a-second-behind-a-burst", FRAGMENT, BEGUN, LAST),
    overdone("25-texts-a-second-behind-a-burst", BLANK),
    overdone("25-pings-a-second-behind-a-burst", frame(PING, b"p")),
    overdone("25-pongs-a-second-behind-a-burst", frame(PONG)),
    overdone("25-fragments-a-second-behind-a-burst", FRAGMENT, BEGUN),
)
SIZES: Final = (
    answered("a-message-of-the-largest-size", frame(TEXT, padded(CLIENT_MESSAGE_BYTES_MAX))),
    answered("a-message-of-the-largest-size-in-two-fragments", *fragments(padded(CLIENT_MESSAGE_BYTES_MAX), HALF)),
    answered("a-message-of-the-largest-size-in-16-fragments", *fragments(padded(CLIENT_MESSAGE_BYTES_MAX), 4096)),
    answered("two-messages-of-the-largest-size", frame(TEXT, b" " * CLIENT_MESSAGE_BYTES_MAX),
             frame(TEXT, padded(CLIENT_MESSAGE_BYTES_MAX))),
    answered("a-largest-message-and-a-ping-of-125-bytes-within",
             frame(TEXT, padded(HALF), fin=False), frame(PONG, b"p" * 125), frame(CONTINUATION, b" " * HALF)),
    large("a-message-of-one-byte-too-many", frame(TEXT, padded(OVER))),
    large("a-message-of-twice-the-size", frame(TEXT, padded(2 * CLIENT_MESSAGE_BYTES_MAX))),
    large("the-head-alone-of-one-byte-too-many", announced(TEXT, 127, OVER)),
    large("the-head-alone-of-a-gibibyte", announced(TEXT, 127, 1 << 30)),
    large("the-head-alone-of-the-largest-length", announced(TEXT, 127, (1 << 63) - 1)),
    large("one-byte-too-many-in-two-fragments", *fragments(padded(OVER), HALF + 1)),
    large("one-byte-too-many-in-the-last-fragment",
          frame(TEXT, padded(CLIENT_MESSAGE_BYTES_MAX), fin=False), frame(CONTINUATION, b" ")),
    large("one-byte-too-many-in-16-fragments", *fragments(padded(OVER), 4100)),
    large("a-fragment-that-alone-is-too-large", frame(TEXT, b"{", fin=False), announced(CONTINUATION, 127, OVER)),
    large("too-much-before-the-last-fragment-comes",
          frame(TEXT, padded(HALF), fin=False), frame(CONTINUATION, b" " * HALF, fin=False),
          frame(CONTINUATION, b" ", fin=False)),
)  # fmt: skip
FLOODS: Final = (
    borne("a-burst-of-texts", BLANK * FITTING),
    borne("a-burst-of-pings", frame(PING) * FITTING),
    borne("a-burst-of-pongs", frame(PONG) * FITTING),
    borne("a-burst-of-fragments", frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * (FITTING - 2)
          + frame(CONTINUATION)),
    flooded("a-flood-of-texts", BLANK * FLOOD),
    flooded("a-flood-of-empty-texts", frame(TEXT) * FLOOD),
    flooded("a-flood-of-pings", frame(PING, b"p") * FLOOD),
    flooded("a-flood-of-pongs", frame(PONG) * FLOOD),
    flooded("a-flood-of-empty-fragments", frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) * FLOOD),
    flooded("a-flood-of-pings-of-the-contract", frame(TEXT, ASK) * FLOOD),
    flooded("a-flood-of-texts-and-pings", (BLANK + frame(PING)) * FLOOD),
)  # fmt: skip

CASES: Final[tuple[Case, ...]] = themed("limits", *of_ours(*RATES, *FLOODS), *SIZES)
"""How many frames are too many is this project's choice."""
