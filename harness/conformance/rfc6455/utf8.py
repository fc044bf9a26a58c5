"""Text is UTF-8 (RFC 6455 §8.1, RFC 3629): each class of valid and invalid sequences, whole and split at each byte."""

from typing import Final

from harness.conformance.raw_frames import CONTINUATION, PING, TEXT, frame
from harness.conformance.rfc6455.fragmentation import fragments
from harness.conformance.rfc6455.model import Case, fails, ignored, themed

MIXED: Final = "κόσμε-µ@ßöäüàá-日本-🎉".encode()
VALID: Final[tuple[tuple[str, bytes], ...]] = (
    ("ascii", b"Hello"), ("nul", b"\x00"), ("delete", b"\x7f"),
    ("the-first-of-two-bytes", b"\xc2\x80"), ("the-last-of-two-bytes", b"\xdf\xbf"),
    ("the-first-of-three-bytes", b"\xe0\xa0\x80"), ("the-last-of-three-bytes", b"\xef\xbf\xbf"),
    ("the-last-before-surrogates", b"\xed\x9f\xbf"), ("the-first-behind-surrogates", b"\xee\x80\x80"),
    ("the-replacement-character", b"\xef\xbf\xbd"), ("a-byte-order-mark", b"\xef\xbb\xbf{}"),
    ("the-first-of-four-bytes", b"\xf0\x90\x80\x80"), ("the-last-of-all", b"\xf4\x8f\xbf\xbf"),
    ("a-noncharacter-fffe", b"\xef\xbf\xbe"), ("a-noncharacter-1fffe", b"\xf0\x9f\xbf\xbe"),
    ("a-private-character", b"\xf3\xb0\x80\x80"), ("a-mixture", MIXED),
)  # fmt: skip
INVALID: Final[tuple[tuple[str, bytes], ...]] = (
    *((f"a-lone-continuation-byte-{byte:02x}", bytes([byte])) for byte in (0x80, 0x8F, 0x90, 0xBF)),
    ("two-lone-continuation-bytes", b"\x80\xbf"),
    ("a-continuation-byte-behind-a-character", b"\xc3\xa9\x80"),
    *((f"the-impossible-byte-{byte:02x}", bytes([byte]))
      for byte in (0xC0, 0xC1, 0xF5, 0xF6, 0xF7, 0xF8, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF)),
    ("overlong-slash-in-two-bytes", b"\xc0\xaf"), ("overlong-slash-in-three-bytes", b"\xe0\x80\xaf"),
    ("overlong-slash-in-four-bytes", b"\xf0\x80\x80\xaf"), ("overlong-slash-in-five-bytes", b"\xf8\x80\x80\x80\xaf"),
    ("overlong-slash-in-six-bytes", b"\xfc\x80\x80\x80\x80\xaf"),
    ("overlong-nul-in-two-bytes", b"\xc0\x80"), ("overlong-nul-in-three-bytes", b"\xe0\x80\x80"),
    ("overlong-nul-in-four-bytes", b"\xf0\x80\x80\x80"),
    ("the-largest-overlong-of-two-bytes", b"\xc1\xbf"), ("the-largest-overlong-of-three-bytes", b"\xe0\x9f\xbf"),
    ("the-largest-overlong-of-four-bytes", b"\xf0\x8f\xbf\xbf"),
    *((f"the-surrogate-{word}", data) for word, data in (
        ("d800", b"\xed\xa0\x80"), ("db7f", b"\xed\xad\xbf"), ("db80", b"\xed\xae\x80"), ("dbff", b"\xed\xaf\xbf"),
        ("dc00", b"\xed\xb0\x80"), ("df80", b"\xed\xbe\x80"), ("dfff", b"\xed\xbf\xbf"))),
    ("a-pair-of-surrogates", b"\xed\xa0\x80\xed\xb0\x80"), ("the-last-pair-of-surrogates", b"\xed\xaf\xbf\xed\xbf\xbf"),
    ("the-first-beyond-10ffff", b"\xf4\x90\x80\x80"), ("the-last-of-four-bytes-beyond", b"\xf7\xbf\xbf\xbf"),
    ("five-bytes", b"\xf8\x88\x80\x80\x80"), ("six-bytes", b"\xfc\x84\x80\x80\x80\x80"),
    *((f"{size}-bytes-cut-short-after-{len(data)}", data) for size, data in (
        (2, b"\xc3"), (3, b"\xe2"), (3, b"\xe2\x82"), (4, b"\xf0"), (4, b"\xf0\x9f"), (4, b"\xf0\x9f\x8e"))),
    *((f"{size}-bytes-cut-short-by-a-letter-after-{len(data) - 1}", data) for size, data in (
        (2, b"\xc3x"), (3, b"\xe2x"), (3, b"\xe2\x82x"), (4, b"\xf0x"), (4, b"\xf0\x9fx"), (4, b"\xf0\x9f\x8ex"))),
    ("good-text-before-a-bad-byte", MIXED + b"\xff"), ("good-text-behind-a-bad-byte", b"\xff" + MIXED),
    ("latin-1", "grün".encode("latin-1")), ("utf-16", "grün".encode("utf-16")),
    ("a-ping-of-the-contract-with-a-bad-byte", b'{"type":"ping","x":"\xff"}'),
)  # fmt: skip


