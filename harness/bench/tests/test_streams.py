"""What is read of many streams is counted exactly, however it is cut; what is missing or too much is said."""

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from harness.bench.streams import IN_FULL, SWEEP_READS, Streams, pieces
from harness.conformance.raw_frames import CLOSE, PING, TEXT, frame

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
FRAME = frame(TEXT, b"x" * 160, masked=False)
WELCOME = frame(TEXT, b"welcome", masked=False)
DEADLINE_S = 10.0


class Door:
    """A server whose connections get `greeting` for their handshake and then what a test sends."""

    def __init__(self, greeting: bytes) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.greeting = greeting
        self.lines: list[socket.socket] = []

    def serve(self, number: int) -> None:
        for _ in range(number):
            line, _ = self.listener.accept()
            # Before it is answered: a test that is over with the answer closes what is here.
            self.lines.append(line)
            line.recv(65536)
            line.sendall(self.greeting)

    def close(self) -> None:
        for line in (self.listener, *self.lines):
            line.close()


@pytest.fixture
def opened() -> Iterator[Callable[..., tuple[Streams, list[socket.socket]]]]:
    doors: list[Door] = []
    all_streams: list[Streams] = []

    def open_(number: int, greeting: bytes = SWITCHING, welcomes: int = 0) -> tuple[Streams, list[socket.socket]]:
        door = Door(greeting)
        doors.append(door)
        accepting = threading.Thread(target=door.serve, args=(number,))
        accepting.start()
        streams = Streams("127.0.0.1", door.listener.getsockname()[1], len(FRAME))
        all_streams.append(streams)
        streams.open([b"GET / HTTP/1.1\r\n\r\n"] * number, welcomes)
        accepting.join(DEADLINE_S)
        return streams, door.lines

    yield open_
    for streams in all_streams:
        streams.leave()
    for door in doors:
        door.close()


def nothing() -> None:
    pass


def sweep_until(streams: Streams, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        streams.sweep(nothing)


Opened = Callable[..., tuple[Streams, list[socket.socket]]]


def test_every_frame_of_every_stream_is_counted_once(opened: Opened) -> None:
    streams, lines = opened(3)
    for line in lines:
        line.sendall(FRAME * 5)
    sweep_until(streams, lambda: streams.bytes_read == 3 * 5 * len(FRAME))

    assert streams.fault([5] * len(streams)) == ""


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 100, len(FRAME) - 1])
def test_a_frame_in_two_reads_counts_once_and_when_it_is_whole(opened: Opened, cut: int) -> None:
    streams, (line,) = opened(1)
    line.sendall(FRAME + FRAME[:cut])
    sweep_until(streams, lambda: streams.bytes_read == len(FRAME) + cut)
    assert streams.fault([2] * len(streams)) == "1 of 1 connections read 1 to 1 frames where 2 to 2 were sent"
    line.sendall(FRAME[cut:])
    sweep_until(streams, lambda: streams.bytes_read == 2 * len(FRAME))

    assert streams.fault([2] * len(streams)) == ""


def test_a_ping_among_frames_is_answered_and_not_counted(opened: Opened) -> None:
    streams, (line,) = opened(1)
    line.settimeout(DEADLINE_S)
    line.sendall(FRAME + frame(PING, b"hi", masked=False) + FRAME)
    sweep_until(streams, lambda: streams.bytes_read == 2 * len(FRAME))

    answer = line.recv(100)
    assert (answer[0], answer[1]) == (0x8A, 0x80 | 2)
    assert streams.fault([2] * len(streams)) == ""


def test_a_frame_that_was_dropped_is_missed(opened: Opened) -> None:
    streams, (first, second) = opened(2)
    first.sendall(FRAME * 2)
    second.sendall(FRAME)
    sweep_until(streams, lambda: streams.bytes_read == 3 * len(FRAME))

    assert streams.fault([2] * len(streams)) == "1 of 2 connections read 1 to 1 frames where 2 to 2 were sent"


def test_a_frame_that_came_twice_is_one_too_many(opened: Opened) -> None:
    streams, (first, second) = opened(2)
    first.sendall(FRAME * 2)
    second.sendall(FRAME * 3)
    sweep_until(streams, lambda: streams.bytes_read == 5 * len(FRAME))

    assert streams.fault([2] * len(streams)) == "1 of 2 connections read 3 to 3 frames where 2 to 2 were sent"


