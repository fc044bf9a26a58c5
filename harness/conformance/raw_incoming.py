"""What a server sends behind its handshake: frames read by hand within bounds, and what is recorded of each.

A foreign server may send anything, for ever. What would go over a bound is never read: `OverBoundsError` says what
came, the record tells it, and who owns the connection cuts it off.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.client.rest import read_json
from harness.conformance.raw_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    CONTROL_BYTES_MAX,
    NAMES,
    PONG,
    TEXT,
    masked_with,
)
from reference_server.contract.limits import SERVER_MESSAGE_BYTES_MAX

MESSAGE_BYTES_MAX: Final = 2 * SERVER_MESSAGE_BYTES_MAX
"""Of a frame, and of a message in fragments: enough to see that a server sends more than it may."""

TEXT_TOLD_CHARS_MAX: Final = 1000
DATA: Final = (CONTINUATION, TEXT, BINARY)


class Bounds(Struct, frozen=True):
    """How much one connection may bring before it counts as a flood."""

    frames_max: int = 4096
    bytes_max: int = 32 * 1024 * 1024


class OverBoundsError(Exception):
    """A server sent more than is read; `flood` when it is not one message that is too large."""

    def __init__(self, what: str, *, flood: bool) -> None:
        super().__init__(what)
        self.flood = flood


class Frame(Struct, frozen=True):
    """A frame as it was read: its head up to its length, as it came, and its payload without a mask."""

    head: bytes
    payload: bytes

    @property
    def opcode(self) -> int:
        """What kind of frame it is (RFC 6455 §5.2)."""
        return self.head[0] & 0x0F

    @property
    def fin(self) -> bool:
        """Whether it is the last of its message."""
        return bool(self.head[0] & 0x80)


class Incoming:
    """Reads and records one connection's frames and puts messages together; `record` takes an event's kind and data.

    What a close frame means depends on what was sent: recording it is left to who asked for it.
    """

    def __init__(self, record: Callable[..., Any], bounds: Bounds) -> None:
        self.messages: list[Any] = []
        self.pongs: list[bytes] = []
        self._record = record
        self._bounds = bounds
        self._frames = 0
        self._bytes = 0
        self._first: int | None = None
        """The opcode of the message that is unfinished."""
        self._payloads: list[bytes] = []

    async def next(self, reader: asyncio.StreamReader) -> Frame:
        """Read one frame and record it; raises OverBoundsError, and what the reader raises at its end."""
        head = await reader.readexactly(2)
        form = head[1] & 0x7F
        head += await reader.readexactly({126: 2, 127: 8}.get(form, 0))
        size = int.from_bytes(head[2:]) if form > CONTROL_BYTES_MAX else form
        self._check(head, size)
        mask = await reader.readexactly(4) if head[1] & 0x80 else b""
        payload = await reader.readexactly(size)
        frame = Frame(head, masked_with(payload, mask) if mask else payload)
        self._take(frame)
        return frame

    def _check(self, head: bytes, size: int) -> None:
        opcode = head[0] & 0x0F
        held = sum(map(len, self._payloads)) if opcode == CONTINUATION else 0
        if held + size > MESSAGE_BYTES_MAX:
            self.tell(opcode, head, size, **({"message_bytes": held + size} if opcode in DATA else {}))
            told = f"{NAMES.get(opcode, opcode)} of {held + size} bytes, {MESSAGE_BYTES_MAX} are read at most"
            raise OverBoundsError(told, flood=False)
        self._frames += 1
        self._bytes += size
        if self._frames > self._bounds.frames_max or self._bytes > self._bounds.bytes_max:
            told = f"over {self._bounds.frames_max} frames or {self._bounds.bytes_max} bytes of one connection"
            raise OverBoundsError(told, flood=True)

    def _take(self, frame: Frame) -> None:
        if frame.opcode in (TEXT, BINARY):
            self._first, self._payloads = frame.opcode, []
        if frame.opcode in DATA:
            self._payloads.append(frame.payload)
        if frame.opcode in (TEXT, CONTINUATION) and frame.fin and self._first == TEXT:
            self._tell_message(b"".join(self._payloads), frame.head)
        elif frame.opcode != CLOSE:
            # What a control frame carries is judged; it has 125 bytes at most.
            shown = {"payload": frame.payload[:CONTROL_BYTES_MAX].hex()} if frame.opcode == PONG else {}
            self.tell(frame.opcode, frame.head, len(frame.payload), **shown)
            self.pongs += [frame.payload] if frame.opcode == PONG else []
        if frame.opcode in DATA and frame.fin:
            self._first, self._payloads = None, []

    def tell(self, opcode: int, head: bytes, size: int, **shown: Any) -> None:
        """Record a frame that ends no message."""
        self._record("frame", opcode=NAMES.get(opcode, str(opcode)), bytes=size, head=head.hex(), **shown)

    def _tell_message(self, text: bytes, head: bytes) -> None:
        try:
            message = read_json(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            message = None
        told = {} if message is not None else {"raw": shown_text(text), **told_of_text(text)}
        digest = hashlib.sha256(text).hexdigest()
        self._record("received", message=message, bytes=len(text), digest=digest, head=head.hex(), **told)
        self.messages.append(message)


def shown_text(text: bytes) -> str:
    """Return the beginning of what a server sent, fit for a record."""
    return text[:TEXT_TOLD_CHARS_MAX].decode("utf-8", "replace")


def told_of_text(text: bytes) -> dict[str, Any]:
    """Return what the history tells of bytes that had to be UTF-8 and are not."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return {"utf8": False}
    return {}
