"""A link keeps TCP's promise: bytes arrive in order, or it dies; frames survive any division of the bytes."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.simulation import frames
from harness.simulation.network import SEND_BUFFER_BYTES, Link
from harness.simulation.scheduler import NS_PER_S, Scheduler


class Ear:
    def __init__(self) -> None:
        self.heard = b""
        self.ended = 0
        self.drained = 0

    def bytes_came(self, data: bytes) -> None:
        self.heard += data

    def link_ended(self) -> None:
        self.ended += 1

    def link_drained(self) -> None:
        self.drained += 1


def falling() -> Iterator[float]:
    """Give each piece a shorter way than the one before, so that it would overtake if it could."""
    while True:
        yield from (0.9, 0.5, 0.1)


@pytest.fixture
def wire() -> tuple[Scheduler, Link, Ear, Ear]:
    scheduler, a, b, draws = Scheduler(), Ear(), Ear(), falling()
    return scheduler, Link(scheduler, lambda: next(draws), a, b), a, b


def test_bytes_never_overtake_each_other(wire: tuple[Scheduler, Link, Ear, Ear]) -> None:
    scheduler, link, a, b = wire
    for letter in (b"1", b"2", b"3", b"4"):
        link.send(a, letter)

    scheduler.run_until(NS_PER_S)

    assert (b.heard, a.heard) == (b"1234", b"")


def test_what_was_sent_before_a_close_arrives_before_the_end(wire: tuple[Scheduler, Link, Ear, Ear]) -> None:
    scheduler, link, a, b = wire
    link.send(a, b"last words")
    link.close(a)
    link.send(a, b"too late")

    scheduler.run_until(NS_PER_S)

    assert (b.heard, b.ended, a.ended) == (b"last words", 1, 0)


def test_a_cut_loses_what_is_on_its_way_and_ends_both_sides_once(wire: tuple[Scheduler, Link, Ear, Ear]) -> None:
    scheduler, link, a, b = wire
    link.send(a, b"lost")
    link.send(b, b"lost too")
    link.cut(a)
    link.cut(a)

    scheduler.run_until(NS_PER_S)

    assert (a.heard, b.heard, a.ended, b.ended) == (b"", b"", 1, 1)


def test_a_full_send_buffer_is_not_writable_until_it_drained(wire: tuple[Scheduler, Link, Ear, Ear]) -> None:
    scheduler, link, a, _ = wire
    link.send(a, b"x" * (SEND_BUFFER_BYTES + 1))
    assert not link.writable(a)

    scheduler.run_until(NS_PER_S)

    assert link.writable(a)
    assert a.drained == 1


@given(
    sent=st.lists(st.tuples(st.sampled_from([frames.TEXT, frames.PING]), st.binary(max_size=300)), max_size=8),
    mask=st.sampled_from([b"", b"\x01\x02\x03\x04", b"\x00\x00\x00\x00"]),
    pieces=st.integers(1, 50),
)
def test_frames_come_out_as_they_went_in(sent: list[tuple[int, bytes]], mask: bytes, pieces: int) -> None:
    stream = b"".join(frames.encode(opcode, payload, mask) for opcode, payload in sent)
    reader, came = frames.Reader(), list[frames.Frame]()

    for start in range(0, len(stream), pieces):
        came += reader.feed(stream[start : start + pieces])

    assert came == [frames.Frame(opcode, payload) for opcode, payload in sent]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_the_length_is_in_its_shortest_form(size: int) -> None:
    encoded = frames.encode(frames.TEXT, b"x" * size)

    assert len(encoded) == size + (2 if size < 126 else 4 if size < 65_536 else 10)


def test_the_frames_of_the_rfc_are_written_as_it_shows_them() -> None:
    assert frames.encode(frames.TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert frames.encode(frames.TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex("818537fa213d7f9f4d5158")


def test_a_close_frame_carries_its_code_and_reason() -> None:
    (frame,) = frames.Reader().feed(frames.encode(frames.CLOSE, b"\x11\x31token ended"))

    assert frames.close_fields(frame.payload) == (4401, "token ended")
    assert frames.close_fields(b"") == (1005, "")


def test_a_frame_that_no_simulated_peer_sends_is_named() -> None:
    with pytest.raises(ValueError, match="frame starts with 0x01"):
        frames.Reader().feed(b"\x01\x00")
