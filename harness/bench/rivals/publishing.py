"""What every rival says to a new connection, and how it is told to fan out: one HTTP request is one message.

The answer says to how many it went. A request is known by the end of its head and is not looked at, so that a rival
pays nothing for being asked.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

REQUEST: Final = b"POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n"
HOST: Final = "127.0.0.1"
MESSAGE_BYTES: Final = 160
MESSAGE: Final = (b'{"type":"system","data":"' + b"x" * MESSAGE_BYTES)[: MESSAGE_BYTES - 2] + b'"}'
WELCOME_BYTES: Final = 200
"""As long as the reference server's, so that taking a connection is as much to write and to read."""
WELCOME: Final = (b'{"type":"system","data":"' + b"w" * WELCOME_BYTES)[: WELCOME_BYTES - 2] + b'"}'
BACKLOG: Final = 4096

FanOut = Callable[[], Awaitable[int]]
"""Send one message to everyone; return to how many."""


def answer(recipients: int) -> bytes:
    """Return the answer to a publish."""
    body = b'{"recipients":%d}' % recipients
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def requests_in(data: bytes) -> int:
    """Return how many requests stand in what was read; a publisher sends each at one go."""
    return data.count(b"\r\n\r\n")


async def publishing(fan_out: FanOut) -> int:
    """Serve publishers; return the port."""

    async def publisher(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            for _ in range(requests_in(data)):
                writer.write(answer(await fan_out()))
        writer.close()

    server = await asyncio.start_server(publisher, HOST, 0)
    _kept.append(server)
    port: int = server.sockets[0].getsockname()[1]
    return port


_kept: list[asyncio.Server] = []


def announce(port: int, publish_port: int) -> None:
    """Say that connections and publishers may come."""
    print(f"ready {port} {publish_port}", flush=True)
