"""Many open sockets as streams of equal frames: what is read of each is counted by length, not looked at.

A read that is a whole number of frames is counted by a division, and that is all a frame ever costs. Only where the
length says that something else came is a stream looked at frame by frame, until it stands between two frames again: so
pings are answered, and a frame cut in two by TCP is counted when its end comes. The first few streams are looked at in
any case, for the numbers that their messages carry.
"""

import contextlib
import errno
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from harness.bench.numbering import number_of, numbers_fault
from harness.bench.upgrades import opened
from harness.conformance.raw_frames import PONG, frame

OPEN_S_MAX: Final = 10.0
SWEEP_READS: Final = 32
"""How many streams are read before the publisher is looked at again."""
READ_FRAMES_MAX: Final = 400
IN_FULL: Final = 10
"""How many streams are read frame by frame: of a thousand, a hundredth of the work that is saved."""
_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_PING: Final = 0x89
_RESET: Final = struct.pack("ii", 1, 0)


class Piece(NamedTuple):
    """One whole frame of a server: its first byte, its payload, and where it ends."""

    first: int
    payload: bytes
    end: int


def pieces(read: bytes) -> Iterator[Piece]:
    """Give each whole unmasked frame at the beginning of `read` (RFC 6455 §5.2)."""
    start = 0
    while len(read) >= start + 2:
        length, at = read[start + 1], start + 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(read) < at + size:
                return
            length, at = int.from_bytes(read[at : at + size], "big"), at + size
        if len(read) < at + length:
            return
        yield Piece(read[start], read[at : at + length], at + length)
        start = at + length


class Streams:
    """Open sockets of one server; `frame_bytes` is the length of every frame that is waited for, head included."""

    def __init__(self, host: str, port: int, frame_bytes: int) -> None:
        self._address = (host, port)
        self._frame_bytes = frame_bytes
        self._buffer = bytearray(frame_bytes * READ_FRAMES_MAX)
        self._sockets: list[socket.socket] = []
        self._reads: list[Callable[[bytearray], int]] = []
        self._frames: list[int] = []
        self._cut: dict[int, bytes] = {}
        self._lost: set[int] = set()
        self._numbers: list[list[int]] = []
        self.bytes_read = 0
        self.pings = 0
        self.strange = ""

    def __len__(self) -> int:
        return len(self._sockets)

    def open(self, upgrades: Sequence[bytes], welcomes: int) -> None:
        """Open one more stream for each handshake, its welcomes read; raises RuntimeError, OSError or TimeoutError."""
        for upgrade in upgrades:
            stream = socket.create_connection(self._address, timeout=OPEN_S_MAX)
            self._sockets.append(stream)
            self._reads.append(stream.recv_into)
            self._frames.append(0)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream.sendall(upgrade)
            rest = _welcomed(stream, welcomes)
            stream.setblocking(False)
            if rest:
                self._look(len(self._sockets) - 1, rest)

    def leave(self) -> None:
        """Reset every stream, so that no port waits for its neighbour's last packet."""
        for stream in self._sockets:
            with contextlib.suppress(OSError):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            stream.close()
        for kept in (self._sockets, self._reads, self._frames, self._numbers):
            kept.clear()
        self._cut.clear()
        self._lost.clear()

    def begin(self) -> None:
        """Count from nothing."""
        self.bytes_read = 0
        self._frames = [0] * len(self._sockets)
        self._numbers = [[] for _ in self._sockets[:IN_FULL]]

    def sweep(self, between: Callable[[], None]) -> None:
        """Read once of every stream; call `between` every few of them, so that who publishes need not wait."""
        buffer, size, cut, frames = self._buffer, self._frame_bytes, self._cut, self._frames
        total = 0
        for number, read in enumerate(self._reads):
            if not number % SWEEP_READS:
                between()
            try:
                count = read(buffer)
            except OSError as fault:
                self._missed(number, fault)
                continue
            total += count
            if count % size or not count or number < IN_FULL or number in cut:
                self._look(number, bytes(memoryview(buffer)[:count]))
            else:
                frames[number] += count // size
        self.bytes_read += total

    @property
    def in_full(self) -> int:
        """How many streams are read frame by frame."""
        return min(IN_FULL, len(self))

    def fault(self, expected: Sequence[int], numbers: Sequence[range] = ()) -> str:
        """Say what is wrong with what was counted, nothing when each stream brought exactly its number of frames.

        Those that are read in full are held to the `numbers` that their messages must carry, where they carry any.
        """
        pairs = zip(self._frames, expected, strict=True)
        wrong = [(count, sent) for count, sent in pairs if count != sent]
        if self._lost:
            return f"{len(self._lost)} of {len(self)} connections were lost"
        if self.strange:
            return self.strange
        if wrong:
            counts, sent = zip(*wrong, strict=True)
            got, meant = (f"{min(each)} to {max(each)}" for each in (counts, sent))
            return f"{len(wrong)} of {len(self)} connections read {got} frames where {meant} were sent"
        if self._cut:
            return f"{len(self._cut)} of {len(self)} connections ended within a frame"
        return numbers_fault(self._numbers, numbers) if numbers else ""

    def _missed(self, number: int, fault: OSError) -> None:
        if fault.errno not in (errno.EAGAIN, errno.EWOULDBLOCK):
            self._lost.add(number)

    def _look(self, number: int, data: bytes) -> None:
        if not data:
            self._lost.add(number)
            return
        read = self._cut.pop(number, b"") + data
        end = 0
        for piece in pieces(read):
            self._take(number, piece, piece.end - end)
            end = piece.end
        if end < len(read):
            self._cut[number] = read[end:]

    def _take(self, number: int, piece: Piece, size: int) -> None:
        if piece.first == _PING:
            self.bytes_read -= size
            self.pings += 1
            with contextlib.suppress(OSError):
                self._sockets[number].send(frame(PONG, piece.payload))
        elif piece.first == _TEXT and size == self._frame_bytes:
            self._frames[number] += 1
            if number < len(self._numbers):
                self._numbers[number].append(number_of(piece.payload))
        elif piece.first == _CLOSE:
            self._lost.add(number)
        else:
            self.strange = f"a frame of {size} bytes (first byte {piece.first:#x}) came instead of {self._frame_bytes}"


def _welcomed(stream: socket.socket, welcomes: int) -> bytes:
    """Read the 101 and the welcomes; return what stands behind them."""
    deadline = time.monotonic() + OPEN_S_MAX
    read, behind = b"", None
    while time.monotonic() < deadline:
        data = stream.recv(65536)
        if not data:
            raise RuntimeError("the server ended a connection during its handshake")
        read += data
        behind = opened(read) if behind is None else behind + data
        if behind is not None:
            ends = [0, *(piece.end for piece in pieces(behind) if piece.first == _TEXT)]
            if len(ends) > welcomes:
                return behind[ends[welcomes] :]
    raise TimeoutError(f"no welcome within {OPEN_S_MAX:.0f} s")
