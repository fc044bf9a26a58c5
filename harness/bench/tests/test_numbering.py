"""A message tells the number of its publish; a connection that missed one, or got one twice, is found by it."""

import pytest

from harness.bench.numbering import NUMBERED, Numbered, number_of, numbers_fault


@pytest.mark.parametrize(
    ("payload", "number"),
    [(b'{"message":"bench 00000042xxx"}', 42), (b'{"message":"hello"}', 0), (b"bench", 0), (b"bench 1234567x", 0)],
)
def test_a_message_tells_its_number(payload: bytes, number: int) -> None:
    assert number_of(payload) == number


def test_a_text_without_a_number_yet_is_a_place_for_one() -> None:
    assert number_of(NUMBERED.replace("00000000", "00000007").encode()) == 7


@pytest.mark.parametrize(
    ("streams", "fault"),
    [
        ([[1, 2, 3], [1, 2, 3]], ""),
        ([[2, 1, 3], [2, 1, 3]], ""),
        ([[1, 2, 3], [1, 3, 2]], "two connections got the messages in two orders"),
        ([[1, 2, 3], [1, 1, 3]], "of 3 messages a connection lost 1, got 1 twice, or got another's"),
        ([[1, 2, 3], [1, 2]], "of 3 messages a connection lost 1, got 0 twice, or got another's"),
        ([[1, 2, 4]], "of 3 messages a connection lost 1, got 0 twice, or got another's"),
        ([], ""),
    ],
)
def test_each_number_comes_once_to_each_and_in_one_order(streams: list[list[int]], fault: str) -> None:
    assert numbers_fault(streams, [range(1, 4)] * len(streams)) == fault


def test_connections_of_two_audiences_have_numbers_and_an_order_each() -> None:
    sent = [range(1, 5, 2), range(2, 5, 2), range(1, 5, 2)]

    assert numbers_fault([[3, 1], [2, 4], [3, 1]], sent) == ""
    assert numbers_fault([[3, 1], [2, 4], [1, 3]], sent) == "two connections got the messages in two orders"
    assert (
        numbers_fault([[2, 4], [2, 4], [1, 3]], sent)
        == "of 2 messages a connection lost 2, got 0 twice, or got another's"
    )


def test_a_request_gets_its_number_in_its_place_and_nowhere_else() -> None:
    request = b"X: 00000000 " + NUMBERED.encode() + b"!"

    assert Numbered(request).request(7) == b"X: 00000000 bench 00000007!"
    assert Numbered(request).numbered
    assert Numbered(b"00000000").request(7) == b"00000000"
    assert not Numbered(b"00000000").numbered
