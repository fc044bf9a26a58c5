"""Hubs that deliver wrongly: each stands before an honest one and spoils what goes in or what comes out."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import msgspec

from reference_server.contract.messages import AgentUpdateData
from reference_server.contract.models import SocketFigures
from reference_server.core.answers import Audience, Everyone, Only
from reference_server.core.effects import (
    Accepted,
    Close,
    Effect,
    Failed,
    FrameIn,
    HubInput,
    Lost,
    Opcode,
    Opened,
    Send,
    SendPong,
)
from reference_server.core.envelopes import envelope
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

    def is_empty(self) -> bool:
        """Say what the hub says."""
        return self._hub.is_empty()

    def shrink(self) -> None:
        """Do what the hub does."""
        self._hub.shrink()

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


Message = dict[str, Any]


class _ChangedMessages(SpoiledHub):
    """Says something else than it should: `change` is given every message that goes out."""

    every = 1

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Change what is said."""
        return [self._changed(effect) for effect in super().handle(item, now_ns, wall_ns)]

    def _changed(self, effect: Effect) -> Effect:
        if not isinstance(effect, Send):
            return effect
        self._pushes += 1
        if self._pushes % self.every:
            return effect
        message: Message = msgspec.json.decode(effect.payload)
        return Send(msgspec.json.encode(self.change(message)), effect.receivers)

    def change(self, message: Message) -> Message:
        """Return what is said instead."""
        raise NotImplementedError


def _of_task(message: Message, **changes: Any) -> Message:
    """Return a task_update with fields changed (None: left out), any other message as it is."""
    if message["type"] != "task_update":
        return message
    data = {name: value for name, value in {**message["data"], **changes}.items() if value is not None}
    return {**message, "data": data}


class WelcomesNobody(_ChangedMessages):
    """The welcome says nothing of the server's time."""

    def change(self, message: Message) -> Message:
        """Leave `server_time` out."""
        data = {name: value for name, value in message["data"].items() if name != "server_time"}
        return {**message, "data": data} if "client_id" in data else message


class TurnsClocksBack(_ChangedMessages):
    """Now and then a message is of 1970."""

    every = EVERY

    def change(self, message: Message) -> Message:
        """Date it back."""
        return {**message, "timestamp": "1970-01-01T00:00:00.000000Z"}


class ForgetsTheQuery(_ChangedMessages):
    """Pushes of tasks lack the query."""

    def change(self, message: Message) -> Message:
        """Leave it out."""
        return _of_task(message, query=None)


class ForgetsTheRevision(_ChangedMessages):
    """Pushes of tasks lack the revision."""

    def change(self, message: Message) -> Message:
        """Leave it out."""
        return _of_task(message, revision=None)


class RunsAhead(_ChangedMessages):
    """Pushes of tasks tell a revision that no GET shows yet."""

    def change(self, message: Message) -> Message:
        """Tell one more than there is."""
        return _of_task(message, revision=message["data"].get("revision", 0) + 9)


class TellsOfAgents(SpoiledHub):
    """The completion of a task is told of its agent, to everyone."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Tell everyone of an agent behind each completion."""
        effects = super().handle(item, now_ns, wall_ns)
        if isinstance(item, Accepted) and b'"status":"completed"' in item.payload:
            data = AgentUpdateData("agent_012", "CloudSync Master", "updated")
            told = Accepted(item.seq, Everyone(), envelope("agent_update", wall_ns, data))
            effects += super().handle(told, now_ns, wall_ns)
        return effects


class Miscounts(SpoiledHub):
    """Counts a connection and a message too few."""

    def figures(self) -> SocketFigures:
        """Return what is not so."""
        true = super().figures()
        return msgspec.structs.replace(
            true, current_connections=max(0, true.current_connections - 1), messages_sent=true.messages_sent // 2,
            invalid_messages=0,
        )  # fmt: skip


class TakesBinary(SpoiledHub):
    """Overlooks binary messages."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Forget what is binary."""
        binary = isinstance(item, FrameIn) and item.opcode is Opcode.BINARY
        return [] if binary else super().handle(item, now_ns, wall_ns)


