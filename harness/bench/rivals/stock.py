"""uvicorn's stock socket path: a bare ASGI application that sends to one connection after the other, on uvloop.

The implementation is the one uvicorn takes by itself; compression and its own pings are off.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import uvicorn
import uvloop

from harness.bench.rivals.publishing import BACKLOG, HOST, MESSAGE, WELCOME, announce, publishing

Message: TypeAlias = MutableMapping[str, Any]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Receive: TypeAlias = Callable[[], Awaitable[Message]]


class Application:
    """Accepts sockets, and sends one message to all of them when told to."""

    def __init__(self) -> None:
        self._sends: dict[Send, None] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": WELCOME.decode()})
        self._sends[send] = None
        try:
            while (await receive())["type"] != "websocket.disconnect":
                pass
        finally:
            del self._sends[send]

    async def fan_out(self) -> int:
        """Send; uvicorn encodes and frames for each connection."""
        message = {"type": "websocket.send", "text": MESSAGE.decode()}
        recipients = list(self._sends)
        for send in recipients:
            await send(message)
        return len(recipients)


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
    announce(door.getsockname()[1], await publishing(application.fan_out))
    await uvicorn.Server(config).serve(sockets=[door])


def serve() -> None:
    """Serve until the process is ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
