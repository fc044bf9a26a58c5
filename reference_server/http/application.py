"""HTTP's shell: a bare ASGI application over the driver, and uvicorn's parser with our own refusals and time limits.

The application knows how bodies arrive, and nothing of what they mean; the order of refusals before a body is read
is the driver's. A request that the parser can't read gets the contract's JSON as any other.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from uvicorn._types import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, HTTPScope, Scope

from reference_server.contract import limits
from reference_server.contract.operations import BY_NAME
from reference_server.core.admission import Origins, client_scheme, is_api, methods_of
from reference_server.core.answers import Answer, BlobBody, Headers, error, unavailable, went_wrong
from reference_server.core.calls import Admitted, Granted, Head
from reference_server.http.bodies import (
    Body,
    BodyStalledError,
    BodyTooLargeError,
    BodyUnreadableError,
    read_body,
)
from reference_server.http.page_files import Page, PageFiles
from reference_server.http.responses import (
    body_of,
    head_of,
    headers_of,
    length_of,
    sharing_headers,
    streamed_headers_of,
)
from reference_server.observing.log_lines import fields
from reference_server.observing.observer import Observed, Observer
from reference_server.transfers.blob_access import Download
from reference_server.transfers.uploads import Received, Receiving

logger = logging.getLogger(__name__)
T = TypeVar("T")
SOCKET_PATH: Final = BY_NAME["ws_connect"].path
PAGE_METHODS: Final = ("GET", "HEAD")
CONTINUE: Final = "100-continue"
GONE: Final = "gone"
"""In a scope's state: the connection is lost, and nobody reads the answer."""
UNREADABLE: Final = "unreadable"
"""In a scope's state: the body broke off, because what came can't be parsed."""


class Api(Protocol):
    """What the application asks of the driver."""

    def admit(self, head: Head, then: Callable[[Admitted | Answer], None]) -> None:
        """Judge a request by its head alone."""

    def receive(self, admitted: Admitted) -> Receiving | Answer:
        """Begin to receive the file of an admitted request."""

    def handle(self, admitted: Admitted, body: bytes | Received, reply: Callable[[Answer], None]) -> None:
        """Carry out an admitted request."""

    def open_blob(self, admitted: Admitted, answer: Answer, then: Callable[[Download | Answer], None]) -> None:
        """Open what an answer streams."""

    def handshake(self, head: Head, reply: Callable[[Granted | Answer], None]) -> None:
        """Judge a handshake."""


