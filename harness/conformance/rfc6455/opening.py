"""The opening handshake (RFC 6455 §4.2): what must be accepted in any form, what must not, and what is agreed on."""

import base64
from typing import Final

from harness.conformance.raw_frames import TEXT, frame
from harness.conformance.rfc6455.model import ASK, PROBE, Case, Opening, of_ours, opens, refused, themed
from reference_server.contract.messages import SOCKET_VERSION, SUBPROTOCOL

KEY, VERSION, HOST = "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Host"
KNOWN: Final = SUBPROTOCOL
"""The one that a server of the contract selects."""

EXTENSIONS: Final = "Sec-WebSocket-Extensions"
SAMPLE_KEY: Final = "dGhlIHNhbXBsZSBub25jZQ=="
"""The RFC's own example, §1.3; and below that of §4.1, whose last bits a strict decoder would refuse."""

LOOSE_KEY: Final = "AQIDBAUGBwgJCgsMDQ4PEC=="
HALF_CUT: Final = 90


def changed(**values: str | tuple[str, ...] | None) -> Opening:
    """Return an opening with headers changed: a value, several lines, or None for no line."""
    lines: dict[str, tuple[str, ...]] = {}
    for name, value in values.items():
        lines[name.replace("_", "-")] = () if value is None else (value,) if isinstance(value, str) else value
    return Opening(changed=lines)


def keyed(*keys: str) -> Opening:
    """Return an opening with these lines of keys."""
    return Opening(changed={KEY: keys})


def versioned(*versions: str) -> Opening:
    """Return an opening with these lines of versions."""
    return Opening(changed={VERSION: versions})


def of_bytes(size: int) -> str:
    """Return so many bytes as a key has them."""
    return base64.b64encode(bytes(range(size))).decode()


