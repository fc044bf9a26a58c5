"""Servers of proven libraries, with the least of an application that the cases need: a welcome, and pongs."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from harness.client.shell import Endpoint
from reference_server.contract.limits import CLIENT_MESSAGE_BYTES_MAX
from reference_server.contract.messages import SUBPROTOCOL

STARTED_S_MAX = 10.0


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
        async for message in connection:
            if isinstance(message, bytes):
                await connection.close(1003)
            elif (told := answer(message)) is not None:
                await connection.send(told)


def _select(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


@asynccontextmanager
async def serving_websockets() -> AsyncIterator[Endpoint]:
    """Serve with the asyncio server of `websockets`."""
    async with serve(
        _talk, "127.0.0.1", 0, max_size=CLIENT_MESSAGE_BYTES_MAX, compression=None, select_subprotocol=_select
    ) as server:
        yield _endpoint(server.sockets[0].getsockname()[1])


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
