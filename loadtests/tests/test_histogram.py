"""The histogram never says less than the truth, at most a 64th more, and merging loses nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.histogram import ERROR_MAX, Histogram, HistogramData, bucket_of, highest_in

VALUES = st.lists(st.integers(0, 10**13), min_size=1, max_size=200)
SHARES = st.sampled_from([0.001, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0])


def histogram(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


@pytest.mark.property
@given(VALUES, SHARES)
def test_a_quantile_is_the_nearest_rank_or_at_most_a_64th_above_it(values: list[int], share: float) -> None:
    truth = sorted(values)[max(1, math.ceil(share * len(values))) - 1]

    found = histogram(values).quantile(share)

    assert truth <= found <= truth * (1 + ERROR_MAX)


@pytest.mark.property
@given(VALUES, VALUES, VALUES)
def test_merging_is_the_same_in_any_order_and_grouping(one: list[int], two: list[int], three: list[int]) -> None:
    a, b, c = (histogram(values).data() for values in (one, two, three))

    left = Histogram.of([Histogram.of([a, b]).data(), c]).data()
    right = Histogram.of([c, Histogram.of([b, a]).data()]).data()

    assert left == right == histogram([*one, *two, *three]).data()


@pytest.mark.property
@given(st.integers(0, 2**60))
def test_a_value_lies_in_its_bucket_and_above_the_one_before(value: int) -> None:
    bucket = bucket_of(value)

    assert value <= highest_in(bucket)
    assert bucket == 0 or value > highest_in(bucket - 1)


def test_small_values_are_exact() -> None:
    made = histogram(list(range(100)))

    assert [made.quantile(share) for share in (0.01, 0.5, 1.0)] == [0, 49, 99]


def test_the_highest_value_is_exact_whatever_its_bucket() -> None:
    made = histogram([1, 1_000_003])

    assert made.quantile(1.0) == made.highest == 1_000_003


def test_an_empty_histogram_has_zeros() -> None:
    assert Histogram().quantile(0.99) == 0
    assert Histogram.of([HistogramData(), histogram([7]).data()]).lowest == 7


def test_a_negative_value_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Histogram().add(-1)


def test_histograms_of_other_width_are_not_merged() -> None:
    with pytest.raises(ValueError, match="sub-bits"):
        Histogram.of([HistogramData(1, 1, 1, 1, ((1, 1),), sub_bits=3)])
