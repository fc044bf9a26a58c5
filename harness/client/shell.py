"""The asyncio shell of our client: real sockets and real HTTP for the driver and the REST client.

The protocol itself is a library's Sans-I/O core (RFC 6455); here its bytes go over asyncio transports, so that every
control frame can be told and a cut is an abort of the transport. The one place of the client with clocks and chance.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
import msgspec
from msgspec import Struct
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from harness.client.driver import SocketEvents
from harness.client.rest import Headers, NoAnswerError, RawAnswer
from reference_server.contract import limits
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, SESSION_COOKIE, SUBPROTOCOL

CONNECT_DEADLINE_S: Final = 15.0
ANSWER_BYTES_MAX: Final = limits.BINARY_BYTES_MAX + 1024 * 1024
"""Of a body that is read: the largest of the contract is an agent's binary."""

REST_DEADLINE_S: Final = 20.0
LINGER_S_MAX: Final = 10.0
LAG_PERIOD_S: Final = 0.02
QUERY_AUTH_PREFIX: Final = "query:"


class Endpoint(Struct, frozen=True):
    """Where a socket is and how it takes its token: header, subprotocol, cookie, query:<name> or none (§10)."""

    url: str
    auth: str = "subprotocol"
    tls: Any = None


def dressed(endpoint: Endpoint, token: str) -> tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return URL, subprotocols and headers of a handshake that carries the token as this endpoint takes it."""
    if endpoint.auth == "header":
        return endpoint.url, (SUBPROTOCOL,), (("Authorization", f"Bearer {token}"),)
    if endpoint.auth == "cookie":
        return endpoint.url, (SUBPROTOCOL,), (("Cookie", f"{SESSION_COOKIE}={token}"),)
    if endpoint.auth.startswith(QUERY_AUTH_PREFIX):
        parts = urlsplit(endpoint.url)
        query = urlencode({endpoint.auth.removeprefix(QUERY_AUTH_PREFIX): token})
        return urlunsplit(parts._replace(query=query)), (), ()
    if endpoint.auth == "none":
        return endpoint.url, (), ()
    return endpoint.url, (SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + token), ()


def tls_context(ca: str | None) -> ssl.SSLContext:
    """Return the context for https and wss; `ca` names a file with further roots. Raises OSError, ssl.SSLError."""
    context = ssl.create_default_context()
    if ca is not None:
        context.load_verify_locations(ca)
    return context


class HttpTransport:
    """`harness.client.rest.Transport` over httpx: a request has a deadline, a body a bound, redirects are answers."""

    def __init__(
        self,
        base: str,
        tls: ssl.SSLContext | None = None,
        deadline_s: float = REST_DEADLINE_S,
        body_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> None:
        self._base = base.rstrip("/")
        # No proxy, no netrc: what is tested is the target, not this machine's settings.
        self._client = httpx.AsyncClient(
            verify=tls if tls is not None else False, timeout=deadline_s, trust_env=False, follow_redirects=False
        )
        self._deadline_s = deadline_s
        self._body_bytes_max = body_bytes_max

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        """Send one request; raises NoAnswerError when no answer came in time, or one over the bound."""
        try:
            async with asyncio.timeout(self._deadline_s):
                stream = self._client.stream(method, self._base + path_and_query, headers=list(headers), content=body)
                async with stream as answer:
                    content = await self._body(answer)
        except TimeoutError as fault:
            raise NoAnswerError(f"no answer within {self._deadline_s:g} s") from fault
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as fault:
            why = str(fault) or "the connection ended before an answer came"
            raise NoAnswerError(f"{type(fault).__name__}: {why}") from fault
        return RawAnswer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, content)

    async def _body(self, answer: httpx.Response) -> bytes:
        parts, size = [], 0
        async for part in answer.aiter_bytes():
            size += len(part)
            if size > self._body_bytes_max:
                raise NoAnswerError(f"a body of over {self._body_bytes_max} bytes came, which is not read")
            parts.append(part)
        return b"".join(parts)

    async def close(self) -> None:
        """Close the kept connections."""
        await self._client.aclose()


class LoopLag:
    """How late a periodic timer of our own loop came at worst: a stall of ours is no fault of the target's."""

    def __init__(self, period_s: float = LAG_PERIOD_S) -> None:
        self._period_s = period_s
        self._timer: asyncio.TimerHandle | None = None
        self._worst_s = 0.0

    def start(self) -> None:
        """Watch the running loop from now on; once is enough."""
        if self._timer is None:
            self._arm()

    def stop(self) -> float | None:
        """Stop watching; return the worst lag in ms, a stall that goes on included, or None if never started."""
        if self._timer is None:
            return None
        self._note(self._timer.when())
        self._timer.cancel()
        self._timer = None
        return round(self._worst_s * 1000, 3)

    def _arm(self) -> None:
        due_s = asyncio.get_running_loop().time() + self._period_s
        self._timer = asyncio.get_running_loop().call_at(due_s, self._due, due_s)

    def _due(self, due_s: float) -> None:
        self._note(due_s)
        self._arm()

    def _note(self, due_s: float) -> None:
        self._worst_s = max(self._worst_s, asyncio.get_running_loop().time() - due_s)


