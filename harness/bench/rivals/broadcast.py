"""`websockets.broadcast`: the library's own way to one message for many, on uvloop, without compression.

The message is encoded once; the library frames it for each connection.
"""

import asyncio
from collections.abc import Collection

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_sockets

from harness.bench.rivals.publishing import BACKLOG, HOST, MESSAGE, WELCOME, Receivers, announce, publishing


async def _serve() -> None:
    receivers = Receivers[ServerConnection]()

    async def connected(connection: ServerConnection) -> None:
        await connection.send(WELCOME, text=True)
        number = receivers.join(connection)
        try:
            await connection.wait_closed()
        finally:
            receivers.leave(number)

    async def send(chosen: Collection[ServerConnection]) -> None:
        broadcast(chosen, MESSAGE, text=True)

    async with serve_sockets(
        connected, HOST, 0, compression=None, ping_interval=None, backlog=BACKLOG, server_header=None
    ) as server:
        announce(next(iter(server.sockets)).getsockname()[1], await publishing(receivers, send))
        await server.serve_forever()


def serve() -> None:
    """Serve until the process is ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
