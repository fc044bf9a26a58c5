"""HTTP's shell: a bare ASGI application over the driver, and uvicorn's parser with our own refusals and time limits.

The application knows how bodies arrive, and nothing of what they mean; the order of refusals before a body is read
is the driver's. A request that the parser can't read gets the contract's JSON as any other.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from uvicorn._types import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, HTTPScope, Scope

from reference_server.contract import limits
from reference_server.contract.operations import BY_NAME
from reference_server.core.admission import Origins, is_api, methods_of
from reference_server.core.answers import Answer, error, unavailable
from reference_server.core.calls import Head
from reference_server.driver import Admitted, Driver
from reference_server.page_files import Page, PageFiles
from reference_server.responses import Headers, body_of, head_of, headers_of, length_of, sharing_headers

logger = logging.getLogger(__name__)
T = TypeVar("T")
SOCKET_PATH: Final = BY_NAME["ws_connect"].path
PAGE_METHODS: Final = ("GET", "HEAD")
UNREADABLE: Final = "unreadable"
"""In a scope's state: the body broke off, because what came can't be parsed."""


class Application:
    """The ASGI application of one process: API, service and pages on one origin."""

    def __init__(self, driver: Driver, origins: Origins, pages: PageFiles) -> None:
        self._driver = driver
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
        page = self._page(scope, head)
        if page is not None:
            await _send(send, page.status, [*page.headers, *length_of(page.status, page.body)], page.body)
            return
        answer, ends = await self._answer_or_500(head, partial(_receive_whole, scope, receive))
        body = body_of(answer)
        headers = [*headers_of(answer, body), *sharing_headers(self._origins, head.path, head.headers)]
        await _send(send, answer.status, [*headers, (b"connection", b"close")] if ends else headers, body)

    def _page(self, scope: HTTPScope, head: Head) -> Page | None:
        if is_api(head.path) or head.method not in PAGE_METHODS or methods_of(head.path):
            return None
        found = self._pages.get(head.path, head.headers, scope["scheme"])
        if found is None and "text/html" in head.headers.get("accept", ""):
            return self._pages.not_found(head.headers, scope["scheme"])
        return found

    async def _answer_or_500(self, head: Head, receive: ASGIReceiveCallable) -> tuple[Answer, bool]:
        try:
            return await self._answer(head, receive)
        except asyncio.CancelledError:
            # Only the end of the process cancels: what has not come by then will not be waited for.
            return unavailable(), True
        except Exception:
            logger.exception("a request failed")
            return error(500, "something went wrong on the server; it was logged"), True

    async def _answer(self, head: Head, receive: ASGIReceiveCallable) -> tuple[Answer, bool]:
        """Return the answer, and whether the connection must end after it."""
        methods = methods_of(head.path)
        if head.method == "OPTIONS" and methods:
            return _preflight(methods), False
        if not methods and self._pages.exists(head.path) and not is_api(head.path):
            allow = ", ".join(PAGE_METHODS)
            return error(405, f"this is a page; possible: {allow}", headers=(("Allow", allow),)), False
        if head.path == SOCKET_PATH:
            return await self._no_handshake(head), False
        admitted = await _asked(partial(self._driver.admit, head))
        if isinstance(admitted, Answer):
            return admitted, False
        return await self._admitted(admitted, receive)

    async def _no_handshake(self, head: Head) -> Answer:
        """Answer what came to the socket's path without an upgrade, in the handshake's order (contract §1)."""
        answer = await _asked(partial(self._driver.handshake, head))
        return answer if isinstance(answer, Answer) else error(400, "this is a WebSocket: send an upgrade")

    async def _admitted(self, admitted: Admitted, receive: ASGIReceiveCallable) -> tuple[Answer, bool]:
        body = b""
        if admitted.route.operation.body is not None:
            try:
                body = await read_body(admitted.head, receive)
            except BodyTooLargeError:
                return error(413, f"the body is over {limits.JSON_BODY_BYTES_MAX} bytes"), False
            except BodyStalledError:
                return error(400, "the body did not arrive in time"), True
            except BodyUnreadableError:
                return error(400, "the body is not framed as HTTP says"), True
        return await _asked(partial(self._driver.handle, admitted, body)), False


class BodyTooLargeError(Exception):
    """A body over the limit, by its Content-Length or by what came."""


class BodyStalledError(Exception):
    """A body that brought less than 1 KiB in 30 s, or whose sender went away."""


class BodyUnreadableError(Exception):
    """A body that broke off in something that is no HTTP."""


async def read_body(head: Head, receive: ASGIReceiveCallable) -> bytes:
    """Read a body, at most 1 MiB of it, at no less than 1 KiB in any 30 s (contract §§2, 5)."""
    declared = head.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.JSON_BODY_BYTES_MAX:
        raise BodyTooLargeError
    body = bytearray()
    more, window_start = True, 0
    while more:
        try:
            async with asyncio.timeout(limits.BODY_STALL_S):
                while more and len(body) - window_start < limits.BODY_STALL_BYTES_MIN:
                    more = await _read_some(receive, body)
        except TimeoutError as late:
            raise BodyStalledError from late
        window_start = len(body)
    return bytes(body)


async def _read_some(receive: ASGIReceiveCallable, body: bytearray) -> bool:
    message = await receive()
    if message["type"] != "http.request":
        raise BodyStalledError
    body += message["body"]
    if len(body) > limits.JSON_BODY_BYTES_MAX:
        raise BodyTooLargeError
    return message["more_body"]


async def _receive_whole(scope: HTTPScope, receive: ASGIReceiveCallable) -> ASGIReceiveEvent:
    message = await receive()
    if UNREADABLE in scope["state"]:
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
    raw_path, version = scope["raw_path"], scope["http_version"]
    return head_of(scope["method"], scope["path"], scope["query_string"], scope["headers"], address, raw_path, version)


async def _send(send: ASGISendCallable, status: int, headers: Headers, body: bytes) -> None:
    start: Any = {"type": "http.response.start", "status": status, "headers": headers}
    rest: Any = {"type": "http.response.body", "body": body, "more_body": False}
    await send(start)
    await send(rest)
