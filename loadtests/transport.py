"""A WebSocket over a blocking socket and `websockets`' Sans-I/O core, which gevent turns into a cooperative one.

Nothing here knows gevent: on an unpatched socket the same class blocks its thread. The instant of a frame is taken
right after the read that brought it, before anything is decoded. HTTP is Locust's own client (geventhttpclient).
"""

import socket
import ssl
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from reference_server.contract.limits import SERVER_MESSAGE_BYTES_MAX
from reference_server.contract.messages import SOCKET_PATH, SUBPROTOCOL

READ_BYTES: Final = 64 * 1024
HANDSHAKE_S_MAX: Final = 10.0
CLOSE_S_MAX: Final = 5.0


class HandshakeError(Exception):
    """The handshake was not answered 101; `status` is 0 when no answer came."""

    def __init__(self, status: int, why: str) -> None:
        self.status = status
        self.why = why
        super().__init__(f"handshake refused with {status}: {why}; expected 101")


class LostError(Exception):
    """The connection ended; `code` is None when no close frame came."""

    def __init__(self, code: int | None, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"connection ended with {code}: {reason or 'no reason given'}")


def socket_url(target_url: str) -> str:
    """Return the URL of the socket that belongs to an API's base URL."""
    parts = urlsplit(target_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{parts.netloc}{SOCKET_PATH}"


class WebSocket:
    """One connection: `connect`, then `messages` again and again until it raises LostError, or `close`."""

    def __init__(self, url: str, token: str, ca: str = "") -> None:
        self._uri = parse_uri(url)
        self._protocol = ClientProtocol(
            self._uri, subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=2 * SERVER_MESSAGE_BYTES_MAX
        )
        self._token = token
        self._ca = ca
        self._socket: socket.socket | None = None
        self._frames: list[tuple[int, Frame]] = []
        self._text: list[bytes] = []
        self._status = 0

    def connect(self) -> None:
        """Open and shake hands; raises HandshakeError."""
        request = self._protocol.connect()
        request.headers["Authorization"] = f"Bearer {self._token}"
        self._protocol.send_request(request)
        try:
            self._socket = self._opened()
            self._flush()
            while self._protocol.state is State.CONNECTING and self._protocol.handshake_exc is None:
                self._read()
        except OSError as fault:
            self.abort()
            raise HandshakeError(0, str(fault) or type(fault).__name__) from fault
        if self._protocol.handshake_exc is not None:
            self.abort()
            raise HandshakeError(self._status, str(self._protocol.handshake_exc))

    def messages(self, wait_s: float) -> Iterator[tuple[int, bytes]]:
        """Yield (instant of the read in ns, text) of every whole message, reading once, `wait_s` at most.

        Raises LostError after the last message when the connection has ended.
        """
        if not self._frames:
            self._wait(wait_s)
        frames, self._frames = self._frames, []
        for at_ns, frame in frames:
            yield from self._message(at_ns, frame)
        if self._protocol.state is not State.OPEN:
            code = self._protocol.close_rcvd.code if self._protocol.close_rcvd else None
            raise LostError(code, self._protocol.close_reason or "")

    def send_text(self, text: bytes) -> None:
        """Send one message; raises LostError."""
        if self._protocol.state is not State.OPEN:
            raise LostError(None, "the connection is closing")
        self._protocol.send_text(text)
        try:
            self._flush()
        except OSError as fault:
            raise LostError(None, str(fault)) from fault

    def close(self) -> None:
        """Leave deliberately: close frame, a bounded wait for the server's end, then ours."""
        try:
            if self._socket is not None and self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
                self._flush()
                self._socket.settimeout(CLOSE_S_MAX)
                while not self._ended():
                    self._read()
        except OSError:
            pass  # the peer went first, or never answered: either way the connection ends here
        self.abort()

    def abort(self) -> None:
        """End the TCP connection at once."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ended(self) -> bool:
        return self._protocol.state is State.CLOSED

    def _opened(self) -> socket.socket:
        sock = socket.create_connection((self._uri.host, self._uri.port), timeout=HANDSHAKE_S_MAX)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._uri.secure:
            return sock
        context = ssl.create_default_context(cafile=self._ca or None)
        return context.wrap_socket(sock, server_hostname=self._uri.host)

    def _wait(self, wait_s: float) -> None:
        if self._socket is None:
            raise LostError(None, "not connected")
        self._socket.settimeout(wait_s)
        try:
            self._read()
        except TimeoutError:
            return
        except OSError as fault:
            raise LostError(None, str(fault)) from fault

    def _read(self) -> None:
        if self._socket is None:
            raise OSError("not connected")
        data = self._socket.recv(READ_BYTES)
        at_ns = time.monotonic_ns()
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frames.append((at_ns, event))
            elif isinstance(event, Response):
                self._status = event.status_code
        self._flush()

    def _message(self, at_ns: int, frame: Frame) -> Iterator[tuple[int, bytes]]:
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
            return
        self._text.append(bytes(frame.data))
        if frame.fin:
            whole, self._text = b"".join(self._text), []
            yield at_ns, whole

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data and self._socket is not None:
                self._socket.sendall(data)
