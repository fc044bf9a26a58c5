"""uvicorn's HTTP protocol with what the contract adds: JSON for what can't be parsed, time limits, the upgrade.

A connection whose request head is incomplete ends after the handshake's 10 s, an idle one after 60 s, one whose
answered request still brings its body when less than 1 KiB comes in 30 s (contract §5). What ends HTTP on a
connection, a refusal or a handshake, waits until every request before it is answered: an answer belongs to its request.
A request that is alone and whole when its bytes were read is answered directly, any other by the ASGI application.
"""

import asyncio
import urllib.parse
from typing import TYPE_CHECKING, Any, ClassVar, Final

import httptools
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from reference_server.contract import limits
from reference_server.contract.operations import BY_NAME
from reference_server.core.admission import Origins
from reference_server.core.answers import error
from reference_server.core.calls import Head
from reference_server.http.application import GONE, UNREADABLE
from reference_server.http.direct import DirectAnswers, Exchange
from reference_server.http.idle_timer import IdleTimer
from reference_server.http.paces import Paces
from reference_server.http.peer_address import peer_address
from reference_server.http.request_heads import HEAD_BYTES_MAX, HeadError, check_head, in_origin_form, without_upgrade
from reference_server.http.responses import body_of, head_of, raw_response, sharing_headers
from reference_server.http.timeouts import Timeouts
from reference_server.observing.observer import Observer
from reference_server.spare_memory import SpareMemory

if TYPE_CHECKING:
    from reference_server.websocket.protocol import WebSocketProtocol

CONNECT: Final = b"CONNECT"


