"""The bus: gives every message its place in the one order, and tells every hub (law 1).

In one process it is a loop-back: accepted and delivered in the same step. A bus between processes may answer
later, so `publish` answers through a callback.
"""

from collections.abc import Callable
from typing import Protocol

from reference_server.core.answers import Audience, Only, Publish, Revoke
from reference_server.core.effects import Accepted, Revoked
from reference_server.core.envelopes import envelope


class Hearers(Protocol):
    """The hub, as far as a bus knows it."""

    def deliver(self, item: Accepted | Revoked) -> int:
        """Take an input; return to how many connections a message was accepted."""

    def hears(self, audience: Audience) -> bool:
        """Say whether anybody may be reached by a message for it; a message that reaches nobody needs no bytes."""


Tap = Callable[[int, Publish, bytes], None]
"""Is told of every accepted message: its sequence number, what was published, the payload, made for it if need be."""


class Bus(Protocol):
    """Where decisions put what they publish, once it is durable."""

    def publish(self, publish: Publish, done: Callable[[int | None], None]) -> None:
        """Accept a message, then `done(recipients)`; `done(None)` when it was not accepted."""

    def revoke(self, revoke: Revoke) -> None:
        """Tell every hub that tokens died."""


def encoded(publish: Publish, wall_ns: int) -> bytes:
    """Return the message's envelope; `user_id` stands on messages for one account only (contract §5)."""
    user_id = publish.audience.account_id if isinstance(publish.audience, Only) else None
    return envelope(publish.type, wall_ns, publish.data, user_id)


class LoopbackBus:
    """The bus of one process: order of publishing is the order of acceptance."""

    def __init__(self, wall_ns: Callable[[], int], hub: Hearers, tap: Tap | None = None) -> None:
        self._wall_ns = wall_ns
        self._hub = hub
        self._tap = tap
        self._seq = 0

    def publish(self, publish: Publish, done: Callable[[int | None], None]) -> None:
        """Accept at once; `wall_ns` must never go back (contract §5d)."""
        self._seq += 1
        if self._tap is None and not self._hub.hears(publish.audience):
            # Most tasks are nobody's to watch, and the envelope cost a fifth of a submit.
            done(0)
            return
        payload = encoded(publish, self._wall_ns())
        if self._tap is not None:
            self._tap(self._seq, publish, payload)
        done(self._hub.deliver(Accepted(self._seq, publish.audience, payload)))

    def revoke(self, revoke: Revoke) -> None:
        """Pass on at once."""
        self._hub.deliver(Revoked(revoke.account_id, revoke.jti, revoke.until_ns))
