"""One connection of the HTTP protocol without a network: pieces of bytes in, and what was written comes back."""

import asyncio
import time
from collections.abc import Sequence
from typing import ClassVar

import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from reference_server.http.protocol import HttpProtocol
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer


class Watched(HttpProtocol):
    """The protocol with an observer of its own, and no socket: every upgrade is unknown, its head parsed again."""

    observer = Observer(Metrics(), time.monotonic_ns)
    socket_path: ClassVar[str | None] = None


class Taken(asyncio.Transport):
    """A transport whose peer takes everything."""

    closed = False
    written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


async def _answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def fed(pieces: Sequence[bytes]) -> bytes:
    """Feed a connection, and return what it wrote; each request is answered with an empty 200."""
    config = uvicorn.Config(_answer, http=Watched, ws="none", lifespan="off", log_config=None)
    connection, transport = Watched(config=config, server_state=ServerState(), app_state={}), Taken()
    connection.connection_made(transport)
    for piece in pieces:
        connection.data_received(piece)
    while connection.tasks:
        await asyncio.wait(connection.tasks)
    connection.connection_lost(None)
    return transport.written
