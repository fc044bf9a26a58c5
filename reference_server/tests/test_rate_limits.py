"""The limits of one process: a bucket for each kind and key, at the rates that are set (contract §2 limits)."""

import pytest

from reference_server.core.units import SECOND_NS
from reference_server.rate_limits import Kind, Rates, limits_of

RATES = Rates(address_per_minute=2, account_per_minute=3, handshake_burst=4, handshakes_per_s=2)


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


@pytest.mark.parametrize(
    ("kind", "burst", "wait_s"), [("rest_address", 2, 30), ("rest_account", 3, 20), ("handshake", 4, 1)]
)
def test_each_kind_has_its_own_rate_and_tells_when_a_call_succeeds(kind: Kind, burst: int, wait_s: int) -> None:
    clock = Clock()
    limits, waits = limits_of(RATES, clock), list[int | None]()
    for key in ["ann"] * (burst + 1) + ["bob"]:
        limits.take(kind, key, waits.append)
    assert waits == [None] * burst + [wait_s, None]

    clock.now_ns = wait_s * SECOND_NS
    limits.take(kind, "ann", waits.append)
    assert waits[-1] is None


def test_kinds_do_not_share_a_bucket() -> None:
    limits, waits = limits_of(RATES, Clock()), list[int | None]()
    kinds: list[Kind] = ["rest_address", "rest_account", "handshake"]
    for kind in kinds * 2:
        limits.take(kind, "same key", waits.append)

    assert waits == [None] * 6


def test_without_rates_everything_passes() -> None:
    limits, waits = limits_of(None, Clock()), list[int | None]()
    for _ in range(1000):
        limits.take("rest_address", "ann", waits.append)

    assert waits == [None] * 1000
