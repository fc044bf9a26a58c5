"""The shape of every message read from a socket, and the welcome that comes first (contract §5).

A message too large to be read is a `frame {opcode, bytes, message_bytes}`, the last one counting what came before it.
"""

from typing import Any, Final

import msgspec

from harness.checkers.published import Publishes
from harness.checkers.sockets import Sockets, data_of, message_of
from harness.checkers.stamps import is_contract_stamp
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract.limits import SERVER_MESSAGE_BYTES_MAX
from reference_server.contract.messages import DATA_MODELS, Envelope

SCHEMA, WELCOME, NUMBERED = "RT-SCHEMA-1", "RT-WELCOME-1", "RT-PUSH-2"
UNADDRESSED: Final = ("pong",)
"""Types that never carry `user_id`; the welcome is the other."""


class Schema(Fold):
    """Judges each message by itself and the first of each connection; memory grows with the connections."""

    name = "schema"
    clauses = (SCHEMA, WELCOME, NUMBERED)

    def begin(self) -> None:
        """Forget everything."""
        self._sockets, self._publishes = Sockets(), Publishes()
        self._ids: dict[str, Event] = {}
        self._numbered = self.run.local

    def take(self, event: Event) -> None:
        """Judge one message."""
        socket = self._sockets.see(event)
        self._publishes.see(event)
        if event.kind == "frame" and event.data.get("opcode") == "binary":
            self.tally.judge(SCHEMA, False, "a binary message came, expected text only", event)
        if event.kind == "frame" and isinstance(size := event.data.get("message_bytes"), int):
            # More than was read: the connection was cut off there.
            told = f"connection {event.connection} received {_told_of_size(size, ' or more')}"
            self.tally.judge(SCHEMA, size <= SERVER_MESSAGE_BYTES_MAX, told, event)
        if event.kind != "received":
            return
        message = event.data.get("message")
        fault = message_fault(message) or self._address_fault(message) or _size_fault(event)
        self.tally.judge(SCHEMA, not fault, f"connection {event.connection} received {fault}", event)
        self._judge_number(event, message_of(event))
        if socket is not None and socket.welcome is event:
            self._judge_welcome(event, message)

    def _judge_number(self, event: Event, message: dict[str, Any] | None) -> None:
        data = data_of(message, "task_update")
        if message is None or data is None or self._publishes.of(message):
            return
        self._numbered = self._numbered or data.get("revision") is not None
        told = f"connection {event.connection} received a task_update without the task's revision"
        if self._numbered:
            self.tally.judge(NUMBERED, data.get("revision") is not None, told, event)
        else:
            self.tally.undecided(NUMBERED, "this target gives no revisions, which are an extension")

    def _address_fault(self, message: Any) -> str:
        """Return whether what the server sends by itself to one account lacks that account."""
        data = data_of(message, "task_update")
        # By itself it gives a revision; a publish to everyone may speak of tasks too.
        own = data is not None and data.get("revision") is not None and not self._publishes.of(message)
        return "a task_update without user_id" if own and "user_id" not in message else ""

    def _judge_welcome(self, event: Event, message: Any) -> None:
        fault = welcome_fault(message)
        self.tally.judge(WELCOME, not fault, f"the first message of connection {event.connection} {fault}", event)
        if fault:
            return
        before = self._ids.setdefault(message["data"]["client_id"], event)
        told = f"two connections were given the client_id {message['data']['client_id']}"
        self.tally.judge(WELCOME, before is event, told, before, event)


def message_fault(message: Any) -> str:
    """Return what is wrong with an envelope, or nothing; unknown types and fields are allowed."""
    if not isinstance(message, dict):
        return "what is no JSON object"
    try:
        msgspec.convert(message, Envelope, strict=True)
        model = DATA_MODELS.get(message["type"])
        if model is not None:
            msgspec.convert(message["data"], model, strict=True)
    except msgspec.ValidationError as fault:
        return f"a message of type {message.get('type')!r} that does not fit: {fault}"
    if not is_contract_stamp(message["timestamp"]):
        return f"the timestamp {message['timestamp']!r}, not RFC 3339 in UTC with a fraction"
    welcome = isinstance(message["data"], dict) and "client_id" in message["data"] and message["type"] == "system"
    if "user_id" in message and (message["type"] in UNADDRESSED or welcome):
        return f"a {message['type']} with user_id"
    return ""


def welcome_fault(message: Any) -> str:
    """Return why a message is no welcome, or nothing."""
    if not isinstance(message, dict) or message.get("type") != "system":
        kind = message.get("type") if isinstance(message, dict) else None
        return f"is of type {kind!r}, expected the welcome"
    data = message.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("client_id"), str) or not data["client_id"]:
        return "lacks client_id"
    return "" if is_contract_stamp(data.get("server_time")) else "lacks a server_time"


def _size_fault(event: Event) -> str:
    size = event.data.get("bytes")
    if isinstance(size, int) and size > SERVER_MESSAGE_BYTES_MAX:
        return _told_of_size(size)
    return ""


def _told_of_size(size: int, more: str = "") -> str:
    return f"a message of {size} bytes{more}, {SERVER_MESSAGE_BYTES_MAX} at most"
