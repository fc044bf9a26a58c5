"""Rate limits as a question that may be answered later, and the answer of one process (contract §2 limits)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from reference_server.contract import limits
from reference_server.core.buckets import Buckets, Rate

Kind = Literal["rest_address", "rest_account", "handshake"]


class RateLimits(Protocol):
    """The buckets of all processes together."""

    def take(self, kind: Kind, key: str, then: Callable[[int | None], None]) -> None:
        """Take one call of the bucket, then `then(None)`, or `then(seconds after which one succeeds)`."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often one may call; defaults are the contract's."""

    address_per_minute: int = limits.RATE_PER_MINUTE_ADDRESS
    account_per_minute: int = limits.RATE_PER_MINUTE_ACCOUNT
    handshake_burst: int = limits.HANDSHAKE_BURST
    handshakes_per_s: int = limits.HANDSHAKES_PER_S


class LocalLimits:
    """The buckets of this process."""

    def __init__(self, monotonic_ns: Callable[[], int], rates: Rates) -> None:
        self._monotonic_ns = monotonic_ns
        self._buckets: dict[Kind, Buckets] = {
            "rest_address": Buckets(Rate.per_minute(rates.address_per_minute)),
            "rest_account": Buckets(Rate.per_minute(rates.account_per_minute)),
            "handshake": Buckets(Rate.per_second(rates.handshake_burst, rates.handshakes_per_s)),
        }

    def take(self, kind: Kind, key: str, then: Callable[[int | None], None]) -> None:
        """Answer at once."""
        then(self._buckets[kind].take(key, self._monotonic_ns()))


class NoLimits:
    """The setting `off`."""

    def take(self, kind: Kind, key: str, then: Callable[[int | None], None]) -> None:  # noqa: ARG002
        """Let everything pass."""
        then(None)


def limits_of(rates: Rates | None, monotonic_ns: Callable[[], int]) -> RateLimits:
    """Return the limits of one process; none when there are no rates."""
    return NoLimits() if rates is None else LocalLimits(monotonic_ns, rates)
