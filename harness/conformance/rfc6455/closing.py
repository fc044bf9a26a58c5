"""The closing handshake (RFC 6455 §5.5.1, §7): codes that may be sent and those that may not, reasons, what follows."""

import struct
from typing import Final, Literal

from harness.conformance.raw_frames import BINARY, CLOSE, NO_CODE, PING, PONG, TEXT, frame
from harness.conformance.rfc6455.model import ASK, PROBE, Case, beyond, breaks, closes, fails, themed

VALID: Final = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)
FORBIDDEN: Final = (0, 1, 999, 1004, 1005, 1006, 1015, 5000, 65_535)
LONGEST: Final = 123
EURO: Final = "€".encode()


def payload(code: int, reason: bytes = b"") -> bytes:
    """Return a close frame's payload."""
    return struct.pack("!H", code) + reason


def said(name: str, code: int, reason: bytes = b"") -> Case:
    """RT-CLOSE-6: a close that may be sent; an answer mostly echoes its code (§5.5.1)."""
    return closes(name, payload(code, reason), code, 1000, NO_CODE)


def bad_reason(name: str, reason: bytes) -> Case:
    """RT-CLOSE-2: a reason that is no UTF-8."""
    return fails("RT-CLOSE-2", name, 1007, frame(CLOSE, payload(1000, reason)))


CODES: Final = (
    closes("no-payload", b"", 1000, NO_CODE),
    *(said(f"the-code-{code}", code) for code in VALID),
    *(breaks(f"the-code-{code}-that-nobody-may-send", frame(CLOSE, payload(code))) for code in FORBIDDEN),
    *(breaks(f"the-code-{code}-with-a-reason", frame(CLOSE, payload(code, b"why"))) for code in (999, 1005, 5000)),
    breaks("a-payload-of-one-byte", frame(CLOSE, b"\x03")),
    breaks("a-payload-of-one-nul", frame(CLOSE, b"\x00")),
)
REASONS: Final = (
    said("a-reason", 1000, b"bye"),
    said("a-reason-of-the-longest-size", 1000, b"x" * LONGEST),
    said("a-reason-of-one-byte-less", 1000, b"x" * (LONGEST - 1)),
    said("a-reason-of-three-byte-characters", 1000, EURO * (LONGEST // 3)),
    said("a-reason-that-is-hostile-text", 1000, b"<script>\x00\r\n"),
    breaks("a-reason-of-one-byte-too-many", frame(CLOSE, payload(1000, b"x" * (LONGEST + 1)))),
    breaks("a-reason-of-1000-bytes", frame(CLOSE, payload(1000, b"x" * 1000))),
    bad_reason("a-reason-of-a-bad-byte", b"\xff"),
    bad_reason("a-reason-with-a-surrogate", b"ok \xed\xa0\x80"),
    bad_reason("an-overlong-reason", b"\xc0\xaf"),
    bad_reason("a-reason-beyond-10ffff", b"\xf4\x90\x80\x80"),
    bad_reason("a-reason-cut-short-within-a-character", EURO[:2]),
    bad_reason("a-longest-reason-cut-short-within-a-character", b"x" * (LONGEST - 2) + EURO[:2]),
)
FOLLOWED: Final = (
    closes("a-text-behind-a-close", payload(1000), 1000, NO_CODE, behind=frame(TEXT, ASK)),
    closes("a-ping-behind-a-close", payload(1000), 1000, NO_CODE, behind=frame(PING, b"x") + PROBE),
    closes("a-pong-behind-a-close", payload(1000), 1000, NO_CODE, behind=frame(PONG, b"x") + PROBE),
    closes("another-close-behind-a-close", payload(1001), 1001, 1000, NO_CODE, behind=frame(CLOSE, payload(4000))),
    closes("a-binary-behind-a-close", payload(1000), 1000, NO_CODE, behind=frame(BINARY, b"x")),
    closes("bad-text-behind-a-close", payload(1000), 1000, NO_CODE, behind=frame(TEXT, b"\xff")),
    closes("a-broken-frame-behind-a-close", payload(1000), 1000, NO_CODE, behind=frame(TEXT, b"x", rsv=4)),
    closes("nonsense-behind-a-close", payload(1000), 1000, NO_CODE, behind=b"GET / HTTP/1.1\r\n\r\n"),
    closes("nothing-behind-a-close", payload(1000), 1000, NO_CODE, behind=b""),
    closes("a-close-behind-a-text-in-one-segment", payload(1000), 1000, NO_CODE, before=(frame(TEXT, b"{}"),)),
)
ARRIVAL: Final = (
    Case("RT-CLOSE-6", "byte-by-byte", {"close_code": [1000, NO_CODE]},
         tuple(bytes([byte]) for byte in frame(CLOSE, payload(1000, b"slowly")))),
    Case("RT-CLOSE-6", "cut-within-the-code", {"close_code": [1000, NO_CODE]},
         (frame(CLOSE, payload(1000))[:7], frame(CLOSE, payload(1000))[7:])),
)  # fmt: skip


def ended(name: str, code: int, sent: bytes, ending: Literal["answered", "never"]) -> Case:
    """LIVE-CLOSE-1: behind the close frame the connection ends, whether the peer answers it or not (§7.1.1)."""
    return Case("LIVE-CLOSE-1", name, {"close_code": [code]}, (sent,), ending=ending)


BROKEN: Final = frame(TEXT, b"{}", rsv=4)
ENDED: Final = (
    ended("the-end-of-tcp-behind-both-closes", 1000, frame(CLOSE, payload(1000)), "answered"),
    ended("the-end-of-tcp-behind-a-failure-that-is-answered", 1002, BROKEN, "answered"),
    ended("a-peer-that-never-answers-a-failure", 1002, BROKEN, "never"),
    *beyond(ended("a-peer-that-never-answers-that-it-sent-binary", 1003, frame(BINARY, b"x"), "never")),
)

CASES: Final[tuple[Case, ...]] = themed("closing", *ENDED, *CODES, *REASONS, *FOLLOWED, *ARRIVAL)
