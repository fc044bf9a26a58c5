"""A rate is a violation only when more was let pass than any bucket of the contract's size could have."""

import asyncio
from collections.abc import Mapping

import pytest

from harness.conformance import rate_cases
from harness.conformance.rate_cases import Allowance, offered
from harness.conformance.stage import NotAcceptedError

BURST, PER_S = 50, 5


def bucket(size: float, calls: list[int]) -> rate_cases.Offer:
    async def offer() -> tuple[int, Mapping[str, str]]:
        calls.append(1)
        await asyncio.sleep(0.001)
        return (200, {}) if len(calls) <= size else (429, {"retry-after": "1"})

    return offer


def test_the_offering_ends_with_the_first_429() -> None:
    calls: list[int] = []
    allowance = Allowance(BURST, PER_S)

    assert asyncio.run(offered(bucket(BURST, calls), allowance, 10)) == {"retry-after": "1"}
    assert BURST < len(calls) <= BURST + 10


def test_a_bucket_without_a_bottom_is_found_out_by_twice_its_allowance() -> None:
    calls: list[int] = []
    allowance = Allowance(BURST, PER_S)

    assert asyncio.run(offered(bucket(10_000, calls), allowance, 10)) is None
    assert allowance.times >= 2
    assert len(calls) < 4 * BURST


def test_who_is_too_slow_to_exceed_the_refill_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_cases, "OFFER_S_MAX", 0.1)

    async def slow() -> tuple[int, Mapping[str, str]]:
        await asyncio.sleep(0.03)
        return 200, {}

    with pytest.raises(NotAcceptedError, match=r"too slow to exceed the refill: .* times what the allowance"):
        asyncio.run(offered(slow, Allowance(BURST, PER_S), 1))


def test_what_a_server_had_no_strength_for_was_not_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_cases, "OFFER_S_MAX", 0.1)

    async def overloaded() -> tuple[int, Mapping[str, str]]:
        await asyncio.sleep(0.001)
        return 503, {}

    with pytest.raises(NotAcceptedError):
        asyncio.run(offered(overloaded, Allowance(BURST, PER_S), 10))
