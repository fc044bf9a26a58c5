"""Bodies of requests as they arrive over ASGI: piece by piece, at no less than 1 KiB in any 30 s (contract §5)."""

import asyncio

from uvicorn._types import ASGIReceiveCallable

from reference_server.contract import limits
from reference_server.core.calls import Head


class BodyTooLargeError(Exception):
    """A body over the limit, by its Content-Length or by what came."""


class BodyStalledError(Exception):
    """A body that brought less than 1 KiB in 30 s, or whose sender went away."""


class BodyUnreadableError(Exception):
    """A body that broke off in something that is no HTTP."""


class Body:
    """One body that is being read; only the time spent waiting for its sender counts against the pace."""

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self._receive = receive
        self._more = True
        self._left_s: float = limits.BODY_STALL_S
        self._window_bytes = 0

    async def read(self) -> bytes:
        """Return what came next, nothing at the end; raises BodyStalledError, BodyUnreadableError."""
        piece = b""
        while self._more and not piece:
            piece = await self._next()
        return piece

    async def _next(self) -> bytes:
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self._left_s):
                message = await self._receive()
        except TimeoutError as late:
            raise BodyStalledError from late
        if message["type"] != "http.request":
            raise BodyStalledError
        self._more = message["more_body"]
        self._keep_pace(len(message["body"]), loop.time() - started)
        return message["body"]

    def _keep_pace(self, came_bytes: int, waited_s: float) -> None:
        """Begin a new window once 1 KiB has come in this one."""
        self._window_bytes += came_bytes
        self._left_s -= waited_s
        if self._window_bytes >= limits.BODY_STALL_BYTES_MIN:
            self._window_bytes, self._left_s = 0, limits.BODY_STALL_S


async def read_body(head: Head, receive: ASGIReceiveCallable) -> bytes:
    """Read a JSON body whole, at most 1 MiB of it (contract §2); raises BodyTooLargeError and what `Body` does."""
    if head.declared_bytes > limits.JSON_BODY_BYTES_MAX:
        raise BodyTooLargeError
    body, whole = Body(receive), bytearray()
    while piece := await body.read():
        whole += piece
        if len(whole) > limits.JSON_BODY_BYTES_MAX:
            raise BodyTooLargeError
    return bytes(whole)
