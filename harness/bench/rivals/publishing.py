"""What every rival says to a new connection, and how it is told to publish: one HTTP request is one message.

The answer says to how many it went. Of a request only its path is looked at, which names those that the message is for
by the order in which they joined, or nobody when it is for all: a rival pays next to nothing for being asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final, Generic, TypeVar

Receiver = TypeVar("Receiver")
HOST: Final = "127.0.0.1"
MESSAGE_BYTES: Final = 160
MESSAGE: Final = (b'{"type":"system","data":"' + b"x" * MESSAGE_BYTES)[: MESSAGE_BYTES - 2] + b'"}'
WELCOME_BYTES: Final = 200
"""As long as the reference server's, so that taking a connection is as much to write and to read."""
WELCOME: Final = (b'{"type":"system","data":"' + b"w" * WELCOME_BYTES)[: WELCOME_BYTES - 2] + b'"}'
BACKLOG: Final = 4096

_END: Final = b"\r\n\r\n"
_ALL: Final = b"/"


class Receivers(Generic[Receiver]):
    """The open connections of a rival, each under the number in whose turn it joined, from 0."""

    def __init__(self) -> None:
        self._open: dict[int, Receiver] = {}
        self._joined = 0

    def join(self, receiver: Receiver) -> int:
        """Take a connection in; return its number."""
        number = self._joined
        self._joined += 1
        self._open[number] = receiver
        return number

    def leave(self, number: int) -> None:
        """Forget a connection that has ended, or never joined."""
        self._open.pop(number, None)

    def at(self, path: bytes) -> Collection[Receiver]:
        """Return those whom a request's path names."""
        if path == _ALL:
            return self._open.values()
        named = map(int, path[1:].split(b","))
        return [self._open[number] for number in named if number in self._open]


def request(receivers: Iterable[int] = ()) -> bytes:
    """Return a publish to the receivers of these numbers; to everyone when there is none."""
    return b"POST /%b HTTP/1.1\r\nHost: bench\r\nContent-Length: 0" % ",".join(map(str, receivers)).encode() + _END


def answer(recipients: int) -> bytes:
    """Return the answer to a publish."""
    body = b'{"recipients":%d}' % recipients
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def paths_in(data: bytes) -> list[bytes]:
    """Return the path of each request in what was read; a publisher sends each at one go."""
    return [head.split(b" ", 2)[1] for head in data.split(_END)[:-1]]


async def publishing(receivers: Receivers[Receiver], send: Callable[[Collection[Receiver]], Awaitable[None]]) -> int:
    """Serve publishers, whose messages `send` sends; return the port."""

    async def publisher(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            for path in paths_in(data):
                chosen = receivers.at(path)
                recipients = len(chosen)
                await send(chosen)
                writer.write(answer(recipients))
        writer.close()

    server = await asyncio.start_server(publisher, HOST, 0)
    _kept.append(server)
    port: int = server.sockets[0].getsockname()[1]
    return port


_kept: list[asyncio.Server] = []


def announce(port: int, publish_port: int) -> None:
    """Say that connections and publishers may come."""
    print(f"ready {port} {publish_port}", flush=True)