class Application:
    """The ASGI application of one process: API, service and pages on one origin."""

    def __init__(self, driver: Api, origins: Origins, pages: PageFiles, observer: Observer) -> None:
        self._driver = driver
        self._observer = observer
        self._origins = origins
        self._pages = pages

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request; one that the end of the process cuts short has no answer and no traceback."""
        if scope["type"] != "http":
            return
        with contextlib.suppress(asyncio.CancelledError):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        head = _head(scope)
        observed = self._observer.begin(head)
        page = self._page(head)
        if page is not None:
            headers = [*page.headers, *length_of(page.status, len(page.body)), *observed.headers]
            await _send(send, page.status, headers, page.body)
            self._observer.page(observed, page.status, len(page.body))
            return
        reading = _Reading(scope, receive)
        answer, ends, download, admitted = await self._answer_or_500(observed, reading)
        extra = [*sharing_headers(self._origins, head), *observed.headers]
        if ends or (head.headers.get("expect", "").lower() == CONTINUE and not reading.begun):
            # A sender that waits for 100 may leave its body out now, and the next request would be read as one.
            extra.append((b"connection", b"close"))
        if download is not None:
            await _stream(scope, send, answer, extra, download)
            self._observer.answer(observed, admitted, answer.status, download.size)
            return
        body = body_of(answer)
        await _send(send, answer.status, [*headers_of(answer, body), *extra], body)
        self._observer.answer(observed, admitted, answer.status, len(body))

    def _page(self, head: Head) -> Page | None:
        if is_api(head.path) or head.method not in PAGE_METHODS or methods_of(head.path):
            return None
        scheme = client_scheme(head, self._origins.proxies)
        found = self._pages.get(head, scheme)
        if found is None and "text/html" in head.headers.get("accept", ""):
            return self._pages.not_found(head.headers, scheme)
        return found

    async def _answer_or_500(self, observed: Observed, receive: ASGIReceiveCallable) -> "_Reply":
        try:
            return await self._answer(observed.head, receive)
        except asyncio.CancelledError:
            # Only the end of the process cancels: what has not come by then will not be waited for.
            return _Reply(unavailable(), ends=True)
        except Exception:
            logger.exception("a request failed", extra=fields(request_id=observed.request_id))
            return _Reply(went_wrong(), ends=True)

    async def _answer(self, head: Head, receive: ASGIReceiveCallable) -> "_Reply":
        methods = methods_of(head.path)
        if head.method == "OPTIONS" and methods:
            return _Reply(_preflight(methods))
        if not methods and self._pages.exists(head.path) and not is_api(head.path):
            allow = ", ".join(PAGE_METHODS)
            return _Reply(error(405, f"this is a page; possible: {allow}", headers=(("Allow", allow),)))
        if head.path == SOCKET_PATH:
            return _Reply(await self._no_handshake(head))
        admitted = await _asked(partial(self._driver.admit, head))
        if isinstance(admitted, Answer):
            return _Reply(admitted)
        return (await self._admitted(admitted, receive))._replace(admitted=admitted)

    async def _no_handshake(self, head: Head) -> Answer:
        """Answer what came to the socket's path without an upgrade, in the handshake's order (contract §1)."""
        answer = await _asked(partial(self._driver.handshake, head))
        return answer if isinstance(answer, Answer) else error(400, "this is a WebSocket: send an upgrade")

    async def _admitted(self, admitted: Admitted, receive: ASGIReceiveCallable) -> "_Reply":
        try:
            body = await self._body(admitted, receive)
        except BodyTooLargeError:
            return _Reply(error(413, f"the body is over {limits.JSON_BODY_BYTES_MAX} bytes"))
        except BodyStalledError:
            return _Reply(error(400, "the body did not arrive in time"), ends=True)
        except BodyUnreadableError:
            return _Reply(error(400, "the body is not framed as HTTP says"), ends=True)
        if isinstance(body, Answer):
            return _Reply(body)
        answer = await _asked(partial(self._driver.handle, admitted, body))
        if not isinstance(answer.body, BlobBody):
            return _Reply(answer)
        opened = await _asked(partial(self._driver.open_blob, admitted, answer))
        return _Reply(opened) if isinstance(opened, Answer) else _Reply(opened.answer, download=opened)

    async def _body(self, admitted: Admitted, receive: ASGIReceiveCallable) -> bytes | Received | Answer:
        operation = admitted.route.operation
        if operation.file is not None:
            return await self._form(admitted, receive)
        return b"" if operation.body is None else await read_body(admitted.head, receive)

    async def _form(self, admitted: Admitted, receive: ASGIReceiveCallable) -> Received | Answer:
        receiving = self._driver.receive(admitted)
        if isinstance(receiving, Answer):
            return receiving
        body = Body(receive)
        try:
            while piece := await body.read():
                refusal: Answer | None = await _asked(partial(receiving.feed, piece))
                if refusal is not None:
                    return refusal
            return await _asked(receiving.finish)
        finally:
            receiving.abandon()


class _Reply(NamedTuple):
    """What goes out: `ends` if the connection must end after it, a `download` if its body comes in pieces.

    `admitted` is the request, if it was.
    """

    answer: Answer
    ends: bool = False
    download: Download | None = None
    admitted: Admitted | None = None


class _Reading:
    """A request's body as the server gives it; `begun` once it was asked for, which tells its sender to go on."""

    def __init__(self, scope: HTTPScope, receive: ASGIReceiveCallable) -> None:
        self.begun = False
        self._scope = scope
        self._receive = receive

    async def __call__(self) -> ASGIReceiveEvent:
        self.begun = True
        message = await self._receive()
        if UNREADABLE in self._scope["state"]:
            raise BodyUnreadableError
        return message


async def _asked(ask: Callable[[Callable[[T], None]], None]) -> T:
    """Turn a question with a callback into one that can be awaited."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def then(value: T) -> None:
        if not future.done():
            future.set_result(value)

    ask(then)
    return await future


def _preflight(methods: tuple[str, ...]) -> Answer:
    """Answer OPTIONS; whether the page may go on stands in the headers of every answer (contract §2 origin)."""
    allow = ", ".join([*methods, "OPTIONS"])
    sharing = (
        ("Access-Control-Allow-Methods", ", ".join(methods)),
        ("Access-Control-Allow-Headers", "Authorization, Content-Type"),
        ("Access-Control-Max-Age", "600"),
    )
    return Answer(204, None, (("Allow", allow), *sharing))


def _head(scope: HTTPScope) -> Head:
    client = scope["client"]
    address = client[0] if client is not None else ""
    return head_of(
        scope["method"],
        scope["path"],
        scope["query_string"],
        scope["headers"],
        address,
        scope["raw_path"],
        scope["http_version"],
        scope["scheme"],
    )


async def _send(send: ASGISendCallable, status: int, headers: Headers, body: bytes) -> None:
    start: Any = {"type": "http.response.start", "status": status, "headers": headers}
    rest: Any = {"type": "http.response.body", "body": body, "more_body": False}
    await send(start)
    await send(rest)


async def _stream(scope: HTTPScope, send: ASGISendCallable, answer: Answer, extra: Headers, download: Download) -> None:
    """Send a blob piece by piece; one that can't be read to its end is cut short, and the connection with it."""
    headers = [*streamed_headers_of(answer, download.size), *extra]
    start: Any = {"type": "http.response.start", "status": answer.status, "headers": headers}
    try:
        await send(start)
        left, piece = download.size, b""
        while True:
            rest: Any = {"type": "http.response.body", "body": piece, "more_body": left > 0}
            await send(rest)
            if not left or GONE in scope["state"]:
                return
            read = await _asked(download.read)
            if not read:
                return
            piece, left = read, left - len(read)
    finally:
        download.close()
