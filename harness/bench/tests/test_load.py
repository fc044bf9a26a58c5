"""The load client counts every answer once, by status, over connections that it keeps."""

import asyncio
import os
from itertools import cycle

import pytest

from harness.bench.load import LOST, MARK, Connection, Count, Load, Pace, Plan, quantile_ms, shown_ms

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
END = b"\r\n\r\n"
GET = b"GET /00000000 HTTP/1.1\r\nHost: x\r\n\r\n"


class Desk:
    """A server that answers each request with the next of its answers, chunk by chunk; an empty one ends it."""

    def __init__(self, *answers: list[bytes]) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._answers = cycle(answers)

    def answer(self, transport: asyncio.Transport, request: bytes) -> None:
        self.requests.append(request)
        chunks = next(self._answers)
        for chunk in chunks:
            transport.write(chunk)
        if not chunks:
            transport.close()


class Visit(asyncio.Protocol):
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._read = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._desk.connections += 1

    def data_received(self, data: bytes) -> None:
        *whole, self._read = (self._read + data).split(END)
        for request in whole:
            self._desk.answer(self._transport, request + END)


def loaded(desk: Desk, **named: object) -> Count:
    async def load() -> Count:
        server = await asyncio.get_running_loop().create_server(lambda: Visit(desk), "127.0.0.1")
        plan = {
            "host": "127.0.0.1",
            "port": server.sockets[0].getsockname()[1],
            "server_pid": os.getpid(),
            "connections": 2,
            "heads": [GET],
            "seconds": 0.2,
            "warm_up_s": 0.05,
        }
        count = await Load(Plan(**(plan | named))).run()
        server.close()
        return count

    return asyncio.run(load())


def test_answers_are_counted_by_status_over_kept_connections() -> None:
    desk = Desk([ANSWER], [ANSWER.replace(b"200 OK", b"404 Not Found")])
    count = loaded(desk)

    assert desk.connections == 2
    assert set(count.statuses) == {"200", "404"}
    assert 0 < sum(count.statuses.values()) == count.answers <= len(desk.requests)
    assert count.p50_ms is not None
    assert count.p99_ms is not None
    assert count.p99_ms >= count.p50_ms > 0
    assert count.cpu_s is None or count.cpu_s >= 0


class Heard(Load):
    """Keeps the statuses of what was answered, and asks nothing."""

    def __init__(self) -> None:
        super().__init__(Plan("", 0, 0, 1, [GET], 1.0))
        self.heard: list[bytes] = []

    def answered(self, connection: Connection, status: bytes, intended_ns: int) -> None:  # noqa: ARG002 - as in Load
        self.heard.append(status)


@pytest.mark.parametrize("cut", range(1, len(ANSWER)))
def test_an_answer_in_pieces_counts_once_and_when_it_is_whole(cut: int) -> None:
    load = Heard()
    connection = Connection(load)
    connection.data_received(ANSWER[:cut])
    assert load.heard == []
    connection.data_received(ANSWER[cut:])
    assert load.heard == [b"200"]


def test_each_request_carries_its_number() -> None:
    desk = Desk([ANSWER])
    loaded(desk, connections=1)

    assert desk.requests[:2] == [GET.replace(MARK, b"00000001"), GET.replace(MARK, b"00000002")]


def test_the_bulk_of_an_upload_follows_its_head_and_the_tail_comes_last() -> None:
    desk = Desk([ANSWER])
    loaded(desk, connections=1, filler_bytes=3, tail=b"\r\n\r\n")

    assert desk.requests[:2] == [GET.replace(MARK, b"00000001"), b"\0\0\0\r\n\r\n"]


def test_requests_fall_due_at_their_rate_each_once_and_none_early() -> None:
    pace = Pace(50.0, started_ns=7)

    assert list(pace.due(20_000_006)) == []
    assert list(pace.due(60_000_007)) == [20_000_007, 40_000_007, 60_000_007]
    assert list(pace.due(60_000_007)) == []
    assert pace.next_ns == 80_000_007


def test_a_paced_load_sends_what_falls_due() -> None:
    desk = Desk([ANSWER])
    count = loaded(desk, rate_per_s=50.0)

    assert 0 < count.answers <= len(desk.requests)


def test_a_connection_that_the_server_ends_shows() -> None:
    count = loaded(Desk([ANSWER], []))

    assert count.statuses[LOST] == 2


class Wire(Connection):
    """Keeps from when each request counts, and sends nothing."""

    def __init__(self, load: Load) -> None:
        super().__init__(load)
        self.intended_ns: list[int] = []

    def send(self, head: bytes, intended_ns: int) -> None:  # noqa: ARG002 - as in Connection
        self.intended_ns.append(intended_ns)


def test_a_request_that_waited_for_a_connection_counts_from_when_it_was_due() -> None:
    load = Load(Plan("", 0, 0, 1, [GET], 1.0, rate_per_s=50.0))
    wire = Wire(load)
    load._due.extend((7, 9))
    load.answered(wire, b"200", 1)
    load.answered(wire, b"200", 7)

    assert wire.intended_ns == [7, 9]


@pytest.mark.parametrize(("quantile", "found"), [(0.0, 1.0), (0.5, 51.0), (0.95, 96.0), (0.99, 100.0), (1.0, 100.0)])
def test_a_quantile_is_that_of_the_times(quantile: float, found: float) -> None:
    assert quantile_ms([number * 1_000_000 for number in range(1, 101)], quantile) == found


def test_a_quantile_of_nothing_is_none_and_not_a_good_one() -> None:
    assert quantile_ms([], 0.99) is None
    assert (shown_ms(None), shown_ms(1.25, 2)) == ("unknown", "1.25 ms")
