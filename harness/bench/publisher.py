"""Who publishes: HTTP requests in turn on a few kept connections, each when its last is answered or all at once."""

import select
import socket
import time
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from harness.bench.numbering import Numbered

ANSWER_S_MAX: Final = 10.0
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


class Recipients(Struct, frozen=True):
    """What is read of the answer to a publish (contract §3 ws broadcast)."""

    recipients: int


_decode = msgspec.json.Decoder(Recipients).decode


class Publisher:
    """`together` connections; an answer other than 200 ends it with a reason.

    At once: they publish at one instant, and again when all are answered; else each again when it is answered itself.
    Where a request has a place for its number, each carries its own.
    """

    def __init__(self, host: str, port: int, requests: Sequence[bytes], together: int, *, at_once: bool) -> None:
        self._requests = [Numbered(request) for request in requests]
        self._at_once = at_once
        self._poll = select.epoll()
        self._lines: dict[int, socket.socket] = {}
        self._read: dict[int, bytes] = {}
        for _ in range(together):
            line = socket.create_connection((host, port), timeout=ANSWER_S_MAX)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._poll.register(line, select.EPOLLIN)
            self._lines[line.fileno()] = line
        self.going = False
        self.waiting = 0
        self.published = 0
        self.deliveries = 0
        self.fault = ""

    def close(self) -> None:
        """End the connections."""
        self._poll.close()
        for line in self._lines.values():
            line.close()

    def publish(self) -> None:
        """Send one request on each connection."""
        for line in self._lines.values():
            self._send(line)

    def times(self) -> list[int]:
        """Return how often each of the requests was sent."""
        rounds, more = divmod(self.published, len(self._requests))
        return [rounds + (number < more) for number in range(len(self._requests))]

    def numbers(self, streams: int) -> list[range]:
        """Return which numbers were sent to each of the first streams; none where the requests have none."""
        step = len(self._requests)
        if not all(request.numbered for request in self._requests):
            return []
        return [range(number % step + 1, self.published + 1, step) for number in range(streams)]

    def turn(self, timeout_s: float = 0.0) -> None:
        """Take the answers that are there, wait for one if a time is given; publish again when all have come."""
        for number, _ in self._poll.poll(timeout_s):
            self._answered(number)
        if not self.waiting and self.going and not self.fault:
            self.publish()

    def finish(self, deadline: float) -> None:
        """Publish no more, and note it when an answer is still missing at the deadline."""
        self.going = False
        while self.waiting and not self.fault:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                self.fault = f"{self.waiting} publishes had no answer"
                return
            self.turn(left_s)

    def _send(self, line: socket.socket) -> None:
        request = self._requests[self.published % len(self._requests)]
        self.published += 1
        self.waiting += 1
        try:
            line.sendall(request.request(self.published))
        except OSError as fault:
            self.fault = f"a publish could not be sent: {fault}"

    def _answered(self, number: int) -> None:
        try:
            data = self._lines[number].recv(65536)
        except OSError:
            data = b""
        if not data:
            self._failed(number, "the server ended the connection of a publisher")
            return
        read = self._read.pop(number, b"") + data
        head, end, body = read.partition(_END)
        if not end or len(body) < _length(head):
            self._read[number] = read
        elif not head.startswith(b"HTTP/1.1 200 "):
            self._failed(number, f"a publish was answered {head.partition(_END[:2])[0].decode('latin-1')!r}")
        else:
            self.waiting -= 1
            self.deliveries += _decode(body).recipients
            if self.going and not self._at_once and not self.fault:
                self._send(self._lines[number])

    def _failed(self, number: int, why: str) -> None:
        self._poll.unregister(number)
        self.fault = why


def _length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return int(head[at + len(_LENGTH) :].partition(b"\r")[0]) if at >= 0 else 0
