"""What a turn says is joined: each connection has one piece, in the order in which it was said (contract §5a)."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reference_server.websocket.joining import Gathered, joined

EVERYONE = tuple(range(100))
small = st.lists(st.integers(0, 120), max_size=5, unique=True).map(tuple)
audience = st.one_of(st.just(EVERYONE), small)


def told(pieces: Sequence[tuple[bytes, Sequence[int]]]) -> dict[int, bytes]:
    """Return what each is told; fails when one is told twice."""
    said: dict[int, bytes] = {}
    for data, receivers in pieces:
        for one in receivers:
            assert one not in said
            said[one] = data
    return said


@given(st.lists(audience, max_size=12))
def test_each_gets_all_that_is_for_it_in_order_in_one_piece(audiences: list[tuple[int, ...]]) -> None:
    gathered: Gathered = [(b"%d," % number, receivers) for number, receivers in enumerate(audiences)]
    due: dict[int, bytes] = {}
    for frame, receivers in gathered:
        for one in receivers:
            due[one] = due.get(one, b"") + frame

    pieces = list(joined(gathered))
    assert told(pieces) == due
    assert all(data for data, _ in pieces)


def test_what_is_for_all_alone_keeps_its_audience_as_it_is() -> None:
    other = (200, 201)
    pieces = list(joined([(b"a", EVERYONE), (b"x", other), (b"b", EVERYONE)]))

    assert pieces[0] == (b"ab", EVERYONE)
    assert pieces[0][1] is EVERYONE
    assert pieces[1:] == [(b"x", (200,)), (b"x", (201,))]


def test_one_who_gets_more_takes_nobody_elses_piece_apart() -> None:
    pieces = list(joined([(b"a", EVERYONE), (b"x", (3,)), (b"b", EVERYONE)]))

    assert [(data, len(receivers)) for data, receivers in pieces] == [(b"ab", 99), (b"axb", 1)]


def test_nothing_said_is_nothing_written() -> None:
    assert list(joined([])) == []
