"""What is shrunk still fails, is as short as it can be, and takes a bounded number of tries."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from harness.simulation.shrink import shrink


@given(steps=st.lists(st.integers(0, 30), max_size=40), needed=st.sets(st.integers(0, 30), max_size=4))
def test_only_what_the_failure_needs_is_left(steps: list[int], needed: set[int]) -> None:
    fails_at_all = needed <= set(steps)

    def fails(some: Sequence[int]) -> bool:
        return needed <= set(some)

    if fails_at_all:
        shrunk = shrink(steps, fails, tries_max=10_000)
        assert sorted(shrunk.steps) == sorted(needed)
        assert shrunk.minimal


def test_a_pair_that_must_go_together_goes_together() -> None:
    def fails(some: Sequence[int]) -> bool:
        return (1 in some) == (2 in some) and 5 in some

    assert shrink([1, 2, 3, 5], fails).steps == (5,)


def test_tries_are_bounded_and_the_rest_still_fails() -> None:
    asked = 0

    def fails(some: Sequence[int]) -> bool:
        nonlocal asked
        asked += 1
        return 99 in some

    shrunk = shrink(range(100), fails, tries_max=3)

    assert (asked, shrunk.tries, shrunk.minimal) == (3, 3, False)
    assert 99 in shrunk.steps