def test_a_frame_of_another_length_is_named(opened: Opened) -> None:
    streams, (line,) = opened(1)
    line.sendall(FRAME + WELCOME)
    sweep_until(streams, lambda: bool(streams.strange))

    assert streams.fault([1] * len(streams)) == "a frame of 9 bytes (first byte 0x81) came instead of 164"


@pytest.mark.parametrize("last", [b"", frame(CLOSE, b"", masked=False)])
def test_a_connection_that_ends_is_lost(opened: Opened, last: bytes) -> None:
    streams, (line, _) = opened(2)
    line.sendall(FRAME + last)
    line.close()
    sweep_until(streams, lambda: streams.fault([0] * len(streams)).startswith("1 of 2 connections were lost"))


def test_welcomes_are_read_before_anything_counts(opened: Opened) -> None:
    streams, (line,) = opened(1, SWITCHING + WELCOME + FRAME, welcomes=1)
    line.sendall(FRAME)
    sweep_until(streams, lambda: streams.fault([2] * len(streams)) == "")
    streams.begin()

    assert streams.fault([0] * len(streams)) == ""


def test_a_refused_handshake_says_how_it_was_answered(opened: Opened) -> None:
    with pytest.raises(RuntimeError, match="answered a handshake with 'HTTP/1\\.1 401 Unauthorized'"):
        opened(1, b"HTTP/1.1 401 Unauthorized\r\n\r\n")


def test_a_sweep_looks_between_reads(opened: Opened) -> None:
    streams, _ = opened(SWEEP_READS + 1)
    looks: list[None] = []
    streams.sweep(lambda: looks.append(None))

    assert len(looks) == 2


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_pieces_end_where_frames_do(size: int) -> None:
    whole = frame(TEXT, b"x" * size, masked=False)

    assert [(piece.first, len(piece.payload), piece.end) for piece in pieces(whole * 2)] == [
        (0x81, size, len(whole)),
        (0x81, size, 2 * len(whole)),
    ]
    assert list(pieces(whole[:-1])) == []


def test_each_stream_is_held_against_its_own_number(opened: Opened) -> None:
    streams, (first, second) = opened(2)
    first.sendall(FRAME * 2)
    second.sendall(FRAME * 3)
    sweep_until(streams, lambda: streams.bytes_read == 5 * len(FRAME))

    assert streams.fault([2, 3]) == ""
    assert streams.fault([3, 2]) == "2 of 2 connections read 2 to 3 frames where 2 to 3 were sent"


def test_a_frame_whose_end_never_comes_is_told(opened: Opened) -> None:
    streams, (line,) = opened(1)
    line.sendall(FRAME + FRAME[:9])
    sweep_until(streams, lambda: streams.bytes_read == len(FRAME) + 9)

    assert streams.fault([1]) == "1 of 1 connections ended within a frame"


def numbered(number: int) -> bytes:
    return frame(TEXT, (b"bench %08d" % number).ljust(160, b"x"), masked=False)


@pytest.mark.parametrize(
    ("second", "fault"),
    [
        (numbered(1) + numbered(2), ""),
        (numbered(1) + numbered(1), "of 2 messages a connection lost 1, got 1 twice, or got another's"),
        (numbered(2) + numbered(1), "two connections got the messages in two orders"),
    ],
    ids=["each once", "one doubled and one lost", "another order"],
)
def test_what_length_can_t_tell_is_told_by_the_numbers_of_the_first_streams(
    opened: Opened, second: bytes, fault: str
) -> None:
    streams, (first, other) = opened(2)
    streams.begin()
    first.sendall(numbered(1) + numbered(2))
    other.sendall(second)
    sweep_until(streams, lambda: streams.bytes_read == 4 * len(FRAME))

    assert streams.in_full == 2
    assert streams.fault([2, 2]) == ""
    assert streams.fault([2, 2], [range(1, 3)] * 2) == fault


def test_only_the_first_streams_are_in_full(opened: Opened) -> None:
    streams, lines = opened(IN_FULL + 1)
    streams.begin()
    for line in lines[:-1]:
        line.sendall(numbered(1))
    lines[-1].sendall(FRAME)
    sweep_until(streams, lambda: streams.bytes_read == (IN_FULL + 1) * len(FRAME))

    assert streams.in_full == IN_FULL
    assert streams.fault([1] * len(streams), [range(1, 2)] * IN_FULL) == ""


def test_pings_that_were_answered_are_counted(opened: Opened) -> None:
    streams, (line,) = opened(1)
    line.sendall(frame(PING, b"hi", masked=False) * 2)
    sweep_until(streams, lambda: streams.pings == 2)

    assert streams.fault([0]) == ""
