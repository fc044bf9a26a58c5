"""A socket that can misbehave: frames are made by hand, nothing is answered unless asked for (RFC 6455 §5).

The polite client lives in `harness/client`; this one sends what no library lets one send, and records what comes back
in the same words. One connection is one row of a suite.
"""

import asyncio
import base64
import contextlib
import hashlib
import ssl
import struct
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from harness.client.rest import read_json
from harness.client.shell import Endpoint, dressed
from harness.conformance.raw_frames import (
    CLOSE,
    CONTINUATION,
    CONTROL_BYTES_MAX,
    NAMES,
    NO_CODE,
    PING,
    PONG,
    TEXT,
    frame,
    masked_with,
)
from harness.history import Recorder
from harness.targets.manners import Connections
from reference_server.contract.messages import SOCKET_VERSION

KEY: Final = base64.b64encode(b"zerostate-conformance"[:16]).decode()
DIAL_S_MAX: Final = 10.0
PIECE_GAP_S: Final = 0.001
CUT_POLL_S: Final = 0.1
ANSWER_BYTES_MAX: Final = 64 * 1024
UNANSWERED: Final = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, IndexError)
"""How a handshake goes without an answer that is one: nobody there, or what is no HTTP."""

ABNORMAL: Final = 1006


class RawSocket:
    """One connection: `dial`, then send what the row says; a reader records what comes until it ends."""

    def __init__(
        self, recorder: Recorder, name: str, account: str | None = None, connections: Connections | None = None
    ) -> None:
        self.name = name
        self.recorder = recorder
        self.messages: list[Any] = []
        self.pongs: list[bytes] = []
        self.refused: int | None = None
        self.answer_headers: dict[str, str] = {}
        self.code: int | None = None
        self.tcp_ended = False
        self.answers_pings = True
        self.answers_closes = True
        self._account = account
        self._connections = connections
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._left = False
        self._closed = False
        self._close_sent = False
        self._opened_ns = 0
        self._incomplete = False
        self._text = b""

    # --- the handshake

    async def dial(
        self,
        endpoint: Endpoint,
        token: str | None,
        *,
        case: str | None = None,
        expect: dict[str, Any] | None = None,
        version: str = SOCKET_VERSION,
        upgrade: bool = True,
        headers: Sequence[tuple[str, str]] = (),
        subprotocols: Sequence[str] | None = None,
        request: Sequence[bytes] = (),
        **more: Any,
    ) -> bool:
        """Send the handshake and read its answer; True when it is 101. Records it as the row's beginning.

        `request`, where given, is sent instead of the usual one, piece by piece, whatever it says.
        Raises TooManyConnectionsError, before anything is sent or recorded, over what the target allows.
        """
        self._hold()
        url, protocols, own = dressed(endpoint, token) if token is not None else (endpoint.url, (), ())
        offered = tuple(subprotocols) if subprotocols is not None else protocols
        told = {"url": endpoint.url, "expect": expect, **more}
        self._record("connecting", case=case, **{name: value for name, value in told.items() if value is not None})
        pieces = request or (_handshake(url, version, upgrade, (*own, *headers), offered),)
        try:
            async with asyncio.timeout(DIAL_S_MAX):
                await self._connect(url, endpoint.tls)
                await self.write_pieces(pieces)
                head = await self._reader_of().readuntil(b"\r\n\r\n")
                return await self._answered(head)
        except UNANSWERED as fault:
            await self._not_answered(fault)
            return False

    async def half_handshake(self, endpoint: Endpoint) -> None:
        """Connect and send a handshake that never ends."""
        whole = _handshake(endpoint.url, SOCKET_VERSION, True, (), ())
        await self.unfinished(endpoint, whole[: len(whole) // 2], "half-handshake")

    async def unfinished(self, endpoint: Endpoint, data: bytes, told: str) -> None:
        """Connect, send this and nothing more; the reader waits for the server to hang up."""
        self._hold()
        self._record("connecting", url=endpoint.url, incomplete=True)
        try:
            await self._connect(endpoint.url, endpoint.tls)
        except OSError as fault:
            await self._not_answered(fault)
            return
        await self.write(data)
        self._incomplete = True
        self._record("sent", opcode=told)
        self._reading = asyncio.create_task(self._read_to_end())

    def _hold(self) -> None:
        if self._connections is not None:
            self._connections.hold(self)

    async def _not_answered(self, fault: Exception) -> None:
        self._record("refused", status=0, why=f"{type(fault).__name__}: {fault}")
        self.refused = 0
        await self._shut()

    async def _connect(self, url: str, tls: Any) -> None:
        parts = urlsplit(url)
        secure = (tls or ssl.create_default_context()) if parts.scheme == "wss" else None
        port = parts.port or (443 if secure else 80)
        self._reader, self._writer = await asyncio.open_connection(
            parts.hostname, port, ssl=secure, limit=ANSWER_BYTES_MAX
        )

    async def _answered(self, head: bytes) -> bool:
        first, *rest = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        pairs = (line.partition(":") for line in rest if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self.answer_headers = headers
        if status != 101:
            body = await self._reader_of().read(min(int(headers.get("content-length") or 0), ANSWER_BYTES_MAX))
            self.refused = status
            self._record("refused", status=status, headers=headers, **_body(body))
            await self._shut()
            return False
        opened = self._record("opened", headers=headers, subprotocol=headers.get("sec-websocket-protocol", ""))
        self._opened_ns = opened.at_ns
        self._reading = asyncio.create_task(self._read_frames())
        return True

    # --- sending

    async def write(self, data: bytes) -> None:
        """Write bytes; a connection that the peer has ended swallows them, as the kernel would."""
        if self._writer is not None and not self._writer.is_closing():
            with contextlib.suppress(OSError):
                self._writer.write(data)
                await self._writer.drain()

    async def write_pieces(self, pieces: Sequence[bytes]) -> None:
        """Write each so that the peer reads it by itself."""
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(PIECE_GAP_S)
            await self.write(piece)

    async def send(self, opcode: int, payload: bytes = b"", **shape: Any) -> None:
        """Record and send one frame; `shape` as in `frame`."""
        self._record("sent", opcode=NAMES.get(opcode, str(opcode)), bytes=len(payload))
        self._close_sent = self._close_sent or opcode == CLOSE
        await self.write(frame(opcode, payload, **shape))

    async def send_json(self, message: Any) -> None:
        """Record and send one text message."""
        self._record("sent", message=message)
        await self.write(frame(TEXT, msgspec.json.encode(message)))

    async def send_bytes(self, data: bytes, told: str) -> None:
        """Record and send bytes that are no frame, or many."""
        await self.send_pieces((data,), told)

    async def send_paced(self, pieces: Sequence[bytes], told: str, per_s: float) -> None:
        """Record and send so many pieces a second, until the peer ends it; a late one is made good by the next."""
        self.tell_sent(told, sum(map(len, pieces)))
        begun = asyncio.get_running_loop().time()
        for number, piece in enumerate(pieces):
            if await self.wait(lambda: self._closed, begun + number / per_s - asyncio.get_running_loop().time()):
                return
            await self.write(piece)

    async def send_pieces(self, pieces: Sequence[bytes], told: str) -> None:
        """Record and send bytes in pieces that arrive one by one."""
        self.tell_sent(told, sum(map(len, pieces)))
        await self.write_pieces(pieces)

    def tell_sent(self, told: str, size: int) -> None:
        """Record that so many bytes were sent, which went out with the handshake or go out now."""
        self._record("sent", opcode=told, bytes=size)

    # --- waiting

    async def wait(self, holds: Callable[[], bool], deadline_s: float) -> bool:
        """Wait until something is so; False when the deadline came first."""
        try:
            async with asyncio.timeout(deadline_s), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            return holds()
        return True

    async def wait_welcome(self, deadline_s: float = 5.0) -> bool:
        """Wait for the first message."""
        return await self.wait(lambda: bool(self.messages) or self._closed, deadline_s) and bool(self.messages)

    @property
    def ended(self) -> bool:
        """Whether the peer sent a close frame or ended the connection, or we left."""
        return self._closed

    async def wait_closed(self, deadline_s: float) -> bool:
        """Wait until the peer sent a close frame or ended the connection."""
        return await self.wait(lambda: self._closed, deadline_s)

    async def wait_tcp_end(self, deadline_s: float, *, told: bool = False) -> bool:
        """Wait until the peer ended the TCP connection; `told`: record it when it did not."""
        ended = await self.wait(lambda: self.tcp_ended, deadline_s)
        if told and not ended:
            self._record("frame", opcode="tcp-open", bytes=0)
        return ended

    async def wait_cut(self, deadline_s: float) -> bool:
        """Send bytes that mean nothing until the peer takes none; what it ended for reading only is not cut yet."""
        until = asyncio.get_running_loop().time() + deadline_s
        while self._writer is not None and not self._writer.is_closing():
            if asyncio.get_running_loop().time() > until:
                self._record("frame", opcode="tcp-open", bytes=0)
                return False
            await asyncio.sleep(CUT_POLL_S)
            await self.write(bytes(1))
        self._record("frame", opcode="tcp-end", bytes=0)
        return True

    async def pause_reading(self) -> None:
        """Read nothing from now on: what the peer sends piles up in the kernel and then at the peer."""
        self._may_read.clear()

    async def resume_reading(self) -> None:
        """Read on, from where reading stopped."""
        self._may_read.set()

    async def leave(self) -> None:
        """Say goodbye and let go; what is recorded as closed by ourselves ends the row."""
        self._left = True
        if not self._closed and not self._close_sent:
            await self.write(frame(CLOSE, struct.pack("!H", 1000)))
        await self._tell_closed(1000, "", by="self")
        await self._shut()

    async def abort(self) -> None:
        """End the TCP connection without a goodbye."""
        self._left = True
        await self._tell_closed(ABNORMAL, "", by="self")
        await self._shut()

    # --- reading

    async def _read_to_end(self) -> None:
        with contextlib.suppress(OSError):
            while await self._reader_of().read(ANSWER_BYTES_MAX):
                pass
        await self._end_of_tcp()

    async def _read_frames(self) -> None:
        try:
            while True:
                await self._may_read.wait()
                await self._take(*await self._read_frame())
        except (OSError, asyncio.IncompleteReadError):
            # Not when we are canceled: what we stop looking at has not ended.
            await self._end_of_tcp()

    async def _end_of_tcp(self) -> None:
        if not self._left:
            await self._tell_closed(ABNORMAL, "", by="peer")
            self._record("frame", opcode="tcp-end", bytes=0)
        self.tcp_ended = True
        await self._tell()

    async def _read_frame(self) -> tuple[bytes, bytes]:
        """Return a frame's head up to its length, as it came, and its payload without a mask."""
        reader = self._reader_of()
        head = await reader.readexactly(2)
        form = head[1] & 0x7F
        head += await reader.readexactly({126: 2, 127: 8}.get(form, 0))
        size = int.from_bytes(head[2:]) if form > CONTROL_BYTES_MAX else form
        mask = await reader.readexactly(4) if head[1] & 0x80 else b""
        payload = await reader.readexactly(size)
        return head, masked_with(payload, mask) if mask else payload

    async def _take(self, head: bytes, payload: bytes) -> None:
        opcode, fin = head[0] & 0x0F, bool(head[0] & 0x80)
        if opcode in (TEXT, CONTINUATION):
            self._text += payload
        if opcode in (TEXT, CONTINUATION) and fin:
            text, self._text = self._text, b""
            self._received(text, head)
        elif opcode == CLOSE and not self._closed:
            await self._take_close(head, payload)
        else:
            # What a control frame carries is judged; it has 125 bytes at most.
            shown = {"payload": payload[:CONTROL_BYTES_MAX].hex()} if opcode == PONG else {}
            name = NAMES.get(opcode, str(opcode))
            self._record("frame", opcode=name, bytes=len(payload), head=head.hex(), **shown)
            self.pongs += [payload] if opcode == PONG else []
            if opcode == PING and self.answers_pings:
                await self.write(frame(PONG, payload))
        await self._tell()

    async def _take_close(self, head: bytes, payload: bytes) -> None:
        code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else NO_CODE
        reason, told = payload[2:].decode("utf-8", "replace"), _told_of_text(payload[2:])
        await self._tell_closed(code, reason, by="peer", head=head.hex(), **told)
        if self.answers_closes and not self._close_sent:
            self._close_sent = True
            await self.write(frame(CLOSE, payload[:2]))

    def _received(self, text: bytes, head: bytes) -> None:
        try:
            message = read_json(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            message = None
        told = {} if message is not None else {"raw": text[:1000].decode("utf-8", "replace"), **_told_of_text(text)}
        digest = hashlib.sha256(text).hexdigest()
        self._record("received", message=message, bytes=len(text), digest=digest, head=head.hex(), **told)
        self.messages.append(message)

    async def _tell_closed(self, code: int, reason: str, *, by: str, **told: Any) -> None:
        if self._closed:
            return
        self._closed = True
        self.code = code
        after_ms = (self.recorder.now_ns() - self._opened_ns) // 1_000_000 if self._opened_ns else 0
        if self._opened_ns or self._incomplete:
            self._record("closed", code=code, reason=reason, clean=code != ABNORMAL, by=by, after_ms=after_ms, **told)
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _shut(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        if self._connections is not None:
            self._connections.let_go(self)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._writer.wait_closed()

    def _reader_of(self) -> asyncio.StreamReader:
        if self._reader is None:
            raise RuntimeError("the socket was not dialed")
        return self._reader

    def _record(self, kind: Any, *, case: str | None = None, **data: Any) -> Any:
        return self.recorder.record(kind, connection=self.name, account=self._account, case=case, **data)


def _handshake(
    url: str, version: str, upgrade: bool, headers: Sequence[tuple[str, str]], subprotocols: Sequence[str]
) -> bytes:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}"]
    if upgrade:
        lines += ["Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {KEY}"]
        lines += [f"Sec-WebSocket-Version: {version}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if subprotocols:
        lines.append("Sec-WebSocket-Protocol: " + ", ".join(subprotocols))
    return "\r\n".join([*lines, "", ""]).encode()


def _told_of_text(text: bytes) -> dict[str, Any]:
    """Return what the history tells of bytes that had to be UTF-8 and are not."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return {"utf8": False}
    return {}


def _body(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        return {"body": read_json(body)}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"text": body[:1000].decode("utf-8", "replace")}
