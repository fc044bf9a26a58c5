"""The server's own frames are what RFC 6455 allows; read where frames are read by hand (`conformance/raw_socket`).

Reads `head` (hex: the frame's first bytes up to its length) of `received`, `closed` and `frame {opcode}`, and
`utf8: false` of the first two where the text or the reason was none. A fragment before a message's last is a `frame`,
as is every one of a binary message, and whatever follows the close frame. Events without a head say nothing of frames:
other clients leave it out.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from harness.checkers.sockets import Socket, Sockets
from harness.checkers.tally import Fold
from harness.history import Event

FRAME: Final = "RT-FRAME-1"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KNOWN: Final = (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG)
CONTROL_BYTES_MAX: Final = 125
EXTENDED: Final = {126: (2, CONTROL_BYTES_MAX), 127: (8, 0xFFFF)}
"""By the length's first byte: how many more it has, and the largest payload that a shorter form could tell."""

LOCAL_CODES: Final = (1004, 1005, 1006, 1015)
CODE_MIN, CODE_MAX = 1000, 4999


class Head(Struct, frozen=True):
    """What stands before a frame's payload (RFC 6455 §5.2)."""

    fin: bool
    reserved: int
    opcode: int
    masked: bool
    size: int
    shortest: bool


def head_of(event: Event) -> Head | None:
    """Return the head of the frame that an event tells of, None when it tells of none."""
    told = event.data.get("head")
    try:
        first, second, *more = bytes.fromhex(told) if isinstance(told, str) else b""
    except ValueError:
        return None
    form = second & 0x7F
    length, short_max = EXTENDED.get(form, (0, -1))
    if len(more) != length:
        return None
    size = int.from_bytes(more) if length else form
    shortest = not length or short_max < size < 1 << 63
    return Head(bool(first & 0x80), first >> 4 & 7, first & 0x0F, bool(second & 0x80), size, shortest)


class _Line(Struct):
    """What is known of one connection: whether a message is unfinished, and its close frame."""

    socket: Socket
    unfinished: bool = False
    closed: Event | None = None


class Frames(Fold):
    """Follows each connection's frames; memory is bounded by the connections."""

    name = "frames"
    clauses = (FRAME,)

    def begin(self) -> None:
        """Forget everything."""
        self._sockets = Sockets()
        self._lines: dict[int, _Line] = {}

    def take(self, event: Event) -> None:
        """Judge the frame that an event tells of."""
        socket = self._sockets.see(event)
        head = head_of(event)
        if socket is None or head is None:
            return
        line = self._lines.setdefault(id(socket), _Line(socket))
        faults = [*_form_faults(head), *_place_faults(head, line), *_payload_faults(head, event)]
        evidence = [event] if line.closed is None else [line.closed, event]
        self.tally.judge(FRAME, not faults, f"{socket.told} received a frame: {'; '.join(faults)}", *evidence)
        if not head.opcode & 8:
            line.unfinished = not head.fin
        if head.opcode == CLOSE and line.closed is None:
            line.closed = event


def _form_faults(head: Head) -> Iterator[str]:
    """What is wrong with a head by itself (RFC 6455 §5.1, §5.2, §5.5)."""
    if head.masked:
        yield "it is masked, which a server's must not be"
    if head.reserved:
        yield f"reserved bits {head.reserved:03b} are set, and no extension was agreed on"
    if head.opcode not in KNOWN:
        yield f"opcode {head.opcode:x} is reserved"
    if not head.shortest:
        yield f"a length of {head.size} is not in its shortest form"
    if head.opcode & 8 and not head.fin:
        yield "a control frame is fragmented"
    if head.opcode & 8 and head.size > CONTROL_BYTES_MAX:
        yield f"a control frame carries {head.size} bytes, expected {CONTROL_BYTES_MAX} at most"


def _place_faults(head: Head, line: _Line) -> Iterator[str]:
    """What is wrong with where it stands (RFC 6455 §5.4, §5.5.1)."""
    if line.closed is not None:
        yield "it follows the close frame"
    if head.opcode == CONTINUATION and not line.unfinished:
        yield "a continuation continues nothing"
    if head.opcode in (TEXT, BINARY) and line.unfinished:
        yield "a message begins within another"


def _payload_faults(head: Head, event: Event) -> Iterator[str]:
    """What is wrong with what it carries (RFC 6455 §5.5.1, §7.4, §8.1)."""
    if event.data.get("utf8") is False:
        yield "a close reason is no UTF-8" if head.opcode == CLOSE else "a text is no UTF-8"
    if event.kind != "closed" or head.opcode != CLOSE:
        return
    if head.size == 1:
        yield "a close frame carries one byte, expected none or a code of two"
    code = event.data.get("code")
    if head.size > 1 and not (isinstance(code, int) and CODE_MIN <= code <= CODE_MAX and code not in LOCAL_CODES):
        yield f"it closes with {code}, which nobody may send"
