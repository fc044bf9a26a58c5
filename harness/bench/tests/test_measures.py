"""A rate or a latency of calls meets no bar when any of them was refused."""

import pytest

from harness.bench.load import Count
from harness.bench.measures import _beside, _rate
from harness.bench.report import BARS_BY_NAME, verdict


def count(**statuses: int) -> Count:
    told = {status[1:]: number for status, number in statuses.items()}
    return Count(sum(told.values()), 2.0, 1.0, 2.0, told, 2.0, 0.0, 0.1)


def test_a_rate_is_that_of_the_answers_with_what_each_cost() -> None:
    found = _rate("get_task", count(s200=40_000))

    assert (found.value, found.cpu_us_per_request, found.p99_ms, found.fault) == (20_000, 50.0, 2.0, "")
    assert verdict(found, BARS_BY_NAME["get_task"]) == "met"


def test_a_rate_of_refusals_is_none_that_was_asked_for() -> None:
    found = _rate("submit_normal", count(s503=40_000))

    assert found.fault == "40,000 answers x 503"
    assert verdict(found, BARS_BY_NAME["submit_normal"]) == "missed"


ALL = (count(s200=400), count(s200=40), count(s201=10))


@pytest.mark.parametrize(
    ("counts", "fault"),
    [
        (ALL, ""),
        (ALL[:2], ""),
        ((count(s200=399, s503=1), *ALL[1:]), "1 calls x 503"),
        ((ALL[0], count(s503=40), ALL[2]), "40 logins x 503"),
        ((*ALL[:2], count(s413=10)), "10 uploads x 413"),
    ],
    ids=["all well", "without uploads", "a call refused", "logins refused", "uploads refused"],
)
def test_calls_beside_logins_and_uploads_count_only_where_all_of_them_succeed(
    counts: tuple[Count, ...], fault: str
) -> None:
    found = _beside("mixed_p99", *counts)

    assert (found.value, found.lag_ms) == (2.0, 0.1)
    assert found.note.startswith("200 calls/s beside 20.0 logins/s")
    assert found.fault == fault
    assert verdict(found, BARS_BY_NAME["mixed_p99"]) == ("missed" if fault else "met")
