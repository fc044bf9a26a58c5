"""The socket's shell: a protocol class for uvicorn's `ws=` that turns bytes into hub inputs and effects into frames.

It keeps no rule of contract §5: the hub decides. What it knows is TCP: how to refuse a handshake with a JSON answer,
when a send buffer is full, and that a connection whose close frames have crossed is to be ended.
"""

import asyncio
import base64
import hashlib
from functools import partial
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.server import ServerState

from reference_server.contract import limits
from reference_server.contract.codes import CloseCode
from reference_server.core.admission import Origins
from reference_server.core.answers import Answer, Headers
from reference_server.core.calls import Granted, Head
from reference_server.core.effects import Drained, Failed, FrameIn, Lost, Opcode, Paused
from reference_server.driver import Driver
from reference_server.http.responses import raw_response, sharing_headers
from reference_server.observing.observer import Observed, Observer
from reference_server.spare_memory import SpareMemory
from reference_server.websocket.frames import FrameReader, close_frame
from reference_server.websocket.open_sockets import OpenSockets

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FAULTS: Final = frozenset(
    {
        CloseCode.PROTOCOL_ERROR,
        CloseCode.UNSUPPORTED_DATA,
        CloseCode.INVALID_UTF8,
        CloseCode.POLICY,
        CloseCode.TOO_BIG,
    }
)
"""Codes that say what the peer did wrong."""


