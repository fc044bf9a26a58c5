"""picows: a WebSocket library in Cython, on uvloop; framed for each connection in one buffer, written at once."""

import asyncio
from collections.abc import Collection
from typing import Any, Final

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

from harness.bench.rivals.publishing import BACKLOG, HOST, MESSAGE, WELCOME, Receivers, announce, publishing

HEAD_BYTES: Final = 14
"""What the library asks for before a message that it frames in place, so that none is copied for each connection."""
READ_BUFFER_BYTES: Final = 2048
"""The least there is, a connection: peers that only listen need no more, and the default of 16 KiB shows in memory."""
_FRAMED: Final = bytearray(HEAD_BYTES) + MESSAGE


class Listener(WSListener):
    """Keeps its connection among the others while it is open."""

    def __init__(self, receivers: Receivers[WSTransport]) -> None:
        super().__init__()
        self._receivers = receivers
        self._number = -1

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, WELCOME)
        self._number = self._receivers.join(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # The library leaves the close handshake to its user (RFC 6455 §5.5.1).
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002 - the library's own signature
        self._receivers.leave(self._number)


async def _serve() -> None:
    receivers = Receivers[WSTransport]()

    async def send(chosen: Collection[WSTransport]) -> None:
        kind = WSMsgType.TEXT
        for transport in chosen:
            transport.send_reuse_external_bytearray(kind, _FRAMED, HEAD_BYTES)

    def listener(_: Any) -> Listener:
        return Listener(receivers)

    server = await ws_create_server(listener, HOST, 0, backlog=BACKLOG, read_buffer_init_size=READ_BUFFER_BYTES)
    announce(server.sockets[0].getsockname()[1], await publishing(receivers, send))
    await server.serve_forever()


def serve() -> None:
    """Serve until the process is ended."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
