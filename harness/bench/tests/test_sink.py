"""A round counts what was delivered, and is void when anything was not, or twice."""

import contextlib
import itertools
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from harness.bench import rounds
from harness.bench import sink as sink_module
from harness.bench.numbering import NUMBERED, number_of
from harness.bench.publisher import Publisher
from harness.bench.rivals.floor import FRAME, Floor
from harness.bench.rivals.publishing import HOST, answer, request
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


class Misdirecting(Floor):
    """Sends what is for each of two pairs in turn always to the first two."""

    def fan_out(self, times: int) -> None:
        for receiver in list(self.receivers.values())[:2]:
            receiver.send(FRAME * times)

    def recipients(self) -> int:
        return 2


class Pairing(Misdirecting):
    """Sends to each of two pairs in turn, one publish after the other."""

    asked = 0

    def fan_out(self, times: int) -> None:
        for _ in range(times):
            for receiver in list(self.receivers.values())[self.asked % 2 :: 2]:
                receiver.send(FRAME)
            self.asked += 1


@contextlib.contextmanager
def sink_of(kind: type[Floor], audiences: int = 1) -> Iterator[Sink]:
    floor, over = kind(), threading.Event()

    def serve() -> None:
        while not over.is_set():
            floor.turn(0.01)

    serving = threading.Thread(target=serve)
    serving.start()
    port, publish_port = floor.ports
    sink = Sink(
        Plan(HOST, port, publish_port, os.getpid(), [request()] * audiences, len(FRAME), welcomes=1, drain_s_max=0.2)
    )
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
    assert not count.own
    assert count.per_s is None


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (Pairing, ""),
        (Misdirecting, "of 4 connections read"),
        (Floor, "recipients where"),
    ],
)
def test_what_goes_to_every_second_connection_is_held_against_those(kind: type[Floor], fault: str) -> None:
    with sink_of(kind, audiences=2) as sink:
        assert sink.obey(Open([UPGRADE] * 4)) == Done()
        count = sink.obey(Fan(1, 0.05, at_once=False))

    assert isinstance(count, Round)
    assert fault in count.fault
    assert bool(fault) == bool(count.fault)


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
    sink = Sink(Plan(HOST, port, port, os.getpid(), [request()], len(FRAME), welcomes=1))

    opened, count = sink.obey(Open([UPGRADE])), sink.obey(Fan(1, 0.05))
    assert opened.fault.startswith("0 connections opened, then: ")
    assert count.fault.startswith("no connection to publish on: ")


def answered(act: Callable[[socket.socket], None]) -> Publisher:
    """Publish once to a server that does this with its one connection."""

    def serve(door: socket.socket) -> None:
        line, _ = door.accept()
        with line:
            line.recv(65536)
            act(line)

    with socket.create_server((HOST, 0)) as door:
        serving = threading.Thread(target=serve, args=(door,))
        serving.start()
        publisher = Publisher(HOST, door.getsockname()[1], [request()], 1, at_once=True)
        publisher.publish()
        for _ in range(10):
            publisher.turn(1.0)
            if publisher.fault or not publisher.waiting:
                break
        publisher.close()
        serving.join()
    return publisher


@pytest.mark.parametrize(("at_once", "sent"), [(True, [1, 1, 0]), (False, [1, 1, 1])])
def test_the_next_publish_waits_for_all_answers_only_when_they_go_at_once(at_once: bool, sent: list[int]) -> None:
    requests = [b"first", b"second", b"third"]
    with socket.create_server((HOST, 0)) as door:
        publisher = Publisher(HOST, door.getsockname()[1], requests, 2, at_once=at_once)
        lines = [door.accept()[0] for _ in range(2)]
        publisher.going = True
        publisher.publish()
        lines[0].sendall(answer(1))
        for _ in range(10):
            publisher.turn(1.0 if not publisher.deliveries else 0.0)
        read = [line.recv(100) for line in lines]
        publisher.close()
        for line in lines:
            line.close()

    assert (publisher.times(), publisher.waiting) == (sent, sum(sent) - 1)
    assert read == [b"first" if at_once else b"firstthird", b"second"]


def test_an_answer_in_pieces_counts_when_it_is_whole() -> None:
    def in_pieces(line: socket.socket) -> None:
        for piece in (b"HTTP/1.1 200 OK\r\ncontent-le", b'ngth: 16\r\n\r\n{"recipi', b'ents":7}'):
            line.sendall(piece)

    publisher = answered(in_pieces)
    assert (publisher.fault, publisher.waiting, publisher.deliveries) == ("", 0, 7)


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", "a publish was answered 'HTTP/1.1 503 Busy'"),
        (b"", "the server ended the connection of a publisher"),
    ],
)
def test_an_answer_that_is_no_success_ends_the_round(bad: bytes, fault: str) -> None:
    assert answered(lambda line: line.sendall(bad)).fault == fault