class WebSocketProtocol(asyncio.Protocol):
    """One connection from its upgrade on; a subclass made at start holds what all connections share."""

    driver: ClassVar[Driver]
    sockets: ClassVar[OpenSockets]
    origins: ClassVar[Origins]
    observer: ClassVar[Observer]
    memory: ClassVar[SpareMemory | None] = None
    handshake_timeout_s: ClassVar[float] = limits.HANDSHAKE_TIMEOUT_S
    send_buffer_bytes: ClassVar[int] = limits.SEND_BUFFER_BYTES

    __slots__ = (
        "_closing",
        "_deaf",
        "_early",
        "_head",
        "_number",
        "_peer_closed",
        "_reader",
        "_server_state",
        "_timeout",
        "_unread_bytes",
        "paused",
        "transport",
    )

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any]) -> None:  # noqa: ARG002
        self._server_state = server_state
        self._number: int | None = None
        self._reader: FrameReader | None = None
        self._head: Head | None = None
        self._early = b""
        self._closing = self._deaf = self._peer_closed = False
        self._unread_bytes = 0
        self._timeout: asyncio.TimerHandle | None = None
        self.paused = False
        self.transport: asyncio.Transport

    def upgrade(self, transport: asyncio.Transport, head: Head, early: bytes) -> None:
        """Take a connection over from HTTP with its request's head; `early` came behind the head."""
        self.transport = transport
        self._head = head
        self._early = early
        self._server_state.connections.add(self)  # type: ignore[arg-type]
        self.driver.handshake(head, partial(self._answered, self.observer.begin(head)))
        if self._head is not None:
            # Most are answered by now, and ten thousand timers are better not made.
            self._timeout = asyncio.get_running_loop().call_later(self.handshake_timeout_s, transport.abort)

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        """Feed frames; what comes before the handshake was answered waits, bounded by one message."""
        if self._number is None:
            self._early += data
            if len(self._early) > limits.CLIENT_MESSAGE_BYTES_MAX:
                self.transport.abort()
            return
        if self._deaf:
            self._throw_away(data)
            return
        # Made for what came, and kept only while something is begun: most connections are at rest most of the time.
        reader = self._reader = self._reader or FrameReader(self._number)
        for item in reader.feed(data):
            if not self._take(item):
                return
        if reader.at_rest:
            self._reader = None

    def _throw_away(self, data: bytes) -> None:
        """Read on so that our close frame arrives, but not for ever: a flood is left to the kernel until the abort."""
        self._unread_bytes += len(data)
        if self._unread_bytes > limits.CLIENT_MESSAGE_BYTES_MAX:
            self.transport.pause_reading()

    def eof_received(self) -> None:
        """End the connection: a peer that half-closes is gone."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Tell the driver, once."""
        self._server_state.connections.discard(self)
        self._cancel_timeout()
        if self._number is not None:
            self.sockets.remove(self._number)
            self.driver.socket(Lost(self._number))
        if self.memory is not None:
            self.memory.connection_left(len(self._server_state.connections))

    def pause_writing(self) -> None:
        """Report a full send buffer."""
        self.paused = True
        if self._number is not None:
            self.driver.socket(Paused(self._number))

    def resume_writing(self) -> None:
        """Report room in the send buffer."""
        self.paused = False
        if self._number is not None:
            self.driver.socket(Drained(self._number))

    def shutdown(self) -> None:
        """Do nothing: uvicorn calls this at its end, when the driver has closed every socket in its own way."""

    # effects

    def write(self, data: bytes) -> None:
        """Write by the transport; nothing once the end has begun."""
        if not self._closing and not self.transport.is_closing():
            self.transport.write(data)

    def free_descriptor(self) -> int | None:
        """Return the file descriptor when nothing waits before it: what is written to it the peer reads next."""
        transport = self.transport
        if self._closing or transport.is_closing() or self._is_encrypted() or transport.get_write_buffer_size():
            return None
        descriptor: int = transport.get_extra_info("socket").fileno()
        return descriptor

    def close(self, code: int, reason: str) -> None:
        """Write a close frame; end the connection if the peer's has come, half-close it if the peer broke the rules.

        Nothing that such a peer sends is looked at any more (RFC 6455 §7.1.7).
        """
        if self._closing or self.transport.is_closing():
            return
        self._closing = True
        self.transport.write(close_frame(code, reason))
        if self._peer_closed:
            self.transport.close()
        elif code in FAULTS:
            self._deaf = True
            if self.transport.can_write_eof():
                # Closing while the peer still sends would reset the connection and lose our close frame.
                self.transport.write_eof()

    def _is_encrypted(self) -> bool:
        return self.transport.get_extra_info("sslcontext") is not None

    # handshake

    def _answered(self, observed: Observed, answer: Granted | Answer) -> None:
        self._cancel_timeout()
        head, self._head = self._head, None
        if head is None or self.transport.is_closing():
            return
        self.observer.handshake(observed, answer)
        if isinstance(answer, Answer):
            shared = sharing_headers(self.origins, head)
            self.transport.write(raw_response(answer, [*shared, *observed.headers]))
            self.transport.close()
            return
        self.transport.write(_switching(head, answer.subprotocol, observed.headers))
        self._open(answer)

    def _open(self, granted: Granted) -> None:
        self._number = granted.connection
        self.sockets.add(granted.connection, self)
        self.driver.opened(granted)
        # The 101 itself, or answers that lie before it, may have filled the send buffer: nobody says so twice.
        if self.paused:
            self.driver.socket(Paused(granted.connection))
        # Plain TCP has the kernel's buffer and nothing before it; TLS is buffered by the transport. Set once the driver
        # knows the connection, since it may pause it at once.
        mark = self.send_buffer_bytes if self._is_encrypted() else 0
        self.transport.set_write_buffer_limits(high=mark, low=mark)
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def _take(self, item: FrameIn | Failed) -> bool:
        """Pass on what came; return whether more may be looked at."""
        if isinstance(item, FrameIn) and item.opcode is Opcode.CLOSE:
            self._peer_closed = True
            if self._closing:
                self.transport.close()
        self.driver.socket(item)
        return not self._deaf and not self.transport.is_closing()

    def _cancel_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None


def _switching(head: Head, subprotocol: str | None, extra: Headers) -> bytes:
    """Return the 101 (RFC 6455 §4.2.2) with `extra` headers; no extension is ever agreed on."""
    key = head.headers["sec-websocket-key"].strip().encode("ascii")
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept,
        b"Vary: Origin",
    ]
    if subprotocol is not None:
        lines.append(b"Sec-WebSocket-Protocol: " + subprotocol.encode("ascii"))
    lines += [b"%b: %b" % header for header in extra]
    return b"\r\n".join([*lines, b"", b""])
