"""Bytes from a peer to frames: the common one by its bytes, any other with `websockets` parsing (RFC 6455 §5).

`FrameReader` keeps nothing between frames: what came whole and is short is read where it lies, and only what is cut,
fragmented, long or wrong makes a parser, until nothing is begun any more. The library leaves out what the contract
asks: lengths must be in shortest form, and a control frame is refused by its head, before its payload is read.
"""

from collections.abc import Generator, Iterator
from typing import Final

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Close, Frame
from websockets.frames import Opcode as Code
from websockets.streams import StreamReader

from reference_server.contract import limits
from reference_server.contract.codes import CloseCode
from reference_server.core.effects import Failed, FrameIn, Opcode

_SHORT_BYTES_MAX: Final = 125
"""What a length of seven bits can say; a control frame has no more (RFC 6455 §5.5)."""
_MASKED: Final = 0x80
_HEAD_BYTES: Final = 6
"""Of a masked frame with a length of seven bits."""
_CONTROL: Final = {Code.PING: Opcode.PING, Code.PONG: Opcode.PONG, Code.CLOSE: Opcode.CLOSE}
_DATA: Final = {Code.TEXT: Opcode.TEXT, Code.BINARY: Opcode.BINARY}
_COMMON: Final = {0x80 | Code.TEXT: Opcode.TEXT, 0x80 | Code.PING: Opcode.PING, 0x80 | Code.PONG: Opcode.PONG}
"""By first byte: final, no reserved bit, nothing that ends the connection."""


def text_frame(payload: bytes) -> bytes:
    """Return an unmasked text frame; made once for all receivers."""
    return Frame(Code.TEXT, payload).serialize(mask=False)


def ping_frame() -> bytes:
    """Return an unmasked ping without payload."""
    return Frame(Code.PING, b"").serialize(mask=False)


def pong_frame(payload: bytes) -> bytes:
    """Return an unmasked pong."""
    return Frame(Code.PONG, payload).serialize(mask=False)


def close_frame(code: int, reason: str) -> bytes:
    """Return an unmasked close frame."""
    return Frame(Code.CLOSE, Close(code, reason).serialize()).serialize(mask=False)


class FrameReader:
    """One peer's bytes; after a failure or a close frame everything else is thrown away."""

    __slots__ = ("_connection", "_parser")

    def __init__(self, connection: int) -> None:
        self._connection = connection
        self._parser: FrameParser | None = None

    @property
    def at_rest(self) -> bool:
        """Whether no frame and no message is begun and the connection goes on: then nothing is kept for it."""
        return self._parser is None

    def feed(self, data: bytes) -> Iterator[FrameIn | Failed]:
        """Take bytes as they came; give what is complete, each when it is asked for.

        Lazily, since one read may hold forty thousand frames, and the hub ends the connection after a hundred.
        """
        start = 0
        while self._parser is None and start < len(data):
            frame = self._common(data, start)
            if frame is None:
                self._parser = FrameParser(self._connection)
            else:
                start += _HEAD_BYTES + len(frame.payload)
                yield frame
        if self._parser is not None:
            yield from self._parser.feed(data[start:])
            if self._parser.at_rest:
                self._parser = None

    def _common(self, data: bytes, start: int) -> FrameIn | None:
        """Return the frame that begins there if it is of the common kind and whole, else None."""
        if len(data) - start < _HEAD_BYTES:
            return None
        opcode, size = _COMMON.get(data[start]), data[start + 1] - _MASKED
        end = start + _HEAD_BYTES + size
        if opcode is None or not 0 <= size <= _SHORT_BYTES_MAX or end > len(data):
            return None
        payload = _unmasked(data[start + _HEAD_BYTES : end], data[start + 2 : start + _HEAD_BYTES])
        if opcode is Opcode.TEXT and not payload.isascii() and not _is_utf8(payload):
            return None
        return FrameIn(self._connection, opcode, payload)


