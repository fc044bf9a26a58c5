"""The wall clock of messages: it never goes back and never stands still (contract §5d)."""

from hypothesis import given
from hypothesis import strategies as st

from reference_server.core.steady_clock import SteadyClock


def test_it_shows_the_systems_clock_while_that_goes_forward() -> None:
    clock = SteadyClock()

    assert [clock.read(at, 1000 + 3 * at) for at in (0, 1, 5)] == [1000, 1003, 1015]


def test_set_back_it_goes_on_at_half_speed_until_the_other_has_caught_up() -> None:
    clock = SteadyClock()
    clock.read(0, 1000)

    assert [clock.read(at, 900 + at) for at in (10, 100, 190, 200, 210)] == [1005, 1050, 1090, 1100, 1110]


def test_a_turn_in_which_no_time_passes_changes_nothing() -> None:
    clock = SteadyClock()

    assert [clock.read(5, wall) for wall in (1000, 900, 900)] == [1000, 1000, 1000]


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 10**6))))
def test_it_never_goes_back(steps: list[tuple[int, int]]) -> None:
    clock, monotonic_ns, shown = SteadyClock(), 0, []
    for passed, wall_ns in steps:
        monotonic_ns += passed
        shown.append(clock.read(monotonic_ns, wall_ns))

    assert shown == sorted(shown)
