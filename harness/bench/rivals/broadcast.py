"""`websockets.broadcast`: the library's own way to one message for many, on uvloop, without compression.

The message is encoded once; the library frames it for each connection.
"""

import asyncio

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_sockets

from harness.bench.rivals.publishing import BACKLOG, HOST, MESSAGE, WELCOME, announce, publishing


async def _serve() -> None:
    connections: set[ServerConnection] = set()

    async def connected(connection: ServerConnection) -> None:
        await connection.send(WELCOME, text=True)
        connections.add(connection)
        try:
            await connection.wait_closed()
        finally:
            connections.discard(connection)

    async def fan_out() -> int:
        broadcast(connections, MESSAGE, text=True)
        return len(connections)

    async with serve_sockets(
        connected, HOST, 0, compression=None, ping_interval=None, backlog=BACKLOG, server_header=None
    ) as server:
        announce(next(iter(server.sockets)).getsockname()[1], await publishing(fan_out))
        await server.serve_forever()


def serve() -> None:
    """Serve until the process is ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
