"""The open connections of a process: what the hub says is gathered, and written once a turn of the loop.

A frame is made once for all who get it, and what one turn says to the same receivers is joined once for all of them:
a connection costs one system call a turn, or a few where much is said. Plain TCP is written straight to its file
descriptor, since the way through a transport takes a tenth of the speed. The transport gets what the kernel has no room
for; with marks of 0 it then reports at once that the send buffer, which is the kernel's and bounded by SO_SNDBUF, is
full.
"""

import asyncio
import os
from collections.abc import Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Final

from reference_server.contract import limits
from reference_server.core.tables import refit
from reference_server.websocket.frames import ping_frame, pong_frame, text_frame
from reference_server.websocket.joining import Gathered, joined

if TYPE_CHECKING:
    from reference_server.websocket.protocol import WebSocketProtocol

SMALL: Final = limits.SOCKETS_PER_ACCOUNT_MAX
"""Receivers of what is for one account; an audience of more, everyone or those to be pinged, is a large one."""
GATHERED_BYTES_MAX: Final = 64 * 1024
"""Over it a turn's frames are written before its end: what is joined of them stays small."""


class OpenSockets:
    """The open connections of this process, by number; implements `environment.Sockets`."""

    def __init__(self) -> None:
        self._protocols: dict[int, WebSocketProtocol] = {}
        self._descriptors: dict[int, int] = {}
        self._known_receivers: Sequence[int] | None = None
        self._known_descriptors: list[int] = []
        self._gathered: Gathered = []
        self._gathered_bytes = 0
        self._gathered_large: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self._protocols)

    def add(self, connection: int, protocol: "WebSocketProtocol") -> None:
        """Register a connection before the driver is told of it."""
        self._protocols[connection] = protocol

    def remove(self, connection: int) -> None:
        """Forget a connection, whose file descriptor may soon be another's; nothing when it is gone."""
        self._forget_descriptor(connection)
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
        self._forget_descriptor(connection)
        protocol = self._protocols.get(connection)
        if protocol is not None:
            protocol.close(code, reason)

    def abort(self, connection: int) -> None:
        """End the TCP connection at once."""
        self._forget_descriptor(connection)
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
        gathered, self._gathered, self._gathered_bytes, self._gathered_large = self._gathered, [], 0, None
        for data, receivers in joined(gathered):
            self._write(data, receivers)

    def _gather(self, frame: bytes, receivers: Sequence[int]) -> None:
        if len(receivers) > SMALL:
            if self._gathered_large is not None and self._gathered_large is not receivers:
                # Two of these share most of their members: a piece for each would cost more than a second write.
                self.flush()
            self._gathered_large = receivers
        if not self._gathered:
            asyncio.get_running_loop().call_soon(self.flush)
        self._gathered.append((frame, receivers))
        self._gathered_bytes += len(frame)
        if self._gathered_bytes > GATHERED_BYTES_MAX:
            self.flush()

    def _write(self, data: bytes, receivers: Sequence[int]) -> None:
        """Write to each in turn, directly where all can be written to so."""
        descriptors = self._descriptors_of(receivers)
        if descriptors is None:
            self._write_singly(data, receivers)
            return
        sent = _written(descriptors, data)
        if sent.count(len(data)) < len(sent):
            for connection, size in zip(receivers, sent, strict=True):
                if size < len(data):
                    self._hand_over(connection, data[size:])

    def _write_singly(self, data: bytes, receivers: Sequence[int]) -> None:
        """Write where some have to be written to by their transports, or were never written to."""
        for connection in receivers:
            if self._has_descriptor(connection):
                self._write(data, (connection,))
            else:
                self._hand_over(connection, data)

    def _descriptors_of(self, receivers: Sequence[int]) -> list[int] | None:
        """Return the receivers' descriptors in their order if all have one; those of a large audience are kept."""
        if receivers is self._known_receivers:
            return self._known_descriptors
        descriptors = [one for one in map(self._descriptors.get, receivers) if one is not None]
        if len(descriptors) < len(receivers):
            return None
        if len(receivers) > SMALL and isinstance(receivers, tuple):
            self._known_receivers, self._known_descriptors = receivers, descriptors
        return descriptors

    def _has_descriptor(self, connection: int) -> bool:
        """Say whether a connection can be written to directly, from now on if it was not yet."""
        if connection in self._descriptors:
            return True
        protocol = self._protocols.get(connection)
        descriptor = protocol.free_descriptor() if protocol is not None else None
        if descriptor is None:
            return False
        self._descriptors[connection] = descriptor
        return True

    def _forget_descriptor(self, connection: int) -> None:
        if self._descriptors.pop(connection, None) is not None:
            self._known_receivers, self._known_descriptors = None, []

    def _hand_over(self, connection: int, data: bytes) -> None:
        """Let the transport write, as long as it holds something."""
        self._forget_descriptor(connection)
        protocol = self._protocols.get(connection)
        if protocol is not None:
            protocol.write(data)


def _written(descriptors: Sequence[int], data: bytes) -> list[int]:
    """Write to each; return how much of it each took: the one loop of the server that runs once a delivery."""
    sent: list[int] = []
    writes = map(os.write, descriptors, repeat(data))
    while len(sent) < len(descriptors):
        try:
            sent.extend(writes)
        except OSError:
            # Full or gone: the transport finds out which, and tells. What was written before it is in the list.
            sent.append(0)
    return sent