def test_each_publish_carries_its_number_where_there_is_a_place_for_one() -> None:
    place = b"POST / HTTP/1.1\r\nX: 00000000\r\n\r\n" + NUMBERED.encode() + b"."
    with socket.create_server((HOST, 0)) as door:
        publisher = Publisher(HOST, door.getsockname()[1], [place, place], 3, at_once=True)
        lines = [door.accept()[0] for _ in range(3)]
        publisher.publish()
        read = [line.recv(100) for line in lines]
        publisher.close()
        for line in lines:
            line.close()

    assert [number_of(one) for one in read] == [1, 2, 3]
    assert [one.replace(b"bench 0000000%d" % number, b"bench 00000000") for number, one in enumerate(read, 1)] == [
        place
    ] * 3
    # What is sent in turn goes to every second stream.
    assert publisher.numbers(3) == [range(1, 4, 2), range(2, 4, 2), range(1, 4, 2)]


class Clock:
    """A clock that stands until it is moved."""

    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


class Brought:
    """Streams to which one more frame comes with each sweep; all that was sent came if there were two."""

    bytes_read = 0
    in_full = 1
    sweeps = 0

    def __len__(self) -> int:
        return 1

    def sweep(self, between: Callable[[], None]) -> None:  # noqa: ARG002 - as in Streams
        self.sweeps += 1
        self.bytes_read += len(FRAME)

    def fault(self, expected: Sequence[int], numbers: Sequence[range]) -> str:
        return "" if [self.sweeps] == expected else f"{self.sweeps} of {expected}, {numbers}"


class Told:
    """A publisher whose publishes are over."""

    fault = ""

    def __init__(self, published: int, numbers: Sequence[range] = ()) -> None:
        self.published = self.deliveries = published
        self._numbers = list(numbers)

    def times(self) -> list[int]:
        return [self.published]

    def numbers(self, streams: int) -> list[range]:
        return self._numbers[:streams]


class Slow(Sink):
    """Publishes in no time, and drains for five seconds."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Plan(HOST, 1, 1, 4711, [request()], len(FRAME), welcomes=0))
        self.brought = Brought()
        self.streams = self.brought  # type: ignore[assignment]
        self._clock = clock

    def _publish(self, publisher: Publisher, until: float) -> None:
        pass

    def _drain(self, expected_bytes: int) -> None:
        super()._drain(expected_bytes)
        self._clock.now_s += 5.0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    clock = Clock()
    monkeypatch.setattr(sink_module, "time", clock)
    spent = {4711: itertools.count(1.0, 2.0), os.getpid(): itertools.count(1.0, 3.0)}
    monkeypatch.setattr(rounds, "cpu_s", lambda pid: next(spent[pid]))
    monkeypatch.setattr(rounds, "waited_s", {4711: 0.0}.get)
    return Slow(clock)


def test_a_round_lasts_until_the_last_byte_was_read_and_tells_whose_cpu_time_is_whose(slow: Slow) -> None:
    count = slow._counted(Told(2), 1.0)  # type: ignore[arg-type]

    assert count.seconds == 5.0
    assert (count.server.cpu_s, count.client.cpu_s) == (2.0, 3.0)
    assert (count.server.waited_s, count.client.waited_s) == (0.0, None)


def test_a_frame_that_comes_when_nothing_is_due_any_more_voids_a_round(slow: Slow) -> None:
    # The drain reads all that was sent; what the look at quiet brings is one too many.
    assert slow._counted(Told(2), 1.0).fault == "3 of [2], []"  # type: ignore[arg-type]
    assert slow.brought.sweeps == 3


def test_connections_are_read_in_full_only_where_publishes_have_numbers(slow: Slow) -> None:
    assert slow._counted(Told(2), 1.0).read_in_full == 0  # type: ignore[arg-type]


def test_connections_that_are_read_in_full_are_held_to_the_numbers_and_counted(slow: Slow) -> None:
    count = slow._counted(Told(2, [range(1, 3)] * 2), 1.0)  # type: ignore[arg-type]

    assert (count.read_in_full, count.fault) == (1, "3 of [2], [range(1, 3)]")
