"""Rate limits as a question that may be answered later, and the answer of one process (contract §2 limits)."""

from collections.abc import Callable
from typing import Literal, Protocol

from reference_server.contract import limits
from reference_server.core.buckets import Buckets, Rate

Kind = Literal["rest_address", "rest_account", "handshake"]


class RateLimits(Protocol):
    """The buckets of all processes together."""

    def take(self, kind: Kind, key: str, then: Callable[[int | None], None]) -> None:
        """Take one call of the bucket, then `then(None)`, or `then(seconds after which one succeeds)`."""


class LocalLimits:
    """The buckets of this process."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._buckets: dict[Kind, Buckets] = {
            "rest_address": Buckets(Rate.per_minute(limits.RATE_PER_MINUTE_ADDRESS)),
            "rest_account": Buckets(Rate.per_minute(limits.RATE_PER_MINUTE_ACCOUNT)),
            "handshake": Buckets(Rate.per_second(limits.HANDSHAKE_BURST, limits.HANDSHAKES_PER_S)),
        }

    def take(self, kind: Kind, key: str, then: Callable[[int | None], None]) -> None:
        """Answer at once."""
        then(self._buckets[kind].take(key, self._monotonic_ns()))


class NoLimits:
    """The setting `off`."""

    def take(self, kind: Kind, key: str, then: Callable[[int | None], None]) -> None:  # noqa: ARG002
        """Let everything pass."""
        then(None)
