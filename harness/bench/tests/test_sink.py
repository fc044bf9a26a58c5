"""A round counts what was delivered, and is void when anything was not, or twice."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from harness.bench.publisher import Publisher
from harness.bench.rivals.floor import FRAME, Floor
from harness.bench.rivals.publishing import HOST, REQUEST
from harness.bench.rounds import Round
from harness.bench.sink import Done, Fan, Leave, Open, Plan, Sink

UPGRADE = b"GET / HTTP/1.1\r\n\r\n"


class Dropping(Floor):
    """Forgets its first receiver each time."""

    def fan_out(self, times: int) -> None:
        for receiver in list(self.receivers.values())[1:]:
            receiver.send(FRAME * times)


class Doubling(Floor):
    """Sends each message once more to its first receiver."""

    def fan_out(self, times: int) -> None:
        super().fan_out(times)
        next(iter(self.receivers.values())).send(FRAME)


class Miscounting(Floor):
    """Names a recipient that is none."""

    def recipients(self) -> int:
        return super().recipients() + 1


@contextlib.contextmanager
def sink_of(kind: type[Floor]) -> Iterator[Sink]:
    floor, over = kind(), threading.Event()

    def serve() -> None:
        while not over.is_set():
            floor.turn(0.01)

    serving = threading.Thread(target=serve)
    serving.start()
    port, publish_port = floor.ports
    sink = Sink(Plan(HOST, port, publish_port, os.getpid(), REQUEST, len(FRAME), welcomes=1, drain_s_max=0.2))
    try:
        yield sink
    finally:
        sink.obey(Leave())
        over.set()
        serving.join()
        floor.close()


def counted(kind: type[Floor], together: int = 1) -> Round:
    with sink_of(kind) as sink:
        assert sink.obey(Open([UPGRADE] * 3)) == Done()
        count = sink.obey(Fan(together, 0.05))
        assert isinstance(count, Round)
        return count


@pytest.mark.parametrize("together", [1, 8])
def test_each_publish_is_delivered_to_each_connection_once(together: int) -> None:
    count = counted(Floor, together)

    assert count.fault == ""
    assert count.published > 0
    assert count.published % together == 0
    assert count.deliveries == count.published * 3 == count.bytes_read / len(FRAME)
    assert count.per_s is not None


@pytest.mark.parametrize("kind", [Dropping, Doubling, Miscounting])
def test_a_round_of_a_wrong_server_is_void(kind: type[Floor]) -> None:
    count = counted(kind)

    assert count.fault
    assert count.per_s is None


def test_streams_come_and_leave() -> None:
    with sink_of(Floor) as sink:
        for number in (2, 3):
            assert sink.obey(Open([UPGRADE] * number)) == Done()
            assert len(sink.streams) == number
            assert sink.obey(Leave()) == Done()
            assert len(sink.streams) == 0


def test_a_server_that_is_not_there_is_said() -> None:
    with socket.create_server((HOST, 0)) as nobody:
        port = nobody.getsockname()[1]
    sink = Sink(Plan(HOST, port, port, os.getpid(), REQUEST, len(FRAME), welcomes=1))

    opened, count = sink.obey(Open([UPGRADE])), sink.obey(Fan(1, 0.05))
    assert opened.fault.startswith("0 connections opened, then: ")
    assert count.fault.startswith("no connection to publish on: ")


def answered(answer: Callable[[socket.socket], None]) -> Publisher:
    """Publish once to a server that does this with its one connection."""

    def serve(door: socket.socket) -> None:
        line, _ = door.accept()
        with line:
            line.recv(65536)
            answer(line)

    with socket.create_server((HOST, 0)) as door:
        serving = threading.Thread(target=serve, args=(door,))
        serving.start()
        publisher = Publisher(HOST, door.getsockname()[1], REQUEST, 1)
        publisher.publish()
        for _ in range(10):
            publisher.turn(1.0)
            if publisher.fault or not publisher.waiting:
                break
        publisher.close()
        serving.join()
    return publisher


def test_an_answer_in_pieces_counts_when_it_is_whole() -> None:
    def answer(line: socket.socket) -> None:
        for piece in (b"HTTP/1.1 200 OK\r\ncontent-le", b'ngth: 16\r\n\r\n{"recipi', b'ents":7}'):
            line.sendall(piece)

    publisher = answered(answer)
    assert (publisher.fault, publisher.waiting, publisher.deliveries) == ("", 0, 7)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "a publish was answered 'HTTP/1.1 503 Busy'"),
        (b"", "the server ended the connection of a publisher"),
    ],
)
def test_an_answer_that_is_no_success_ends_the_round(answer: bytes, fault: str) -> None:
    assert answered(lambda line: line.sendall(answer)).fault == fault
