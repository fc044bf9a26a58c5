"""Hubs that deliver wrongly: each stands before an honest one and spoils what goes in or what comes out."""

from collections.abc import Iterable
from typing import Final

from reference_server.contract.models import SocketFigures
from reference_server.core.answers import Audience, Everyone, Only
from reference_server.core.effects import Accepted, Effect, FrameIn, HubInput, Lost, Opcode, Opened, Send
from reference_server.core.hub import Hub

EVERY: Final = 4
"""How often a mutant that errs now and then does so: rarely enough that single tests may miss it."""


class SpoiledHub:
    """An honest hub with a place to spoil it (`reference_server.hub_driver.HubMachine`)."""

    def __init__(self) -> None:
        self._hub = Hub()
        self._pushes = 0

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Take one input; what is spoiled is the subclass's."""
        return self._hub.handle(item, now_ns, wall_ns)

    def next_timer_ns(self) -> int | None:
        """Return the hub's next deadline."""
        return self._hub.next_timer_ns()

    def backlogged(self, number: int) -> bool:
        """Say what the hub says."""
        return self._hub.backlogged(number)

    def hears(self, audience: Audience) -> bool:  # noqa: ARG002 - what is spoiled may be whom it reaches
        """Take every message."""
        return True

    def figures(self) -> SocketFigures:
        """Return what the hub counted."""
        return self._hub.figures()

    def _due(self, item: HubInput) -> bool:
        """Count messages for one account and say whether this one is to be spoiled."""
        if not isinstance(item, Accepted) or not isinstance(item.audience, Only):
            return False
        self._pushes += 1
        return self._pushes % EVERY == 0


class DropsAMessage(SpoiledHub):
    """Now and then the first of an account's connections misses a message."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Leave one receiver out."""
        effects = super().handle(item, now_ns, wall_ns)
        return list(_without_first(effects)) if self._due(item) else effects


class LeaksToAnotherUser(SpoiledHub):
    """Now and then what is meant for one account goes to everyone."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Widen the audience."""
        if self._due(item) and isinstance(item, Accepted):
            item = Accepted(item.seq, Everyone(), item.payload)
        return super().handle(item, now_ns, wall_ns)


class DeafAfterACut(SpoiledHub):
    """When one connection of an account is lost without a close frame, its others miss the next message."""

    def __init__(self) -> None:
        super().__init__()
        self._owners: dict[int, str] = {}
        self._deaf: set[str] = set()

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Remember losses, swallow the message after each."""
        match item:
            case Opened(connection=connection, account_id=account_id):
                self._owners[connection] = account_id
            case FrameIn(connection=connection, opcode=Opcode.CLOSE):
                self._owners.pop(connection, None)
            case Lost(connection=connection) if connection in self._owners:
                self._deaf.add(self._owners.pop(connection))
            case Accepted(audience=Only(account_id=account_id)) if account_id in self._deaf:
                self._deaf.discard(account_id)
                return []
            case _:
                pass
        return super().handle(item, now_ns, wall_ns)


class SaysEverythingTwice(SpoiledHub):
    """Every message goes out twice, the welcome too: whoever judges this sound judges nothing."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Double every send."""
        effects = super().handle(item, now_ns, wall_ns)
        return [again for effect in effects for again in ([effect, effect] if isinstance(effect, Send) else [effect])]


def _without_first(effects: Iterable[Effect]) -> Iterable[Effect]:
    for effect in effects:
        if not isinstance(effect, Send):
            yield effect
        elif len(effect.receivers) > 1:
            yield Send(effect.payload, effect.receivers[1:])