class ShellCondition:
    """`driver.Condition` over asyncio."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()

    def notify(self) -> None:
        for event in self._waiting:
            event.set()

    async def wait(self, holds: Callable[[], bool], deadline_s: float) -> bool:
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(deadline_s):
                while not holds():
                    event.clear()
                    await event.wait()
        except TimeoutError:
            return holds()
        finally:
            self._waiting.discard(event)
        return True


AskMe = Callable[[], "asyncio.Future[tuple[int, int | None]]"]


class ShellEnvironment:
    """`driver.ClientEnvironment` over asyncio; one a tab, since it knows the tab's token.

    `ask` starts `GET /users/me` in the tab's name and gives status and Retry-After.
    """

    def __init__(
        self, endpoint: Endpoint, token: str, draw: Callable[[], float], ask: AskMe, jobs: set[asyncio.Task[Any]]
    ) -> None:
        self._endpoint = endpoint
        self._token = token
        self._draw = draw
        self._ask = ask
        self._jobs = jobs
        self._epoch_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        return self._epoch_ms + time.monotonic_ns() // 1_000_000

    def call_at(self, at_ms: int, callback: Callable[[], None]) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()

        def due() -> None:
            # The loop's clock and ours differ by rounding: a timer told of too early would be ignored.
            left_ms = at_ms - self.now_ms()
            if left_ms > 0:
                loop.call_later(left_ms / 1000, due)
            else:
                callback()

        return loop.call_later(max(0.0, (at_ms - self.now_ms()) / 1000), due)

    def draw(self) -> float:
        return self._draw()

    def open_socket(self, url: str, subprotocols: Sequence[str], events: SocketEvents) -> "ShellSocket":
        if self._endpoint.auth == "subprotocol":
            socket = ShellSocket(url, subprotocols, (), events)
        else:
            socket = ShellSocket(*dressed(self._endpoint, self._token), events)
        self._keep(asyncio.ensure_future(socket.connect(self._endpoint.tls)))
        return socket

    def ask_me(self, done: Callable[[int, int | None], None]) -> None:
        self._ask().add_done_callback(lambda asked: None if asked.cancelled() else done(*asked.result()))

    def condition(self) -> ShellCondition:
        return ShellCondition()

    def _keep(self, job: "asyncio.Task[Any]") -> None:
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)


class ShellSocket(asyncio.Protocol):
    """One socket: the Sans-I/O core between an asyncio transport and the driver's `SocketEvents`."""

    def __init__(
        self, url: str, subprotocols: Sequence[str], headers: Sequence[tuple[str, str]], events: SocketEvents
    ) -> None:
        self._uri = parse_uri(url)
        self._headers = headers
        self._events = events
        offered = [Subprotocol(name) for name in subprotocols]
        self._protocol = ClientProtocol(self._uri, subprotocols=offered or None, max_size=None)
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._reading: Opcode | None = None
        self._opened = False
        self._ended = False
        self._aborted = False
        self._left_first = False
        self._peer_first = False
        self._close: tuple[int, str] | None = None

    async def connect(self, tls: ssl.SSLContext | None) -> None:
        """Dial and send the handshake; reports `refused` when that fails."""
        loop = asyncio.get_running_loop()
        secure = (tls or ssl.create_default_context()) if self._uri.secure else None
        try:
            async with asyncio.timeout(CONNECT_DEADLINE_S):
                await loop.create_connection(lambda: self, self._uri.host, self._uri.port, ssl=secure)
        except OSError as fault:
            self._refuse(0, why=f"{type(fault).__name__}: {fault}")
            return
        loop.call_later(CONNECT_DEADLINE_S, self._give_up_handshake)

    # --- what the driver calls

    def send_text(self, text: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text.encode())
            self._flush()

    def close(self, code: int) -> None:
        if self._protocol.state is State.OPEN:
            self._left_first = True
            self._protocol.send_close(code)
            self._flush()
        elif self._protocol.state is State.CONNECTING:
            self.abort()

    def abort(self) -> None:
        self._aborted = True
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._aborted:
            transport.abort()
            return
        request = self._protocol.connect()
        for name, value in self._headers:
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        if self._aborted:
            return
        self._protocol.receive_data(data)
        self._take_events()
        self._flush()

    def eof_received(self) -> bool:
        self._protocol.receive_eof()
        self._take_events()
        self._flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        if self._protocol.state is State.CONNECTING or not self._opened:
            fault = exc or self._protocol.handshake_exc
            self._refuse(0, why=f"ended before the handshake was answered{f': {fault}' if fault else ''}")
        elif not self._ended:
            self._ended = True
            code, reason = self._close or (1006, "")
            sent = self._protocol.close_sent is not None
            by: Any = "self" if self._aborted or (self._left_first and not self._peer_first) else "peer"
            self._events.closed(code, reason, self._close is not None and sent and not self._aborted, by)

    # --- between the two

    def _take_events(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Response) and self._protocol.handshake_exc is None:
                self._opened = True
                self._events.opened(self._protocol.subprotocol)
            elif isinstance(event, Frame):
                self._take_frame(event)
        exc = self._protocol.handshake_exc
        if exc is not None and not self._opened:
            self._take_handshake_fault(exc)

    def _take_handshake_fault(self, exc: Exception) -> None:
        response = exc.response if isinstance(exc, InvalidStatus) else None
        if response is None:
            self._refuse(0, why=f"{type(exc).__name__}: {exc}")
        else:
            self._refuse(response.status_code, body=_body_of(response.body))
        self.abort()

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            self._reading = frame.opcode if frame.opcode is not Opcode.CONT else self._reading
            self._parts.append(bytes(frame.data))
            if frame.fin:
                self._take_message()
        elif frame.opcode is Opcode.CLOSE:
            self._peer_first = not self._left_first
            told = self._protocol.close_rcvd
            self._close = (told.code, told.reason) if told is not None else None
            # The server ends the TCP connection (RFC 6455 §7.1.1); one that does not shall not hold us here.
            asyncio.get_running_loop().call_later(LINGER_S_MAX, self._end_linger)
        else:
            self._events.frame(frame.opcode.name.lower(), len(frame.data))

    def _take_message(self) -> None:
        payload, self._parts = b"".join(self._parts), []
        if self._reading is Opcode.TEXT:
            self._events.received(payload)
        else:
            self._events.frame("binary", len(payload))

    def _end_linger(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _give_up_handshake(self) -> None:
        if not self._opened and not self._ended:
            self._refuse(0, why=f"no answer to the handshake within {CONNECT_DEADLINE_S:g} s")
            self.abort()

    def _refuse(self, status: int, body: Any = None, why: str = "") -> None:
        if not self._ended:
            self._ended = True
            self._events.refused(status, body, why)

    def _flush(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()


def _body_of(body: Any) -> Any:
    """Return a refusal's body: parsed JSON, else text, else None."""
    if not body:
        return None
    try:
        return msgspec.json.decode(bytes(body))
    except msgspec.DecodeError:
        return bytes(body)[:1000].decode("utf-8", "replace")
