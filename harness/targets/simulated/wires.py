"""The two ends of a simulated connection: what the server's shell does with bytes, and what a client's does.

Handshake and frames cross the link as the bytes they are on a real one; the server's end parses them with the
server's own parser.
"""

import base64
import random
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from harness.client.driver import ABNORMAL, LEAVE_WITHIN_S, By, SocketEvents
from harness.simulation import frames
from harness.simulation.network import Link
from harness.simulation.scheduler import NS_PER_S, Scheduler, Timer
from reference_server.contract.messages import SOCKET_PATH
from reference_server.core.answers import Answer
from reference_server.core.calls import Granted
from reference_server.core.effects import Drained, Failed, FrameIn, Lost, Opcode, Paused
from reference_server.driver import Driver
from reference_server.http.responses import head_of, raw_response
from reference_server.websocket.frames import FrameReader, close_frame, ping_frame, pong_frame, text_frame

HEAD_END: Final = b"\r\n\r\n"
SWITCHING: Final = 101


class ServerSockets:
    """The open connections of a simulated process, by number (`reference_server.environment.Sockets`)."""

    def __init__(self) -> None:
        self.wires: dict[int, ServerWire] = {}

    def send_text(self, payload: bytes, receivers: Sequence[int]) -> None:
        """Write one frame, made once, to each receiver."""
        self._write(text_frame(payload), receivers)

    def send_ping(self, receivers: Sequence[int]) -> None:
        """Write a protocol ping to each receiver."""
        self._write(ping_frame(), receivers)

    def send_pong(self, connection: int, payload: bytes) -> None:
        """Write a protocol pong."""
        self._write(pong_frame(payload), (connection,))

    def close(self, connection: int, code: int, reason: str) -> None:
        """Write a close frame behind what was written."""
        if connection in self.wires:
            self.wires[connection].close(code, reason)

    def abort(self, connection: int) -> None:
        """End the connection at once."""
        if connection in self.wires:
            self.wires[connection].link.cut(self.wires[connection])

    def writable(self, connection: int) -> bool:
        """Say whether the send buffer has room."""
        return connection in self.wires and not self.wires[connection].paused

    def _write(self, frame: bytes, receivers: Sequence[int]) -> None:
        for connection in receivers:
            if connection in self.wires:
                self.wires[connection].write(frame)


class ServerWire:
    """The server's end of one connection, from its handshake on."""

    link: Link

    def __init__(self, scheduler: Scheduler, driver: Driver, sockets: ServerSockets, address: str) -> None:
        self._scheduler = scheduler
        self._driver = driver
        self._sockets = sockets
        self._address = address
        self._head = b""
        self._asked = False
        self._ended = False
        self._number: int | None = None
        self._reader: FrameReader | None = None
        self._closing = self._peer_closed = False
        self.paused = False

    def bytes_came(self, data: bytes) -> None:
        """Take the handshake first, frames from then on."""
        if self._reader is not None:
            for item in self._reader.feed(data):
                self._take(item)
            return
        self._head += data
        if not self._asked and HEAD_END in self._head:
            self._asked = True
            method, path, headers = _request(self._head)
            head = head_of(method, path, b"", headers, self._address)
            self._driver.handshake(head, self._answered)

    def link_ended(self) -> None:
        """Tell the driver, once."""
        self._ended = True
        if self._number is not None and self._sockets.wires.pop(self._number, None) is not None:
            self._driver.socket(Lost(self._number))

    def link_drained(self) -> None:
        """Report room in the send buffer."""
        self.paused = False
        if self._number is not None:
            self._driver.socket(Drained(self._number))

    def write(self, frame: bytes) -> None:
        """Send bytes and report when that filled the buffer."""
        self.link.send(self, frame)
        if not self.paused and not self.link.writable(self) and self._number is not None:
            self.paused = True
            self._driver.socket(Paused(self._number))

    def close(self, code: int, reason: str) -> None:
        """Write a close frame; end the connection when the peer's has come."""
        if not self._closing:
            self._closing = True
            self.write(close_frame(code, reason))
            if self._peer_closed:
                self._end()

    def _answered(self, answer: Granted | Answer) -> None:
        if self._ended:
            return
        if isinstance(answer, Answer):
            self.link.send(self, raw_response(answer, []))
            self.link.close(self)
            return
        self.link.send(self, _switching(answer.subprotocol))
        self._number = answer.connection
        self._reader = FrameReader(answer.connection)
        self._sockets.wires[answer.connection] = self
        self._driver.opened(answer)

    def _take(self, item: FrameIn | Failed) -> None:
        if isinstance(item, FrameIn) and item.opcode is Opcode.CLOSE:
            self._peer_closed = True
            if self._closing:
                self._end()
        self._driver.socket(item)

    def _end(self) -> None:
        self.link.close(self)
        # As with a transport, the loss is told after what runs now.
        self._scheduler.call_soon(self.link_ended)


