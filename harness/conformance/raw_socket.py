"""A socket that can misbehave: frames are made by hand, nothing is answered unless asked for (RFC 6455 §5).

The polite client lives in `harness/client`; this one sends what no library lets one send, and records what comes back
in the same words. One connection is one row of a suite.
"""

import asyncio
import struct
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from harness.client.shell import Endpoint, dressed
from harness.conformance.raw_connection import ABNORMAL, RawConnection
from harness.conformance.raw_frames import CLOSE, NAMES, TEXT, frame
from harness.conformance.raw_handshake import SWITCHING, handshake_request, read_answer, told_of_no_answer
from harness.conformance.raw_http import UNANSWERED
from reference_server.contract.messages import SOCKET_VERSION

DIAL_S_MAX: Final = 10.0
PIECE_GAP_S: Final = 0.001
CUT_POLL_S: Final = 0.1


class RawSocket(RawConnection):
    """One connection: `dial`, then send what the row says; what comes is read and recorded beside that."""

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
        pieces = request or (handshake_request(url, version, upgrade, (*own, *headers), offered),)
        try:
            async with asyncio.timeout(DIAL_S_MAX):
                await self._connect(url, endpoint.tls)
                await self.write_pieces(pieces)
                return await self._take_answer()
        except UNANSWERED as fault:
            await self._not_answered(fault)
            return False

    async def half_handshake(self, endpoint: Endpoint) -> None:
        """Connect and send a handshake that never ends."""
        whole = handshake_request(endpoint.url, SOCKET_VERSION, True, (), ())
        await self.unfinished(endpoint, whole[: len(whole) // 2], "half-handshake")

    async def unfinished(self, endpoint: Endpoint, data: bytes, told: str) -> None:
        """Connect, send this and nothing more; the reader waits for the server to hang up."""
        self._hold()
        self._record("connecting", url=endpoint.url, incomplete=True)
        try:
            async with asyncio.timeout(DIAL_S_MAX):
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
        connected = self._writer is not None
        why = told_of_no_answer(fault, DIAL_S_MAX)
        self._record("refused", status=0, connected=connected, why=why)
        self.refused = 0
        await self._shut()

    async def _take_answer(self) -> bool:
        answer = await read_answer(self._reader_of())
        self.answer_headers = answer.headers
        if answer.status != SWITCHING:
            self.refused = answer.status
            self._record("refused", status=answer.status, headers=answer.headers, **answer.body)
            await self._shut()
            return False
        selected = answer.headers.get("sec-websocket-protocol", "")
        self._opened_ns = self._record("opened", headers=answer.headers, subprotocol=selected).at_ns
        self._reading = asyncio.create_task(self._read_frames())
        return True

    # --- sending

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

    # --- pausing and ending

    async def wait_cut(self, deadline_s: float) -> bool:
        """Send bytes that mean nothing until the peer takes none; what it ended for reading only is not cut yet."""
        until = asyncio.get_running_loop().time() + deadline_s
        while self._writer is not None and not self._writer.is_closing():
            if asyncio.get_running_loop().time() > until:
                self._record("frame", opcode="tcp-open", bytes=0)
                return False
            await asyncio.sleep(CUT_POLL_S)
            await self.write(bytes(1))
        if not self.cut:
            self._record("frame", opcode="tcp-end", bytes=0)
        return not self.cut

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