class ClosesWithOneCode(SpoiledHub):
    """Whatever a peer did, it is closed with 1011."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Change the code of what ends because of a frame."""
        effects = super().handle(item, now_ns, wall_ns)
        if not isinstance(item, FrameIn | Failed):
            return effects
        return [replace(effect, code=1011) if isinstance(effect, Close) else effect for effect in effects]


class AnswersNoPings(SpoiledHub):
    """Takes protocol pings and answers none."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Forget the pongs."""
        effects = super().handle(item, now_ns, wall_ns)
        return [effect for effect in effects if not isinstance(effect, SendPong)]


class AnswersEverything(SpoiledHub):
    """Answers any text as if it were a ping."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Hear a ping in every text."""
        if isinstance(item, FrameIn) and item.opcode is Opcode.TEXT:
            item = replace(item, payload=b'{"type":"ping"}')
        return super().handle(item, now_ns, wall_ns)


class WritesNoUtf8(SpoiledHub):
    """Every text ends with a byte that is no UTF-8."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Add the byte."""
        effects = super().handle(item, now_ns, wall_ns)
        return [replace(one, payload=one.payload + b"\xff") if isinstance(one, Send) else one for one in effects]


class BroadcastsNothing(SpoiledHub):
    """Accepts what is for everyone, and sends it to nobody."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Forget what goes out to everyone."""
        effects = super().handle(item, now_ns, wall_ns)
        lost = isinstance(item, Accepted) and isinstance(item.audience, Everyone)
        return [effect for effect in effects if not (lost and isinstance(effect, Send))]


class EchoesWrongly(_ChangedMessages):
    """A pong gives back another timestamp than the ping's."""

    def change(self, message: Message) -> Message:
        """Give the server's own."""
        return {**message, "data": {"received": message["timestamp"]}} if message["type"] == "pong" else message


class DropsExtras(_ChangedMessages):
    """What a publish holds beyond its type's fields is dropped."""

    def change(self, message: Message) -> Message:
        """Leave `extra` out."""
        return {**message, "data": {name: value for name, value in message["data"].items() if name != "extra"}}


class Overtakes(SpoiledHub):
    """Now and then a message for one account comes after the next one."""

    def __init__(self) -> None:
        super().__init__()
        self._held: Accepted | None = None

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Hold one message back until the next has gone out."""
        if not isinstance(item, Accepted):
            return super().handle(item, now_ns, wall_ns)
        held, self._held = self._held, None
        if held is None and self._due(item):
            self._held = item
            return []
        effects = super().handle(item, now_ns, wall_ns)
        return effects if held is None else [*effects, *super().handle(held, now_ns, wall_ns)]


class OvertakesOnOne(SpoiledHub):
    """Now and then the first connection of an account gets a message after the next one, its others in order."""

    def __init__(self) -> None:
        super().__init__()
        self._held: Send | None = None

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Hold the first receiver's copy back until the next message has gone out."""
        effects = super().handle(item, now_ns, wall_ns)
        if not isinstance(item, Accepted):
            return effects
        held, self._held = self._held, None
        if held is not None:
            return [*effects, held]
        first = next((effect for effect in effects if isinstance(effect, Send) and len(effect.receivers) > 1), None)
        if first is None or not self._due(item):
            return effects
        self._held = Send(first.payload, first.receivers[:1])
        return list(_without_first(effects))


class Replays(SpoiledHub):
    """Who joins is told again of the last task that was queued for the account."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, bytes] = {}

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Remember, and tell again behind the welcome."""
        effects = super().handle(item, now_ns, wall_ns)
        match item:
            case Accepted(audience=Only(account_id=account_id), payload=payload) if b'"status":"queued"' in payload:
                self._last[account_id] = payload
            case Opened(connection=connection, account_id=account_id) if account_id in self._last:
                return [*effects, Send(self._last[account_id], (connection,))]
            case _:
                pass
        return effects


def _without_first(effects: Iterable[Effect]) -> Iterable[Effect]:
    for effect in effects:
        if not isinstance(effect, Send):
            yield effect
        elif len(effect.receivers) > 1:
            yield Send(effect.payload, effect.receivers[1:])