class ClientWire:
    """A client's end of one connection (`harness.client.driver.ClientSocket`); answers pings and closes by itself."""

    link: Link

    def __init__(self, scheduler: Scheduler, chance: random.Random, events: SocketEvents) -> None:
        self._scheduler = scheduler
        self._chance = chance
        self._events = events
        self._answer = b""
        self._reader: frames.Reader | None = None
        self._over = False
        self._by: By = "peer"
        self._told: tuple[int, str] | None = None
        self._close_sent = False
        self._timer: Timer | None = None

    def connect(self, link: Link, subprotocols: Sequence[str]) -> None:
        """Send the handshake (RFC 6455 §4.1)."""
        self.link = link
        key = base64.b64encode(self._chance.randbytes(16)).decode()
        lines = [
            f"GET {SOCKET_PATH} HTTP/1.1",
            "Host: simulated",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Protocol: {', '.join(subprotocols)}",
        ]
        link.send(self, "\r\n".join([*lines, "", ""]).encode())

    def send_text(self, text: str) -> None:
        """Write one masked text frame."""
        self._send(frames.TEXT, text.encode())

    def close(self, code: int) -> None:
        """Start the close handshake; before the connection is open, lose it, as a browser does."""
        if self._reader is None:
            self.abort()
            return
        self._by = "self"
        self._say_close(code)

    def abort(self) -> None:
        """Lose the link."""
        self._by = "self"
        self.link.cut(self)

    def bytes_came(self, data: bytes) -> None:
        """Take the handshake's answer first, frames from then on."""
        if self._reader is not None:
            self._take_frames(data)
            return
        self._answer += data
        status, headers, rest = _response(self._answer)
        if status == SWITCHING:
            self._reader = frames.Reader()
            self._events.opened(headers.get("sec-websocket-protocol"))
            self._take_frames(rest)

    def link_ended(self) -> None:
        """Report the end, once."""
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._reader is None:
            self._report_refusal()
        else:
            code, reason = self._told or (ABNORMAL, "")
            self._events.closed(code, reason, self._told is not None, self._by)

    def link_drained(self) -> None:
        """Nothing waits at a client's end."""

    def _take_frames(self, data: bytes) -> None:
        if self._reader is None or self._told is not None:
            return
        for frame in self._reader.feed(data):
            self._take_frame(frame)

    def _take_frame(self, frame: frames.Frame) -> None:
        if frame.opcode == frames.TEXT:
            self._events.received(frame.payload)
            return
        self._events.frame(frames.NAMES[frame.opcode], len(frame.payload))
        if frame.opcode == frames.PING:
            self._send(frames.PONG, frame.payload)
        elif frame.opcode == frames.CLOSE:
            self._told = frames.close_fields(frame.payload)
            self._say_close(self._told[0])

    def _say_close(self, code: int) -> None:
        if self._close_sent:
            return
        self._close_sent = True
        # The server ends the connection (RFC 6455 §7.1.1); a client waits for that, not for ever.
        self._send(frames.CLOSE, code.to_bytes(2, "big"))
        until_ns = self._scheduler.now_ns + round(LEAVE_WITHIN_S * NS_PER_S)
        self._timer = self._scheduler.call_at(until_ns, lambda: self.link.cut(self))

    def _send(self, opcode: int, payload: bytes) -> None:
        self.link.send(self, frames.encode(opcode, payload, self._chance.randbytes(4)))

    def _report_refusal(self) -> None:
        status, _, rest = _response(self._answer)
        if status:
            self._events.refused(status, _json(rest))
        else:
            self._events.refused(0, why="the connection ended before an answer came")


def _request(head: bytes) -> tuple[str, str, list[tuple[bytes, bytes]]]:
    first, headers = _head_lines(head)
    method, path, _ = first.decode().split(" ")
    return method, path, headers


def _response(data: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and what follows the head; status 0 while the head is incomplete."""
    head, found, rest = data.partition(HEAD_END)
    if not found:
        return 0, {}, b""
    first, headers = _head_lines(head)
    return int(first.split(b" ")[1]), {name.decode().lower(): value.decode() for name, value in headers}, rest


def _head_lines(head: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    first, *lines = head.partition(HEAD_END)[0].split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    return first, [(name.strip(), value.strip()) for name, _, value in pairs]


def _switching(subprotocol: str | None) -> bytes:
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    if subprotocol is not None:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return "\r\n".join([*lines, "", ""]).encode()


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None
