"""A time stands in the window in which it was due; the figure is the median of the windows, none when one is empty."""

from harness.bench.bars import Figure
from harness.bench.windows import WINDOWS, Times, median_of, seconds_of

MS = 1_000_000
FIGURE = Figure("directed", 9.0, p99_ms=9.0, note="as it was")


def times(*pairs_ms: tuple[int, int]) -> Times:
    all_ = Times()
    for due_ms, lasted_ms in pairs_ms:
        all_.add(due_ms * MS, (due_ms + lasted_ms) * MS)
    return all_


def test_a_time_stands_in_the_window_in_which_it_was_due() -> None:
    # The last one was read long after the run.
    found = times((100, 1), (119, 2), (120, 3), (140, 4), (160, 5), (199, 500))

    assert found.windows_ms(1.0, 100 * MS, 200 * MS) == [2.0, 3.0, 4.0, 5.0, 500.0]
    assert found.all() == [1 * MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS, 500 * MS]


def test_what_was_due_outside_is_in_no_window() -> None:
    found = times((99, 1), (200, 2))

    assert found.windows_ms(0.5, 100 * MS, 200 * MS) == [None] * WINDOWS


def test_the_figure_is_the_median_of_its_windows_and_keeps_them() -> None:
    figure = median_of(FIGURE, [2.0, 80.0, 1.0, 3.0, 4.0])

    assert (figure.value, figure.rounds, figure.p99_ms) == (3.0, [2.0, 80.0, 1.0, 3.0, 4.0], 9.0)
    assert figure.note == "1.0 to 80.0 ms in 5 windows; as it was"


def test_a_window_in_which_nothing_was_timed_leaves_no_figure_and_says_so() -> None:
    figure = median_of(FIGURE, [2.0, None, 1.0, 3.0, None])

    assert (figure.value, figure.rounds) == (None, [])
    assert figure.note == "nothing was timed in 2 of 5 windows; as it was"


def test_no_window_is_shorter_than_a_second() -> None:
    assert [seconds_of(asked) for asked in (0.1, 5.0, 20.0)] == [5.0, 5.0, 20.0]