class HttpProtocol(HttpToolsProtocol):
    """One connection while it speaks HTTP; a subclass made at start holds what all connections share."""

    observer: ClassVar[Observer]
    memory: ClassVar[SpareMemory | None] = None
    head_timeout_s: ClassVar[float] = limits.HANDSHAKE_TIMEOUT_S
    head_timeouts: ClassVar[Timeouts | None] = None
    """Of that length, for all connections; None: each has its own."""
    body_stall_s: ClassVar[float] = limits.BODY_STALL_S
    origins: ClassVar[Origins] = Origins()
    socket_path: ClassVar[str | None] = BY_NAME["ws_connect"].path
    direct: ClassVar[DirectAnswers | None] = None
    """Where whole requests are answered; None: all go through ASGI."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._idle = IdleTimer(self.loop, self.timeout_keep_alive, self.timeout_keep_alive_handler)
        self._held: bytearray | None = None
        self._paces: Paces
        self._steps = 0
        self._overhead_bytes = 0
        self._in_message = self._in_body = False
        self._running: RequestResponseCycle | None = None
        self._last: bytes | None = None
        self._handshake: Head | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        # As uvicorn's own, but that neither end's name is kept; `server` stays unknown, as ASGI allows.
        self.connections.add(self)
        self.transport, self.flow = transport, FlowControl(transport)
        self.client = peer_address(transport)
        self.scheme = "http" if transport.get_extra_info("sslcontext") is None else "https"
        heads = self.head_timeouts or Timeouts(self.loop, self.head_timeout_s)
        self._paces = Paces(self.loop, transport, heads, self.body_stall_s, self._answering)
        self._paces.await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers, and let no request write any more: uvicorn tells only the newest."""
        super().connection_lost(exc)
        for cycle in (self._running, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.scope["state"][GONE] = True
                cycle.message_event.set()
        self.pipeline.clear()
        self._let_go()
        if self.memory is not None:
            self.memory.connection_left(len(self.connections))

    def data_received(self, data: bytes) -> None:
        """Parse; what came behind an upgrade's head goes on to the socket, what can't be parsed is a 400."""
        if self.transport.is_closing():
            return
        if self._last is not None:
            self._keep_early(data)
            return
        steps, was_between = self._steps, not self._in_message
        try:
            self._feed(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as fault:
            self._start()
            why = fault.__context__
            self._unparsable(str(why) if isinstance(why, HeadError) else "this is no HTTP request")
            return
        self._start()
        began = was_between and self._in_message
        if self._steps - steps <= int(began):
            # Nothing ended, and at most a head began: all of it is kept, a header that is not whole yet included.
            self._overhead_bytes += len(data)
        self._bound_overhead()
        if self._in_message and not self._in_body and self._last is None:
            self._paces.await_head()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser refuses with the contract's JSON, and end the connection."""
        head, refusal = self._what_was_read(), error(400, msg)
        observed = self.observer.begin(head)
        # What lets an allowed page read it goes by what of its head could be read (contract §2 origin).
        shared = sharing_headers(self.origins, head) or [(b"vary", b"Origin")]
        self.observer.unreadable(observed, refusal.status, len(body_of(refusal)))
        self._end_with(raw_response(refusal, [*shared, *observed.headers]))

    def _what_was_read(self) -> Head:
        address = self.client[0] if self.client is not None else ""
        if not self._in_message:
            return Head("", "", "", {}, address)
        return head_of("", self._path(), b"", self.headers, address, scheme=self.scheme or "http")

    def pause_writing(self) -> None:
        """Stop writing, and see that the peer takes what waits for it at a pace."""
        super().pause_writing()
        self._paces.await_write()

    def resume_writing(self) -> None:
        """Go on writing; a handshake that waited for room goes on too."""
        self._paces.written()
        super().resume_writing()
        if self._handshake is not None and not self._answering():
            self._end()

    # the parser's callbacks

    def on_message_begin(self) -> None:
        """Begin a request: the connection is idle no more."""
        self._idle.clear()
        super().on_message_begin()
        self._step(in_message=True, in_body=False)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is none (RFC 9110 §6.5.1), or it could bring a credential after the check."""
        if not self._in_body:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop waiting for the head; a request that asks for an unknown upgrade is parsed again without that."""
        self._paces.head_arrived()
        version = self.parser.get_http_version()
        check_head(self.parser.get_method(), self.url, version, self.headers)
        if version == "1.0":
            # Such a peer knows no interim answer (RFC 9110 §10.1.1).
            self.expect_100_continue = False
        if self.parser.should_upgrade() or self._answering():
            if not self._unknown_upgrade():
                super().on_headers_complete()
        else:
            # Alone: it waits for what else was read, which may well be all of it.
            self._held = bytearray()
        self._step(in_message=True, in_body=True)

    def on_body(self, body: bytes) -> None:
        """Keep the body, or see that what nobody waits for comes at a pace."""
        if self._held is not None:
            self._held += body
        else:
            super().on_body(body)
        self._step(in_message=True, in_body=True)
        self._paces.rest_came(len(body))

    def on_message_complete(self) -> None:
        """Let the request have its body's end; without one to answer, begin to wait for the next."""
        self._step(in_message=False, in_body=False)
        if self.parser.should_upgrade():
            return
        if not self._answered_directly():
            self._start()
            super().on_message_complete()
        self._paces.rest_arrived()
        if not self._answering():
            self._rest()

    def _step(self, *, in_message: bool, in_body: bool) -> None:
        self._steps += 1
        self._overhead_bytes = 0
        self._in_message = in_message
        self._in_body = in_body

    # requests

    def _start(self) -> None:
        """Hand a request that was held to the application, with what came of its body."""
        held, self._held = self._held, None
        if held is not None:
            super().on_headers_complete()
            super().on_body(bytes(held))

    def _answered_directly(self) -> bool:
        """Answer a request that was held and is whole without ASGI, if it is one of those."""
        direct, held = self.direct, self._held
        raw_path, _, query = self.url.partition(b"?")
        if direct is None or held is None or self.flow.write_paused or self.expect_100_continue:
            return False
        if b"%" in raw_path or b"#" in self.url:
            # A path that is not as it stands is left to the one place that decodes it.
            return False
        head, body = self._head_of(raw_path.decode("latin-1"), raw_path, query), bytes(held)
        if not direct.takes(head, body):
            return False
        self._held = None
        keep_alive = head.version != "1.0" and self.parser.should_keep_alive()
        standing = self.server_state.default_headers
        exchange = Exchange(direct, head, self.transport, standing, self.on_response_complete, keep_alive=keep_alive)
        self.cycle = self._running = exchange
        direct.answer(head, body, exchange.answered)
        return True

    def on_response_complete(self) -> None:
        """Start the next request, wait for one, or end the connection as it must end."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._last is not None:
            self._end()
        elif not self._in_message:
            self._rest()
        elif self._in_body:
            self._paces.await_rest()

    def _rest(self) -> None:
        """Wait for the next request and keep nothing of the last: an idle connection holds no more than a new one."""
        self._idle.set()
        self.cycle = self._running = None  # type: ignore[assignment]
        self.headers, self.url, self.scope = None, b"", None  # type: ignore[assignment]

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _answering(self) -> bool:
        """Say whether a request waits for its answer: the newest one is answered last."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    # what can't be parsed

    def _feed(self, data: bytes) -> None:
        """Parse all of it; a head that says the rest is no HTTP any more is an upgrade, a CONNECT, or parsed again.

        Ends by construction: each round takes off what was parsed, and what is parsed again is parsed once more only.
        """
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[max(upgrade.args[0], 1) :]
            else:
                return
            if self._should_upgrade():
                self._upgraded(data)
                return
            if self.parser.get_method() == CONNECT:
                self._refuse_tunnel()
                return
            head = self._head_again()
            # The old parser would read nothing behind a head that also says `close`.
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)

    def _refuse_tunnel(self) -> None:
        """Let a CONNECT be answered as any wrong method, as the last: nothing behind it is HTTP (RFC 9110 §9.3.6)."""
        self.cycle.more_body = self.cycle.keep_alive = False
        self.cycle.message_event.set()
        self._end_with(b"")

    def _unparsable(self, message: str) -> None:
        """Refuse: a request of its own, or the request whose body it stands in, which may be answered already."""
        if not self._in_body:
            self.send_400_response(message)
            return
        if self._answering():
            self.cycle.scope["state"][UNREADABLE] = True
            self.cycle.more_body = self.cycle.keep_alive = False
            self.cycle.message_event.set()
        self._end_with(b"")

    def _bound_overhead(self) -> None:
        """Refuse a head or a trailer that never ends: the parser keeps all of it."""
        if self._last is None and self._overhead_bytes > HEAD_BYTES_MAX:
            self._unparsable("the request's head is too large")

    # the end of HTTP on this connection

    def _end_with(self, last: bytes) -> None:
        """Write these bytes once every request before is answered, and close; read nothing more."""
        self._paces.head_arrived()
        self._paces.rest_arrived()
        self._last = last
        if not self._answering():
            self._end()

    def _end(self) -> None:
        self._idle.clear()
        last = self._last or b""
        if self.transport.is_closing():
            return
        if self._handshake is not None:
            # A socket must hear of every pause; it takes the connection over once the answers before it are gone.
            if not self.flow.write_paused:
                self._hand_over(self._handshake, last)
            return
        self.transport.write(last)
        if self.transport.can_write_eof():
            # Closing while the peer still sends would reset the connection and lose the answer.
            self.transport.write_eof()
            self._paces.await_end()
        else:
            self.transport.close()

    def _keep_early(self, data: bytes) -> None:
        """Keep what comes for a socket that is not open yet; drop what follows a refusal."""
        if self._handshake is None or self._last is None:
            return
        self._last += data
        if len(self._last) > limits.CLIENT_MESSAGE_BYTES_MAX:
            self._handshake, self._last = None, b""

    # the upgrade

    def _should_upgrade(self) -> bool:
        """Only the socket's path can be upgraded; elsewhere the request is served as if it had not asked."""
        asked = self._get_upgrade() or b""
        return b"websocket" in {name.strip() for name in asked.split(b",")} and self._path() == self.socket_path

    def _unknown_upgrade(self) -> bool:
        upgrade = self.parser.should_upgrade() and not self._should_upgrade()
        return upgrade and self.parser.get_method() != CONNECT

    def _head_again(self) -> bytes:
        version = self.parser.get_http_version()
        return without_upgrade(self.parser.get_method(), self.url, version, self.headers)

    def _path(self) -> str:
        return urllib.parse.unquote(in_origin_form(self.url).partition(b"?")[0].decode("latin-1"))

    def _upgraded(self, early: bytes) -> None:
        raw_path, _, query = in_origin_form(self.url).partition(b"?")
        self._handshake = self._head_of(self._path(), raw_path, query)
        self._end_with(early)

    def _head_of(self, path: str, raw_path: bytes, query: bytes) -> Head:
        method, version = self.parser.get_method().decode("ascii"), self.parser.get_http_version()
        address = self.client[0] if self.client is not None else ""
        return head_of(method, path, query, self.headers, address, raw_path, version, self.scheme or "http")

    def _hand_over(self, head: Head, early: bytes) -> None:
        self.connections.discard(self)
        protocol: WebSocketProtocol = self.ws_protocol_class(  # type: ignore[call-arg, misc, assignment]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        self.transport.set_protocol(protocol)
        protocol.upgrade(self.transport, head, early)
        # Not at once: this may be the parser's own call.
        self.loop.call_soon(self._let_go)

    def _let_go(self) -> None:
        """Break the circles through parser, timers and cycle, so that memory is free at once and not when collected."""
        self._paces.close()
        self._idle.close()
        for name in ("parser", "cycle", "_paces", "_idle", "_running"):
            setattr(self, name, None)
