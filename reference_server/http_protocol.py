"""uvicorn's HTTP protocol with what the contract adds: JSON for what can't be parsed, time limits, the upgrade.

A connection whose request head is incomplete ends after the handshake's 10 s, an idle one after 60 s (contract §5).
"""

import asyncio
import urllib.parse
from typing import Any, ClassVar, Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from reference_server.contract import limits
from reference_server.contract.operations import BY_NAME
from reference_server.core.answers import error
from reference_server.responses import head_of, raw_response
from reference_server.websocket import WebSocketProtocol

SOCKET_PATH: Final = BY_NAME["ws_connect"].path
HEAD_BYTES_MAX: Final = 64 * 1024


class HttpProtocol(HttpToolsProtocol):
    """One connection while it speaks HTTP; a subclass made at start may shorten its times."""

    head_timeout_s: ClassVar[float] = limits.HANDSHAKE_TIMEOUT_S

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._head_arrived()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Parse; what came behind an upgrade's head goes on to the socket, what can't be parsed is a 400."""
        self._unset_keepalive_if_required()
        if self.transport.is_closing():
            return
        awaited = self._head_timer
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded(data[upgrade.args[0] :] if upgrade.args else b"")
        except httptools.HttpParserError:
            self.send_400_response("this is no HTTP request")
        else:
            self._bound_head(len(data) if awaited is not None and awaited is self._head_timer else 0)
            self._await_next()

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of the head."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        """Stop waiting for the head."""
        self._head_arrived()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses with the contract's JSON, and end the connection."""
        self._head_arrived()
        if not self.transport.is_closing():
            self.transport.write(raw_response(error(400, msg), []))
            self.transport.close()

    def _should_upgrade(self) -> bool:
        """Only the socket's path can be upgraded; elsewhere the request is served as if it had not asked."""
        return self._get_upgrade() == b"websocket" and self._path() == SOCKET_PATH

    def _path(self) -> str:
        return urllib.parse.unquote(self.url.partition(b"?")[0].decode("latin-1"))

    def _upgraded(self, early: bytes) -> None:
        if not self._should_upgrade():
            return
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        protocol: WebSocketProtocol = self.ws_protocol_class(  # type: ignore[call-arg, misc, assignment]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        query = self.url.partition(b"?")[2]
        address = self.client[0] if self.client is not None else ""
        self.transport.set_protocol(protocol)
        protocol.upgrade(
            self.transport, head_of(self.scope["method"], self._path(), query, self.headers, address), early
        )

    def _bound_head(self, size: int) -> None:
        """Refuse a head that never ends: the parser keeps all of it."""
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES_MAX:
            self.send_400_response("the request's head is too large")

    # times

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(self.head_timeout_s, self._head_late)

    def _head_arrived(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        self._head_timer = None
        # A request that is being answered is not cut off by the one behind it.
        if not self._answering():
            self.transport.close()

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _await_next(self) -> None:
        """End a connection that is idle between requests, or that never sends the rest of a refused body."""
        waiting = self._head_timer is not None or self.timeout_keep_alive_task is not None
        if not waiting and not self._answering():
            delay_s = self.timeout_keep_alive
            self.timeout_keep_alive_task = self.loop.call_later(delay_s, self.timeout_keep_alive_handler)
