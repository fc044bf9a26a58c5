"""The time limits of one HTTP connection beside its idling: for a head, the rest of a body, an answer (contract §5).

A request whose body is read by somebody is in the reader's hands (bodies.py); here stands what nobody waits for.
"""

import asyncio
from collections.abc import Callable

from reference_server.contract import limits
from reference_server.http.timeouts import Timeouts


class Paces:
    """The timers of one connection, which end it; `answering` says whether a request waits for its answer."""

    __slots__ = (
        "_answering",
        "_body_stall_s",
        "_head_limit",
        "_heads",
        "_loop",
        "_rest_bytes",
        "_rest_timer",
        "_transport",
        "_write_timer",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        heads: Timeouts,
        body_stall_s: float,
        answering: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._heads = heads
        self._body_stall_s = body_stall_s
        self._answering = answering
        self._head_limit: int | None = None
        self._rest_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._rest_bytes = 0

    def close(self) -> None:
        """Leave no timer behind."""
        self.head_arrived()
        self.rest_arrived()
        self.written()

    def await_head(self) -> None:
        """Give a request's head its 10 s; nothing when it has them already."""
        if self._head_limit is None:
            self._head_limit = self._heads.start(self._head_late)

    def head_arrived(self) -> None:
        """Wait for no head any more."""
        if self._head_limit is not None:
            self._heads.cancel(self._head_limit)
            self._head_limit = None

    def await_end(self) -> None:
        """Give the peer as long to end the connection, once we have told it that we end ours."""
        self._head_limit = self._heads.start(self._transport.close)

    def _head_late(self) -> None:
        self._head_limit = None
        if self._answering():
            # A request that is being answered is not cut off by the one behind it, which may wait unread for us.
            self.await_head()
        else:
            self._transport.close()

    def await_rest(self) -> None:
        """Give the rest of an answered request's body another 30 s for its next 1 KiB."""
        self.rest_arrived()
        self._rest_bytes = 0
        self._rest_timer = self._loop.call_later(self._body_stall_s, self._transport.close)

    def rest_came(self, size: int) -> None:
        """See that the rest comes at a pace, if it is waited for."""
        self._rest_bytes += size
        if self._rest_timer is not None and self._rest_bytes >= limits.BODY_STALL_BYTES_MIN:
            self.await_rest()

    def rest_arrived(self) -> None:
        """Wait for no rest any more."""
        if self._rest_timer is not None:
            self._rest_timer.cancel()
            self._rest_timer = None

    def await_write(self) -> None:
        """Give the peer 30 s to take its next 1 KiB of an answer: one that reads nothing holds it in memory."""
        self.written()
        waiting_bytes = self._transport.get_write_buffer_size()
        self._write_timer = self._loop.call_later(self._body_stall_s, self._write_late, waiting_bytes)

    def written(self) -> None:
        """Wait for the peer no more."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _write_late(self, waiting_bytes: int) -> None:
        if waiting_bytes - self._transport.get_write_buffer_size() < limits.BODY_STALL_BYTES_MIN:
            self._transport.abort()
        else:
            self.await_write()
