"""The ledger tells what was lost, what came twice and what came to the wrong one."""

import pytest

from harness.bench.ledger import SEEN_MAX, Ledger, Tally


def ledger(messages: int, slots: int = 2, *taken: tuple[int, int]) -> Ledger:
    one = Ledger(slots)
    for number in range(1, messages + 1):
        one.expect(number)
    for number, slot in taken:
        one.take(number, slot)
    return one


@pytest.mark.parametrize(
    ("taken", "tally"),
    [
        ([(1, 0), (1, 1), (2, 0), (2, 1)], Tally(4, 4, 0, 0, 0)),
        ([(1, 0), (2, 0), (2, 1)], Tally(4, 3, 1, 0, 0)),
        ([(1, 0), (1, 1), (1, 1), (2, 0), (2, 1)], Tally(4, 5, 0, 1, 0)),
        ([(1, 0), (1, 0), (2, 0), (2, 1)], Tally(4, 4, 1, 1, 0)),
        ([(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (0, 1), (1, 2)], Tally(4, 4, 0, 0, 3)),
    ],
    ids=["all", "lost", "doubled", "one lost and one doubled", "never sent"],
)
def test_what_came_is_held_to_what_was_sent(taken: list[tuple[int, int]], tally: Tally) -> None:
    one = ledger(2, 2, *taken)

    assert one.tally() == tally
    assert one.tally().balanced == (tally == Tally(4, 4, 0, 0, 0))
    assert one.complete == (tally.lost == 0)


def test_nothing_is_expected_of_a_message_that_was_refused() -> None:
    one = ledger(2, 2, (1, 0), (1, 1))
    one.refuse(2)

    assert one.complete
    assert one.tally() == Tally(2, 2, 0, 0, 0, refused=1)


def test_a_refused_message_that_comes_all_the_same_is_foreign() -> None:
    one = ledger(2, 2, (1, 0), (1, 1), (2, 0))
    one.refuse(2)
    one.take(2, 1)

    assert one.complete
    assert one.tally() == Tally(2, 2, 0, 0, 2, refused=1)


def test_a_message_that_came_to_another_is_foreign() -> None:
    one = ledger(1, 1, (1, 0))
    one.take_foreign()

    assert one.tally() == Tally(1, 1, 0, 0, 1)
    assert not one.tally().balanced


def test_a_flood_of_one_message_is_counted_up_to_a_bound() -> None:
    assert ledger(1, 1, *[(1, 0)] * (SEEN_MAX + 9)).tally().doubled == SEEN_MAX - 1


def test_numbers_come_one_after_another() -> None:
    with pytest.raises(ValueError, match="message 3 follows 1"):
        ledger(1).expect(3)
