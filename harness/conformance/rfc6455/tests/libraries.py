"""Servers of proven libraries, with the least of an application that the cases need: a welcome, and pongs.

Or less than it: one that greets nobody, and one that knows nothing of the contract and echoes what it is told.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import uvicorn
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from harness.client.shell import Endpoint
from reference_server.contract.limits import CLIENT_MESSAGE_BYTES_MAX
from reference_server.contract.messages import SUBPROTOCOL

STARTED_S_MAX = 10.0
REFUSED_PATH = "/refused"


def envelope(kind: str, data: dict[str, Any]) -> str:
    """Return a message of the contract."""
    return json.dumps({"type": kind, "timestamp": "2024-02-29T12:00:00.000000Z", "data": data})


WELCOME = envelope("system", {"message": "welcome", "level": "info"})


def answer(text: str) -> str | None:
    """Return the pong that a text asks for, if it is a ping of the contract."""
    try:
        said = json.loads(text)
    except ValueError:
        return None
    asks = isinstance(said, dict) and said.get("type") == "ping"
    return envelope("pong", {"received": said.get("timestamp")}) if asks else None


def _endpoint(port: int) -> Endpoint:
    return Endpoint(f"ws://127.0.0.1:{port}/api/v1/ws/connect", auth="none")


async def _talk(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        await connection.send(WELCOME)
    await _talk_without_a_welcome(connection)


async def _talk_without_a_welcome(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            if isinstance(message, bytes):
                await connection.close(1003)
            elif (told := answer(message)) is not None:
                await connection.send(told)


async def _echo(connection: ServerConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


async def _hang_up(connection: ServerConnection) -> None:
    await connection.close(1008)


def _refuse(connection: ServerConnection, request: Request) -> Response | None:
    """Tell those who come to this path that they may not, as a server that wants a token would."""
    return connection.respond(401, "no") if request.path.startswith(REFUSED_PATH) else None


def _select(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


@asynccontextmanager
async def serving_websockets(
    talk: Callable[[ServerConnection], Awaitable[None]] = _talk,
) -> AsyncIterator[Endpoint]:
    """Serve with the asyncio server of `websockets`."""
    async with serve(
        talk, "127.0.0.1", 0, max_size=CLIENT_MESSAGE_BYTES_MAX, compression=None, select_subprotocol=_select,
        process_request=_refuse,
    ) as server:  # fmt: skip
        yield _endpoint(server.sockets[0].getsockname()[1])


def serving_without_a_welcome() -> AbstractAsyncContextManager[Endpoint]:
    """Serve what the cases need, but for the welcome."""
    return serving_websockets(_talk_without_a_welcome)


def serving_echoes() -> AbstractAsyncContextManager[Endpoint]:
    """Serve who knows RFC 6455 and nothing of the contract."""
    return serving_websockets(_echo)


def serving_nobody() -> AbstractAsyncContextManager[Endpoint]:
    """Serve who opens every socket and closes it at once."""
    return serving_websockets(_hang_up)


async def _application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 400, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    chosen = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
    await send({"type": "websocket.accept", "subprotocol": chosen})
    await send({"type": "websocket.send", "text": WELCOME})
    while (said := await receive())["type"] != "websocket.disconnect":
        if said.get("text") is None:
            await send({"type": "websocket.close", "code": 1003})
            return
        if (told := answer(said["text"])) is not None:
            await send({"type": "websocket.send", "text": told})


@asynccontextmanager
async def serving_uvicorn() -> AsyncIterator[Endpoint]:
    """Serve with uvicorn and the WebSocket protocol that it brings."""
    config = uvicorn.Config(
        _application, port=0, ws="websockets-sansio", ws_max_size=CLIENT_MESSAGE_BYTES_MAX,
        ws_per_message_deflate=False, log_level="critical", lifespan="off",
    )  # fmt: skip
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await asyncio.wait_for(server.startup(), STARTED_S_MAX)
    try:
        yield _endpoint(server.servers[0].sockets[0].getsockname()[1])
    finally:
        await server.shutdown()
