"""uvicorn's stock socket path: a bare ASGI application that sends to one connection after the other, on uvloop.

The implementation is the one uvicorn takes by itself; compression and its own pings are off.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any, TypeAlias

import uvicorn
import uvloop

from harness.bench.rivals.publishing import BACKLOG, HOST, MESSAGE, WELCOME, Receivers, announce, publishing

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[Message]]


class Application:
    """Accepts sockets, and sends one message to those it is told to."""

    def __init__(self) -> None:
        self.receivers = Receivers[Send]()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": WELCOME.decode()})
        number = self.receivers.join(send)
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self.receivers.leave(number)

    async def send(self, chosen: Collection[Send]) -> None:
        """Send; uvicorn encodes and frames for each connection."""
        message = {"type": "websocket.send", "text": MESSAGE.decode()}
        # A copy: others may join or leave while one waits.
        for send in list(chosen):
            await send(message)


async def _serve() -> None:
    application = Application()
    door = socket.create_server((HOST, 0), backlog=BACKLOG)
    config = uvicorn.Config(
        application,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
    )
    announce(door.getsockname()[1], await publishing(application.receivers, application.send))
    await uvicorn.Server(config).serve(sockets=[door])


def serve() -> None:
    """Serve until the process is ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
