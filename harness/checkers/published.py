"""What the harness itself published by broadcast and send, and how a received message is recognised again.

Such messages are judged for delivery and schema only; the task and agent clauses don't look at them (contract §3).
"""

from typing import Any

import msgspec
from msgspec import Struct

from harness.checkers.calls import Call
from harness.history import Event

OPERATIONS = ("ws_broadcast", "ws_send")


class Publish(Struct):
    """One publish: what, to whom (None: everyone), and how it was answered (0: no answer)."""

    weak: bytes
    audience: str | None
    invoke: Event
    done: Event | None = None
    status: int = 0

    @property
    def may_come(self) -> bool:
        """Say whether somebody may get it: accepted, or not known (contract §5 b)."""
        return self.status in (0, 500, 502, 504) or 200 <= self.status < 300


class Publishes:
    """All publishes of a history, by what they say; memory grows with what was published."""

    def __init__(self) -> None:
        self.by_weak: dict[bytes, list[Publish]] = {}
        self._open: dict[tuple[str, int | None], Publish] = {}

    def see(self, event: Event) -> None:
        """Learn of an invoke before its answer: a push may come first."""
        if event.kind != "invoke" or event.data.get("operation") not in OPERATIONS:
            return
        body = event.data.get("body")
        if not isinstance(body, dict):
            return
        only = body.get("user_id") if event.data["operation"] == "ws_send" else None
        weak = weak_of(body.get("type"), body.get("data"))
        publish = Publish(weak, only if isinstance(only, str) else None, event)
        self.by_weak.setdefault(weak, []).append(publish)
        self._open[event.recorder, event.op] = publish

    def see_call(self, call: Call) -> None:
        """Learn how a publish was answered."""
        publish = self._open.pop((call.invoke.recorder, call.invoke.op), None)
        if publish is not None:
            publish.done, publish.status = call.done, call.status

    def of(self, message: dict[str, Any]) -> list[Publish]:
        """Return the publishes that a message may come from."""
        return self.by_weak.get(weak_of(message.get("type"), message.get("data")), [])


def weak_of(kind: Any, data: Any) -> bytes:
    """Return what a message says, without when and to whom."""
    return msgspec.json.encode([kind, data], order="sorted")


def strong_of(message: dict[str, Any]) -> bytes:
    """Return what a message is: two copies on two connections have it in common."""
    data = message.get("data")
    if message.get("type") == "task_update" and isinstance(data, dict) and isinstance(data.get("revision"), int):
        return msgspec.json.encode(["task", data.get("task_id"), data["revision"], data.get("status")])
    return msgspec.json.encode(message, order="sorted")
