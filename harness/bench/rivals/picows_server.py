"""picows: a WebSocket library in Cython, on uvloop; framed for each connection in one buffer, written at once."""

import asyncio
from typing import Any, Final

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from harness.bench.rivals.publishing import BACKLOG, HOST, MESSAGE, WELCOME, announce, publishing

HEAD_BYTES: Final = 14
"""What the library asks for before a message that it frames in place, so that none is copied for each connection."""
READ_BUFFER_BYTES: Final = 2048
"""The least there is, a connection: peers that only listen need no more, and the default of 16 KiB shows in memory."""
_FRAMED: Final = bytearray(HEAD_BYTES) + MESSAGE


class Listener(WSListener):
    """Keeps its connection among the others while it is open."""

    def __init__(self, connections: dict[int, WSTransport]) -> None:
        super().__init__()
        self._connections = connections

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, WELCOME)
        self._connections[id(transport)] = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # The library leaves the close handshake to its user (RFC 6455 §5.5.1).
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._connections.pop(id(transport), None)


async def _serve() -> None:
    connections: dict[int, WSTransport] = {}

    async def fan_out() -> int:
        kind = WSMsgType.TEXT
        for transport in connections.values():
            transport.send_reuse_external_bytearray(kind, _FRAMED, HEAD_BYTES)
        return len(connections)

    def listener(_: Any) -> Listener:
        return Listener(connections)

    server = await ws_create_server(listener, HOST, 0, backlog=BACKLOG, read_buffer_init_size=READ_BUFFER_BYTES)
    announce(server.sockets[0].getsockname()[1], await publishing(fan_out))
    await server.serve_forever()


def serve() -> None:
    """Serve until the process is ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