FORMS: Final = (
    opens("the-usual-form", Opening()),
    opens("names-in-upper-case", Opening(style="upper")),
    opens("names-in-lower-case", Opening(style="lower")),
    opens("headers-in-another-order", Opening(backwards=True)),
    *(opens(f"upgrade-{value}", changed(Upgrade=value)) for value in ("WebSocket", "WEBSOCKET")),
    opens("upgrade-behind-another-protocol", changed(Upgrade="h2c, websocket")),
    opens("upgrade-before-another-protocol", changed(Upgrade="websocket, h2c")),
    *(opens(f"connection-{value}", changed(Connection=value)) for value in ("upgrade", "UPGRADE")),
    opens("connection-behind-keep-alive", changed(Connection="keep-alive, Upgrade")),
    opens("connection-before-keep-alive", changed(Connection="Upgrade, keep-alive")),
    opens("connection-in-a-list-without-blanks", changed(Connection="keep-alive,Upgrade")),
    opens("connection-in-a-list-with-empty-members", changed(Connection=", Upgrade ,")),
    opens("connection-in-two-lines", changed(Connection=("keep-alive", "Upgrade"))),
    opens("blanks-around-values", changed(Upgrade="  websocket  ", Connection="\tUpgrade\t")),
    opens("blanks-around-the-version", versioned(f"  {SOCKET_VERSION} ")),
    opens("blanks-around-the-key", keyed(f"  {SAMPLE_KEY}  ")),
    opens("the-key-of-the-rfc", keyed(SAMPLE_KEY)),
    opens("the-key-with-loose-bits-of-the-rfc", keyed(LOOSE_KEY)),
    opens("a-key-of-zeros", keyed("A" * 22 + "==")),
    opens("a-key-with-plus-and-slash", keyed("+/" * 11 + "==")),
    opens("headers-that-nobody-knows", changed(X_Unknown="1", DNT="1", Pragma="no-cache")),
    opens("twenty-headers-that-nobody-knows", Opening(changed={f"X-Unknown-{n}": ("x" * 50,) for n in range(20)})),
    opens("a-query", Opening(query="x=1&y=%20")),
    opens("an-absolute-target", Opening(absolute=True)),
    opens("a-content-length-of-0", changed(Content_Length="0")),
    opens("byte-by-byte", Opening(cut=1)),
    opens("in-pieces-of-17-bytes", Opening(cut=17)),
    opens("in-two-pieces", Opening(cut=HALF_CUT)),
)
# A client must wait for the answer before it sends more (§4.1), so a server may drop what comes too early.
COALESCED: Final = of_ours(
    opens("a-frame-in-one-segment-with-the-handshake", Opening(behind=PROBE), b""),
    opens("a-frame-cut-behind-the-handshake", Opening(behind=PROBE[:7]), PROBE[7:]),
    opens("a-byte-of-a-frame-behind-the-handshake", Opening(behind=PROBE[:1]), PROBE[1:]),
    opens("two-frames-in-one-segment-with-the-handshake", Opening(behind=frame(TEXT, ASK) + PROBE), b""),
)
AGREED: Final = (
    *(opens(f"extension-{name}", Opening(changed={EXTENSIONS: lines}), clause="RT-UPGRADE-2") for name, lines in (
        ("deflate", ("permessage-deflate",)),
        ("deflate-with-parameters",
         ("permessage-deflate; client_max_window_bits; server_max_window_bits=10; server_no_context_takeover",)),
        ("old-deflate", ("x-webkit-deflate-frame",)),
        ("unknown", ("zsh-unknown; a=1; b=\"two\"",)),
        ("several", ("permessage-deflate, zsh-unknown, permessage-bzip2",)),
        ("in-two-lines", ("permessage-deflate", "zsh-unknown")),
    )),
    *(opens(f"subprotocol-{name}", Opening(offers=offers), clause="RT-UPGRADE-2", subprotocol=selected)
      for name, offers, selected in (
        ("none", (), ""), ("known", (KNOWN,), KNOWN), ("unknown", ("chat",), ""), ("two-unknown", ("chat, soap",), ""),
        ("known-first", (f"{KNOWN}, chat",), KNOWN), ("known-last", (f"chat, {KNOWN}",), KNOWN),
        ("known-between", (f"chat, {KNOWN}, soap",), KNOWN), ("without-blanks", (f"chat,{KNOWN}",), KNOWN),
        ("with-many-blanks", (f"chat ,\t{KNOWN}  ",), KNOWN), ("in-two-lines", ("chat", KNOWN), KNOWN),
        ("in-another-case", (KNOWN.upper(),), ""), ("a-part-of-it", (KNOWN[:-1],), ""),
        ("more-than-it", (KNOWN + "1",), ""))),
)  # fmt: skip
NO_UPGRADE: Final = (
    refused("no-upgrade", changed(Upgrade=None), 400),
    refused("an-empty-upgrade", changed(Upgrade=""), 400),
    *(refused(f"upgrade-{value}", changed(Upgrade=value), 400) for value in ("h2c", "websockets", "web", "13")),
    refused("no-connection", changed(Connection=None), 400),
    *(refused(f"connection-{value or 'empty'}", changed(Connection=value), 400)
      for value in ("", "keep-alive", "close", "Upgraded", "websocket")),
    refused("nothing-of-an-upgrade", Opening(changed=dict.fromkeys(("Upgrade", "Connection", KEY, VERSION), ())), 400),
    refused("http-1.0", Opening(http="HTTP/1.0"), 400, 426, 505),
    *(refused(f"method-{method}", Opening(method=method), 400, 405) for method in ("POST", "PUT", "DELETE")),
    refused("no-host", Opening(changed={HOST: ()}), 400),
    refused("two-hosts", Opening(changed={HOST: ("a.example", "b.example")}), 400),
)  # fmt: skip
KEYS: Final = (
    refused("no-key", keyed(), 400),
    refused("an-empty-key", keyed(""), 400),
    *(refused(f"a-key-of-{size}-bytes", keyed(of_bytes(size)), 400) for size in (1, 8, 15, 17, 32)),
    refused("a-key-that-is-no-base64", keyed("!" * 24), 400),
    refused("a-key-without-padding", keyed(SAMPLE_KEY.rstrip("=")), 400),
    refused("a-key-with-a-blank-within", keyed(SAMPLE_KEY[:8] + " " + SAMPLE_KEY[8:]), 400),
    refused("two-keys", keyed(SAMPLE_KEY, LOOSE_KEY), 400),
    refused("the-same-key-twice", keyed(SAMPLE_KEY, SAMPLE_KEY), 400),
)
VERSIONS: Final = (
    refused("no-version", versioned(), 400, 426),
    refused("an-empty-version", versioned(""), 400, 426),
    *(refused(f"version-{version}", versioned(version), 426, header={VERSION: SOCKET_VERSION})
      for version in ("0", "7", "8", "12", "14", "130", "255")),
    *(refused(f"version-{name}", versioned(*lines), 400, 426) for name, lines in (
        ("of-letters", ("thirteen",)), ("negative", ("-13",)), ("hexadecimal", ("0x0d",)),
        ("in-a-list", ("13, 8",)), ("in-two-lines", ("8", SOCKET_VERSION)))),
)  # fmt: skip
BODIES: Final = (
    # What a body of a GET means is not defined (RFC 9110 §9.3.1): a server may take it or not.
    *of_ours(
        refused("a-body", Opening(changed={"Content-Length": ("5",)}, behind=b"hello"), 400, 413),
        refused(
            "a-body-in-chunks", Opening(changed={"Transfer-Encoding": ("chunked",)}, behind=b"0\r\n\r\n"), 400, 413
        ),
    ),
    refused("a-content-length-that-is-no-number", changed(Content_Length="x"), 400),
    refused("two-content-lengths", changed(Content_Length=("0", "5")), 400),
    refused("a-folded-header", changed(Upgrade="web\r\n socket"), 400),
    refused("a-blank-behind-a-name", Opening(changed={"X-Name ": ("x",)}), 400),
    # Rejected in any way (RFC 9110 §5.5), or with it a head without end: who hangs up (0) is right too.
    refused("a-nul-in-a-value", changed(X_Name="a\x00b"), 400, 0),
    refused("a-head-of-200-kib", changed(X_Name="x" * 200_000), 400, 413, 431, 0),
)

CASES: Final[tuple[Case, ...]] = themed("opening", *FORMS, *COALESCED, *AGREED, *NO_UPGRADE, *KEYS, *VERSIONS, *BODIES)
