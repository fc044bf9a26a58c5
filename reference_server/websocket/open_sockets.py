"""The open connections of a process: what the hub says is gathered, and written once a turn of the loop.

A frame is made once for all who get it, and what one turn says to the same receivers is joined once for all of them:
a connection costs one system call a turn. Plain TCP is written straight to its file descriptor, since the way through
a transport takes a tenth of the speed. The transport gets what the kernel has no room for; with marks of 0 it then
reports at once that the send buffer, which is the kernel's and bounded by SO_SNDBUF, is full.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from reference_server.core.tables import refit
from reference_server.websocket.frames import ping_frame, pong_frame, text_frame

if TYPE_CHECKING:
    from reference_server.websocket.protocol import WebSocketProtocol

GATHERED_BYTES_MAX: Final = 64 * 1024
"""Over it a turn's frames are written before its end: what is joined of them stays small."""

Gathered: TypeAlias = list[tuple[bytes, Sequence[int]]]
"""Frames and who gets them, in the order in which the hub said so."""


class OpenSockets:
    """The open connections of this process, by number; implements `environment.Sockets`."""

    def __init__(self) -> None:
        self._protocols: dict[int, WebSocketProtocol] = {}
        self._descriptors: dict[int, int] = {}
        self._gathered: Gathered = []
        self._gathered_bytes = 0

    def __len__(self) -> int:
        return len(self._protocols)

    def add(self, connection: int, protocol: "WebSocketProtocol") -> None:
        """Register a connection before the driver is told of it."""
        self._protocols[connection] = protocol

    def remove(self, connection: int) -> None:
        """Forget a connection, whose file descriptor may soon be another's; nothing when it is gone."""
        self._descriptors.pop(connection, None)
        self._protocols.pop(connection, None)

    def shrink(self) -> None:
        """Keep no room for connections that are gone."""
        refit(self._protocols)
        refit(self._descriptors)

    def send_text(self, payload: bytes, receivers: Sequence[int]) -> None:
        """Write one frame, made once, to each receiver."""
        self._gather(text_frame(payload), receivers)

    def send_ping(self, receivers: Sequence[int]) -> None:
        """Write a protocol ping to each receiver."""
        self._gather(ping_frame(), receivers)

    def send_pong(self, connection: int, payload: bytes) -> None:
        """Write a protocol pong."""
        self._gather(pong_frame(payload), (connection,))

    def close(self, connection: int, code: int, reason: str) -> None:
        """Write a close frame behind what was written."""
        self.flush()
        self._descriptors.pop(connection, None)
        protocol = self._protocols.get(connection)
        if protocol is not None:
            protocol.close(code, reason)

    def abort(self, connection: int) -> None:
        """End the TCP connection at once."""
        self._descriptors.pop(connection, None)
        protocol = self._protocols.get(connection)
        if protocol is not None:
            protocol.transport.abort()

    def knows(self, connection: int) -> bool:
        """Say whether the connection is open."""
        return connection in self._protocols

    def writable(self, connection: int) -> bool:
        """Say whether the send buffer has room, once what was said so far is written."""
        self.flush()
        protocol = self._protocols.get(connection)
        return protocol is not None and not protocol.paused

    def flush(self) -> None:
        """Write what was gathered."""
        gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
        for data, receivers in _joined(gathered):
            self._write(data, receivers)

    def _gather(self, frame: bytes, receivers: Sequence[int]) -> None:
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.flush)
        self._gathered.append((frame, receivers))
        self._gathered_bytes += len(frame)
        if self._gathered_bytes > GATHERED_BYTES_MAX:
            self.flush()

    def _write(self, data: bytes, receivers: Sequence[int]) -> None:
        """Write to each in turn: the one loop of the server that runs once a delivery."""
        descriptors, write, size = self._descriptors, os.write, len(data)
        for connection in receivers:
            descriptor = descriptors.get(connection)
            if descriptor is None:
                descriptor = self._direct(connection)
                if descriptor is None:
                    self._hand_over(connection, data)
                    continue
            try:
                sent = write(descriptor, data)
            except OSError:
                # Full or gone: the transport finds out which, and tells.
                sent = 0
            if sent != size:
                descriptors.pop(connection, None)
                self._hand_over(connection, data[sent:])

    def _direct(self, connection: int) -> int | None:
        """Return the descriptor of a connection that can be written to directly from now on."""
        protocol = self._protocols.get(connection)
        descriptor = protocol.free_descriptor() if protocol is not None else None
        if descriptor is not None:
            self._descriptors[connection] = descriptor
        return descriptor

    def _hand_over(self, connection: int, data: bytes) -> None:
        """Let the transport write, as long as it holds something."""
        protocol = self._protocols.get(connection)
        if protocol is not None:
            protocol.write(data)


def _joined(gathered: Gathered) -> Iterator[tuple[bytes, Sequence[int]]]:
    """Give what goes to the same receivers in one piece, for each of them in the order in which it was said."""
    if not gathered:
        return
    _, first = gathered[0]
    if all(receivers is first for _, receivers in gathered):
        yield b"".join([frame for frame, _ in gathered]), first
        return
    frames: dict[int, list[bytes]] = {}
    for frame, receivers in gathered:
        for connection in receivers:
            frames.setdefault(connection, []).append(frame)
    for connection, own in frames.items():
        yield b"".join(own), (connection,)
