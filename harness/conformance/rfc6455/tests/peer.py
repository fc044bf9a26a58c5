"""A small server of its own that keeps RFC 6455, and breaks one rule of it for each fault it is given.

It shares no code with the reference server: where both are green, the cases do not just describe one of them.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from harness.client.shell import Endpoint
from harness.conformance.rfc6455.tests.frames import written

GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SIZE_MAX: Final = 64 * 1024
BURST_MAX: Final = 100
PER_S: Final = 20
LINGER_S_MAX: Final = 5.0
FORBIDDEN: Final = {1004, 1005, 1006, 1015}
FAULTS: Final = (
    "takes_bad_utf8", "checks_each_fragment", "checks_the_bytes_only", "takes_unmasked", "takes_reserved_bits",
    "takes_reserved_opcodes", "takes_long_lengths", "takes_long_controls", "takes_controls_in_fragments",
    "takes_lone_continuations", "takes_texts_within", "takes_binary", "takes_any_size", "bounds_frames_only",
    "takes_floods", "takes_any_code", "takes_any_reason", "takes_a_byte_of_a_code", "takes_any_handshake",
    "answers_no_pings", "cuts_pings_short", "answers_pongs", "answers_pings_last", "answers_pings_of_125_wrongly",
    "answers_no_close", "reads_on_behind_a_close", "ends_everything", "drops_what_comes_early",
    "agrees_on_extensions", "selects_anything", "tells_another_key", "knows_one_form", "forgets_fragments",
    "counts_for_good", "takes_30_a_second",
)  # fmt: skip
CUTS_NOBODY: Final = "cuts_nobody"
"""A fault that no row tells of: the end of a connection is judged by the time that it took."""

LAX: Final = tuple(fault for fault in FAULTS if fault.startswith(("takes_", "agrees_", "selects_")))


class FailureError(Exception):
    """The connection fails with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class RefusalError(Exception):
    """The handshake is answered with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Peer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: frozenset[str]) -> None:
        self.reader, self.writer, self.faults = reader, writer, faults
        self.frames_left, self.counted_at = float(BURST_MAX), asyncio.get_running_loop().time()
        self.opcode: int | None = None
        self.text = b""
        self.held: list[bytes] = []

    async def serve(self) -> None:
        """Answer the handshake and every frame until one side ends it."""
        try:
            self.writer.write(_switching(await self._head(), self.faults))
        except (RefusalError, asyncio.LimitOverrunError) as refusal:
            status = refusal.status if isinstance(refusal, RefusalError) else 431
            told = "Sec-WebSocket-Version: 13\r\n" if status == 426 else ""
            self.writer.write(f"HTTP/1.1 {status} No\r\n{told}Content-Length: 0\r\n\r\n".encode())
            return
        self._send(1, _message("system", {"message": "welcome", "level": "info"}))
        try:
            while await self._frame():
                pass
        except FailureError as failure:
            self._close(failure.code)
        await self._linger()

    async def _linger(self) -> None:
        self.writer.write_eof()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if CUTS_NOBODY in self.faults else LINGER_S_MAX):
                while await self.reader.read(SIZE_MAX):
                    pass

    async def _head(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        if "drops_what_comes_early" in self.faults:
            await asyncio.sleep(0)
            self.reader._buffer.clear()  # type: ignore[attr-defined]
        return head

    async def _frame(self) -> bool:
        first, second = await self.reader.readexactly(2)
        self._count()
        self._need(not first & 0x70, 1002, "takes_reserved_bits")
        opcode, fin = first & 0x0F, bool(first & 0x80)
        self._need(opcode in (0, 1, 2, 8, 9, 10), 1002, "takes_reserved_opcodes")
        self._need(bool(second & 0x80), 1002, "takes_unmasked")
        size = await self._size(opcode, fin, second & 0x7F)
        mask = await self.reader.readexactly(4) if second & 0x80 else bytes(4)
        data = await self.reader.readexactly(size)
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        self._need("ends_everything" not in self.faults, 4321)
        self._need(self.frames_left >= 0, 1008, "takes_floods")
        return self._control(opcode, payload) if opcode & 8 else self._data(opcode, fin, payload)

    def _count(self) -> None:
        now = asyncio.get_running_loop().time()
        per_s = 0 if "counts_for_good" in self.faults else 30 if "takes_30_a_second" in self.faults else PER_S
        self.frames_left = min(BURST_MAX, self.frames_left + per_s * (now - self.counted_at)) - 1
        self.counted_at = now

    async def _size(self, opcode: int, fin: bool, size: int) -> int:
        if opcode & 8:
            self._need(fin, 1002, "takes_controls_in_fragments")
            self._need(size <= 125, 1002, "takes_long_controls")
        if size >= 126:
            extended = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
            shortest = extended > (125 if size == 126 else 0xFFFF) and not extended >> 63
            self._need(shortest, 1002, "takes_long_lengths")
            size = extended
        before = 0 if "bounds_frames_only" in self.faults else len(self.text)
        self._need(opcode & 8 != 0 or before + size <= SIZE_MAX, 1009, "takes_any_size")
        return size

    def _need(self, holds: bool, code: int, fault: str = "") -> None:
        if not holds and fault not in self.faults:
            raise FailureError(code)

    def _control(self, opcode: int, payload: bytes) -> bool:
        if opcode == 9 or (opcode == 10 and "answers_pongs" in self.faults):
            self._pong(payload)
        if opcode != 8:
            return True
        if len(payload) == 1:
            self._need(False, 1002, "takes_a_byte_of_a_code")
            payload = b""
        code = int.from_bytes(payload[:2]) if payload else 1000
        known = 1000 <= code < 5000 and code not in FORBIDDEN
        self._need(known, 1002, "takes_any_code")
        self._utf8(payload[2:], "takes_any_reason")
        if "answers_no_close" not in self.faults:
            self._close(code)
        return "reads_on_behind_a_close" in self.faults

    def _pong(self, payload: bytes) -> None:
        if "answers_no_pings" in self.faults:
            return
        payload = payload[:1] if "cuts_pings_short" in self.faults else payload
        payload = payload[:124] if "answers_pings_of_125_wrongly" in self.faults else payload
        if "answers_pings_last" in self.faults and self.opcode is not None:
            self.held.append(payload)
            return
        self._send(10, payload)

    def _data(self, opcode: int, fin: bool, payload: bytes) -> bool:
        if opcode:
            self._need(self.opcode is None, 1002, "takes_texts_within")
            self.opcode, self.text = opcode, b""
        else:
            self._need(self.opcode is not None, 1002, "takes_lone_continuations")
        if "checks_each_fragment" in self.faults:
            self._utf8(payload)
        self.text = payload if "forgets_fragments" in self.faults else self.text + payload
        if fin:
            self._whole(self.opcode or 1, self.text)
            self.opcode, self.text = None, b""
        return True

    def _whole(self, opcode: int, data: bytes) -> None:
        if opcode == 2:
            self._need(False, 1003, "takes_binary")
        elif opcode == 1 and "checks_the_bytes_only" in self.faults:
            self._need(not {0xC0, 0xC1, *range(0xF5, 0x100)} & set(data), 1007)
        else:
            self._utf8(data, "takes_bad_utf8")
        with contextlib.suppress(ValueError):
            said = json.loads(data.decode("utf-8", "replace"))
            if isinstance(said, dict) and said.get("type") == "ping":
                self._send(1, _message("pong", {"received": said.get("timestamp")}))

    def _utf8(self, data: bytes, fault: str = "") -> None:
        try:
            data.decode()
        except UnicodeDecodeError:
            self._need(False, 1007, fault)

    def _close(self, code: int) -> None:
        self._send(8, struct.pack("!H", code))

    def _send(self, opcode: int, payload: bytes) -> None:
        self.writer.write(written(opcode, payload, self.faults))


def _message(kind: str, data: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "timestamp": "2024-02-29T12:00:00.000000Z", "data": data}).encode()


def _switching(head: bytes, faults: frozenset[str]) -> bytes:
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if not faults & {"takes_any_handshake"} and (name != name.strip() or "\0" in value):
            raise RefusalError(400)
        fields.setdefault(name.strip().lower(), []).append(value.strip())
    if "takes_any_handshake" not in faults:
        _check(first, fields, head, faults)
    key = (fields.get("sec-websocket-key") or ["none"])[0]
    accept = base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()
    offers = [name.strip() for line in fields.get("sec-websocket-protocol", ()) for name in line.split(",")]
    chosen = offers[0] if "selects_anything" in faults and offers else "zerostate.v1"
    told = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    told += [f"Sec-WebSocket-Accept: {'x' if 'tells_another_key' in faults else ''}{accept}"]
    told += [f"Sec-WebSocket-Protocol: {chosen}"] if chosen in offers else []
    extensions = fields.get("sec-websocket-extensions", [])
    told += [f"Sec-WebSocket-Extensions: {extensions[0]}"] if extensions and "agrees_on_extensions" in faults else []
    return "\r\n".join([*told, "", ""]).encode()


def _check(first: str, fields: dict[str, list[str]], head: bytes, faults: frozenset[str]) -> None:
    joined = {
        name: {part.strip().lower() for line in lines for part in line.split(",")} for name, lines in fields.items()
    }
    strict = "knows_one_form" in faults
    good = first.startswith("GET ") and first.endswith(" HTTP/1.1") and len(fields.get("host", ())) == 1
    good &= "websocket" in joined.get("upgrade", ()) and "upgrade" in joined.get("connection", ())
    good &= not strict or (b"Connection: Upgrade\r\n" in head and b"Upgrade: websocket\r\n" in head)
    good &= fields.get("content-length", ["0"]) == ["0"] and "transfer-encoding" not in fields
    good &= _is_key(fields.get("sec-websocket-key", []))
    if not good:
        raise RefusalError(400)
    if fields.get("sec-websocket-version") != ["13"]:
        raise RefusalError(426)


def _is_key(lines: list[str]) -> bool:
    try:
        return len(lines) == 1 and len(base64.b64decode(lines[0], validate=True)) == 16
    except ValueError:
        return False


@asynccontextmanager
async def serving(*faults: str) -> AsyncIterator[Endpoint]:
    """Serve on a free port of this machine, with these faults."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await Peer(reader, writer, frozenset(faults)).serve()
        writer.close()

    head_bytes_max = 4 * SIZE_MAX if "takes_any_handshake" in faults else SIZE_MAX
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=head_bytes_max)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield Endpoint(f"ws://127.0.0.1:{port}/api/v1/ws/connect", auth="none")
