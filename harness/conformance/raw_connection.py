"""One connection to a server by hand, from connected to gone: what is read of it, recorded, waited for, and cut off.

Whatever a foreign server does, nothing here waits without a deadline or keeps more than its bounds. What is sent, and
when, is `raw_socket`'s.
"""

import asyncio
import contextlib
import struct
from collections.abc import Callable
from typing import Any, Final

from harness.conformance.raw_frames import CLOSE, NO_CODE, PING, PONG, frame
from harness.conformance.raw_handshake import ANSWER_BYTES_MAX
from harness.conformance.raw_http import connected, let_go
from harness.conformance.raw_incoming import Bounds, Frame, Incoming, OverBoundsError, shown_text, told_of_text
from harness.history import Recorder
from harness.targets.manners import Connections

WRITE_S_MAX: Final = 10.0
ABNORMAL: Final = 1006
DEFAULT_BOUNDS: Final = Bounds()


class RawConnection:
    """Reads and records what comes until it ends, and answers pings and close frames unless told not to.

    A peer that brings more than `bounds` is cut off, as one that takes nothing is; of a flood `flooded` is told.
    """

    def __init__(
        self,
        recorder: Recorder,
        name: str,
        account: str | None = None,
        connections: Connections | None = None,
        bounds: Bounds = DEFAULT_BOUNDS,
        flooded: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.recorder = recorder
        self._incoming = Incoming(self._record, bounds)
        self.messages = self._incoming.messages
        self.pongs = self._incoming.pongs
        self.refused: int | None = None
        self.answer_headers: dict[str, str] = {}
        self.code: int | None = None
        self.tcp_ended = False
        self.answers_pings = True
        self.answers_closes = True
        self._account = account
        self._connections = connections
        self._flooded = flooded
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
        self.cut = ""
        """Why we ended it, if we had to."""

    # --- beginning and writing

    async def _connect(self, url: str, tls: Any) -> None:
        self._reader, self._writer = await connected(url, tls, ANSWER_BYTES_MAX)

    async def write(self, data: bytes) -> None:
        """Write bytes; a connection that the peer has ended swallows them, as the kernel would."""
        if self._writer is None or self._writer.is_closing():
            return
        try:
            self._writer.write(data)
            async with asyncio.timeout(WRITE_S_MAX):
                await self._writer.drain()
        except TimeoutError:
            await self.cut_off(f"the peer took no bytes for {WRITE_S_MAX:g} s")
        except OSError:
            pass

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

    # --- cutting off

    def tell_cut(self, why: str) -> None:
        """Record that we stop watching, before the row could show what it is about."""
        self._record("frame", opcode="cut", bytes=0, why=why)

    async def cut_off(self, why: str) -> None:
        """End a connection that must not go on; what had to come on it is undecided then."""
        if self.cut:
            return
        self.cut, self._left, self.tcp_ended = why, True, True
        self.tell_cut(why)
        await self._tell_closed(ABNORMAL, "", by="self")
        if self._writer is not None:
            self._writer.transport.abort()
        await self._tell()

    # --- reading

    async def _read_to_end(self) -> None:
        with contextlib.suppress(OSError):
            while await self._reader_of().read(ANSWER_BYTES_MAX):
                pass
        await self._end_of_tcp()

    async def _read_frames(self) -> None:
        try:
            while not self.cut:
                await self._may_read.wait()
                await self._react(await self._incoming.next(self._reader_of()))
        except OverBoundsError as over:
            await self.cut_off(f"the peer sent {over}")
            if over.flood:
                self._flooded()
        except (OSError, asyncio.IncompleteReadError):
            # Not when we are canceled: what we stop looking at has not ended.
            await self._end_of_tcp()

    async def _end_of_tcp(self) -> None:
        if not self._left:
            await self._tell_closed(ABNORMAL, "", by="peer")
            self._record("frame", opcode="tcp-end", bytes=0)
        self.tcp_ended = True
        await self._tell()

    async def _react(self, frame_: Frame) -> None:
        if frame_.opcode == CLOSE and not self._closed:
            await self._take_close(frame_.head, frame_.payload)
        elif frame_.opcode == CLOSE:
            self._incoming.tell(CLOSE, frame_.head, len(frame_.payload))
        elif frame_.opcode == PING and self.answers_pings:
            await self.write(frame(PONG, frame_.payload))
        await self._tell()

    async def _take_close(self, head: bytes, payload: bytes) -> None:
        code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else NO_CODE
        reason, told = shown_text(payload[2:]), told_of_text(payload[2:])
        await self._tell_closed(code, reason, by="peer", head=head.hex(), **told)
        if self.answers_closes and not self._close_sent:
            self._close_sent = True
            await self.write(frame(CLOSE, payload[:2]))

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
        if self._connections is not None:
            self._connections.let_go(self)
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})
            if not self._reading.cancelled() and (fault := self._reading.exception()):
                raise fault
        if self._writer is not None:
            await let_go(self._writer)

    def _reader_of(self) -> asyncio.StreamReader:
        if self._reader is None:
            raise RuntimeError("the socket was not dialed")
        return self._reader

    def _record(self, kind: Any, *, case: str | None = None, **data: Any) -> Any:
        return self.recorder.record(kind, connection=self.name, account=self._account, case=case, **data)
