"""The loop-back bus: one order, exact recipients, and no bytes for what nobody hears."""

import pytest

from reference_server.bus import LoopbackBus
from reference_server.core.answers import Audience, Everyone, Only, Publish
from reference_server.core.effects import Accepted, Revoked


class Hearers:
    """Connections of one account."""

    def __init__(self, *accounts: str) -> None:
        self.accounts = accounts
        self.delivered: list[Accepted | Revoked] = []

    def hears(self, audience: Audience) -> bool:
        return isinstance(audience, Only) and audience.account_id in self.accounts

    def deliver(self, item: Accepted | Revoked) -> int:
        self.delivered.append(item)
        return len(self.accounts)


def published(hub: Hearers, audience: Audience, tapped: list[int] | None = None) -> list[int | None]:
    """Publish twice; return whom it reached, as told."""
    bus = LoopbackBus(lambda: 0, hub, None if tapped is None else lambda seq, *_: tapped.append(seq))
    told: list[int | None] = []
    for _ in range(2):
        bus.publish(Publish("system", {"message": "m", "level": "info"}, audience), told.append)
    return told


def test_what_is_heard_is_delivered_in_order_with_its_recipients() -> None:
    hub = Hearers("ann")

    assert published(hub, Only("ann")) == [1, 1]
    assert [getattr(item, "seq", None) for item in hub.delivered] == [1, 2]


@pytest.mark.parametrize("audience", [Everyone(), Only("bob")])
def test_what_nobody_hears_is_accepted_and_reaches_nobody(audience: Audience) -> None:
    hub = Hearers("ann")

    assert published(hub, audience) == [0, 0]
    assert hub.delivered == []


def test_the_tap_is_told_of_what_nobody_hears() -> None:
    tapped: list[int] = []
    published(Hearers(), Everyone(), tapped)

    assert tapped == [1, 2]