def _unmasked(payload: bytes, key: bytes) -> bytes:
    """RFC 6455 §5.3, for the short payloads of the common kind."""
    keys = (key * (_SHORT_BYTES_MAX // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(keys, "big")).to_bytes(len(payload), "big")


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class FrameParser:
    """One peer's bytes, whatever they are."""

    __slots__ = ("_connection", "_head", "_kind", "_parts", "_reader", "_size", "_step", "_steps")

    def __init__(self, connection: int) -> None:
        self._connection = connection
        self._reader = StreamReader()
        self._parts: list[bytes] = []
        self._size = 0
        self._kind: Code | None = None
        self._head = b""
        self._step = 0
        self._steps: Generator[None, None, Frame] | None = self._next()

    @property
    def at_rest(self) -> bool:
        """Whether nothing is begun: no frame, no message, and the connection goes on."""
        return self._steps is not None and self._kind is None and self._step == 0 and not self._reader.buffer

    def feed(self, data: bytes) -> Iterator[FrameIn | Failed]:
        """Take bytes as they came; give what is complete, each when it is asked for."""
        if self._steps is None:
            return
        self._reader.feed_data(data)
        while self._steps is not None:
            try:
                next(self._steps)
                return
            except StopIteration as complete:
                yield self._taken(complete.value)
            except ProtocolError as fault:
                yield self._fail(CloseCode.PROTOCOL_ERROR, str(fault))
            except PayloadTooBig:
                yield self._fail(CloseCode.TOO_BIG, "message over 64 KiB")

    def _taken(self, frame: Frame) -> FrameIn | Failed:
        try:
            taken = self._input(frame)
        except ProtocolError as fault:
            return self._fail(CloseCode.PROTOCOL_ERROR, str(fault))
        except UnicodeDecodeError:
            return self._fail(CloseCode.INVALID_UTF8, "text is no UTF-8")
        # Nothing after a close frame is looked at (RFC 6455 §5.5.1).
        self._steps = None if taken.opcode is Opcode.CLOSE else self._next()
        return taken

    def _input(self, frame: Frame) -> FrameIn:
        control = _CONTROL.get(frame.opcode)
        if control is None:
            return self._data(frame)
        if control is Opcode.CLOSE:
            Close.parse(bytes(frame.data))
        return FrameIn(self._connection, control, bytes(frame.data))

    def _data(self, frame: Frame) -> FrameIn:
        if (frame.opcode is Code.CONT) != (self._kind is not None):
            raise ProtocolError("a message was interleaved with another, or continued without a beginning")
        if self._kind is None:
            self._kind = frame.opcode
        self._parts.append(bytes(frame.data))
        self._size += len(frame.data)
        if not frame.fin:
            return FrameIn(self._connection, Opcode.FRAGMENT)
        payload, kind = b"".join(self._parts), _DATA[self._kind]
        self._parts, self._size, self._kind = [], 0, None
        if kind is Opcode.TEXT:
            payload.decode("utf-8")
        return FrameIn(self._connection, kind, payload)

    def _fail(self, code: CloseCode, reason: str) -> Failed:
        self._steps = None
        self._parts = []
        # A close reason has at most 123 bytes.
        return Failed(self._connection, code, reason[:100])

    def _next(self) -> Generator[None, None, Frame]:
        self._step = 0
        return Frame.parse(self._read_exact, mask=True, max_size=limits.CLIENT_MESSAGE_BYTES_MAX - self._size)

    def _read_exact(self, size: int) -> Generator[None, None, bytes]:
        data = bytes((yield from self._reader.read_exact(size)))
        if self._step == 0:
            self._head = data
            _check_head(data)
        elif self._step == 1 and self._head[1] & 0x7F >= 126:
            _check_shortest(data)
        self._step += 1
        return data


def _check_head(head: bytes) -> None:
    if head[0] & 0x70:
        raise ProtocolError("reserved bits must be 0")
    if head[0] & 0x08 and head[1] & 0x7F > _SHORT_BYTES_MAX:
        raise ProtocolError("control frame too long")
    if head[0] & 0x08 and not head[0] & 0x80:
        raise ProtocolError("fragmented control frame")


def _check_shortest(length: bytes) -> None:
    """RFC 6455 §5.2: the minimal number of bytes must be used, and the most significant bit be 0."""
    value = int.from_bytes(length, "big")
    least = _SHORT_BYTES_MAX + 1 if len(length) == 2 else 1 << 16
    if value < least or value >> 63:
        raise ProtocolError("length is not in its shortest form")
