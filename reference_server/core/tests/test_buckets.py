"""Token buckets: what passes, how long to wait, how many are kept (contract §2 limits)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.core.buckets import Buckets, Rate
from reference_server.core.units import SECOND_NS

HUNDRED_A_MINUTE = Rate.per_minute(100)
HANDSHAKES = Rate.per_second(60, 10)


@pytest.mark.parametrize(("rate", "burst"), [(HUNDRED_A_MINUTE, 100), (HANDSHAKES, 60)])
def test_a_full_bucket_lets_its_burst_pass_and_no_more(rate: Rate, burst: int) -> None:
    buckets = Buckets(rate)

    assert [buckets.take("ann", 0) for _ in range(burst)] == [None] * burst
    assert buckets.take("ann", 0) == 1
    assert buckets.take("bob", 0) is None


def test_after_the_wait_that_was_told_a_call_succeeds() -> None:
    buckets = Buckets(Rate.per_minute(2))
    assert [buckets.take("ann", now_ns) for now_ns in (0, 0)] == [None, None]
    wait_s = buckets.take("ann", SECOND_NS)

    assert wait_s == 29
    assert buckets.take("ann", SECOND_NS + wait_s * SECOND_NS - SECOND_NS) is not None
    assert buckets.take("ann", SECOND_NS + wait_s * SECOND_NS) is None


def test_filled_buckets_are_forgotten_and_the_number_is_bounded() -> None:
    buckets = Buckets(HANDSHAKES, buckets_max=10)
    for number in range(50):
        buckets.take(f"account-{number}", number)
    assert len(buckets) <= 10
    buckets.take("late", 10 * SECOND_NS)

    assert len(buckets) < 10


@pytest.mark.property
@given(st.lists(st.integers(0, 2 * SECOND_NS), max_size=300))
def test_no_window_holds_more_than_burst_and_rate_allow(gaps: list[int]) -> None:
    buckets, now_ns, passed = Buckets(HANDSHAKES), 0, []
    for gap in gaps:
        now_ns += gap // 50
        if buckets.take("ann", now_ns) is None:
            passed.append(now_ns)
    for first, start_ns in enumerate(passed):
        for last in range(first, len(passed)):
            window_ns = passed[last] - start_ns
            assert last - first + 1 <= HANDSHAKES.burst + window_ns // HANDSHAKES.interval_ns + 1