def bad(name: str, *pieces: bytes) -> Case:
    """RT-CLOSE-2: text that is no UTF-8."""
    return fails("RT-CLOSE-2", name, 1007, *pieces)


def in_two(data: bytes, at: int) -> tuple[bytes, bytes]:
    """Return a text in two fragments."""
    return frame(TEXT, data[:at], fin=False), frame(CONTINUATION, data[at:])


WHOLE: Final = (
    *(ignored(f"valid-{name}", frame(TEXT, data)) for name, data in VALID),
    *(bad(f"invalid-{name}", frame(TEXT, data)) for name, data in INVALID),
)
SPLIT: Final = (
    *(ignored(f"valid-split-after-{at}-of-{len(MIXED)}-bytes", *in_two(MIXED, at)) for at in range(1, len(MIXED))),
    ignored("valid-in-fragments-of-one-byte", *fragments(MIXED, 1)),
    ignored("valid-in-fragments-of-one-byte-in-one-segment", b"".join(fragments(MIXED, 1))),
    ignored("valid-byte-by-byte", *(bytes([byte]) for byte in frame(TEXT, MIXED))),
    ignored("valid-split-within-a-character-around-a-ping",
            frame(TEXT, b"\xf0\x9f", fin=False), frame(PING, b"\xff"), frame(CONTINUATION, b"\x8e\x89")),
    *(bad(f"invalid-{name}-split-after-{at}", *in_two(data, at)) for name, data in (
        ("surrogate", b"\xed\xa0\x80"), ("overlong", b"\xf0\x80\x80\xaf"), ("beyond", b"\xf4\x90\x80\x80"),
        ("mixture", MIXED[:3] + b"\xff")) for at in range(1, len(data))),
    bad("invalid-in-fragments-of-one-byte", *fragments(MIXED + b"\xed\xa0\x80", 1)),
    bad("invalid-byte-by-byte", *(bytes([byte]) for byte in frame(TEXT, b"ab\xffcd"))),
    bad("cut-short-at-the-end-of-the-last-fragment", *in_two(b"ab\xf0\x9f", 2)),
    bad("a-character-over-two-messages", frame(TEXT, b"\xc3"), frame(TEXT, b"\xa9")),
    bad("a-bad-first-fragment-and-an-empty-last-one", frame(TEXT, b"\xff", fin=False), frame(CONTINUATION)),
    bad("a-bad-byte-around-a-ping",
        frame(TEXT, b"\xed", fin=False), frame(PING, b"x"), frame(CONTINUATION, b"\xa0\x80")),
)  # fmt: skip

CASES: Final[tuple[Case, ...]] = themed("utf8", *WHOLE, *SPLIT)
