"""The floor: a bare loop of `sock.send` over accepted sockets, no WebSocket work at all, the frame made once.

What comes on a new connection is answered with a 101 and a welcome that were made before, so that the sink needs no
other way to open.
"""

import select
import socket
from typing import Final

from harness.bench.rivals.publishing import BACKLOG, HOST, MESSAGE, WELCOME, announce, answer, paths_in
from harness.conformance.raw_frames import TEXT, frame

FRAME: Final = frame(TEXT, MESSAGE, masked=False)
SWITCHING: Final = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
GREETING: Final = SWITCHING + frame(TEXT, WELCOME, masked=False)


class Floor:
    """Accepted sockets, and publishers whose requests make each of them get the frame."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.receivers: dict[int, socket.socket] = {}
        self._publishers: dict[int, socket.socket] = {}
        self._doors = {door.fileno(): (door, kept) for kept in (self.receivers, self._publishers)
                       for door in [socket.create_server((HOST, 0), backlog=BACKLOG)]}  # fmt: skip
        for number in self._doors:
            self._epoll.register(number, select.EPOLLIN)

    @property
    def ports(self) -> tuple[int, int]:
        """The port of receivers and that of publishers."""
        receivers, publishers = (door.getsockname()[1] for door, _ in self._doors.values())
        return receivers, publishers

    def turn(self, timeout_s: float | None = None) -> None:
        """Wait for what comes and take it; publishes that came together go out in one send to each receiver."""
        asked: dict[socket.socket, int] = {}
        for number, _ in self._epoll.poll(timeout_s):
            if number in self._doors:
                self._accept(*self._doors[number])
            elif number in self.receivers:
                self._greet(number)
            else:
                line, data = self._read(self._publishers, number)
                if data:
                    asked[line] = len(paths_in(data))
        if sum(asked.values()):
            self.fan_out(sum(asked.values()))
        for line, times in asked.items():
            line.sendall(answer(self.recipients()) * times)

    def fan_out(self, times: int) -> None:
        """Send so many messages to everyone."""
        data = FRAME * times
        for receiver in self.receivers.values():
            receiver.send(data)

    def recipients(self) -> int:
        """Return to how many a message goes."""
        return len(self.receivers)

    def close(self) -> None:
        """End every socket."""
        self._epoll.close()
        for line in [*(door for door, _ in self._doors.values()), *self.receivers.values(), *self._publishers.values()]:
            line.close()

    def _accept(self, door: socket.socket, kept: dict[int, socket.socket]) -> None:
        line, _ = door.accept()
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A receiver that stopped reading ends the floor with BlockingIOError rather than stop it.
        line.setblocking(False)
        kept[line.fileno()] = line
        self._epoll.register(line, select.EPOLLIN)

    def _greet(self, number: int) -> None:
        line, data = self._read(self.receivers, number)
        if data:
            line.send(GREETING)

    def _read(self, kept: dict[int, socket.socket], number: int) -> tuple[socket.socket, bytes]:
        line = kept[number]
        try:
            data = line.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            del kept[number]
            self._epoll.unregister(line)
            line.close()
        return line, data


def serve() -> None:
    """Serve until the process is ended."""
    floor = Floor()
    announce(*floor.ports)
    while True:
        floor.turn()
