"""Follow every socket of a history from `connecting` to `closed`; what the order and ending checkers share.

How recorders name things, beyond `harness.history.Event`:

- `connection` names one socket within its recorder. A `connecting` (or a browser's `construct`) always begins a new
  socket, also under a name used before. `data.tab` names the live client or page that makes it; left out, the
  connection's name is the tab's.
- `connecting {tab?, session?, silent?, incomplete?, expires_in_ms?}`: `session` labels the credential as
  `invoke logout {session}` does; the other three are read by `endings`.
- `opened {subprotocol?, headers?}`, `refused {status, body?, headers?}`,
  `received {message, bytes, digest?}`: `digest` is the SHA-256 in hex of the payload's bytes, as in the tap;
  `message` is null (and `text` the start of the text) when it was no JSON object.
- `closed {code, reason, clean, by}`: once a socket, also for a refused one if the shell tells it; 1006 when no close
  frame came. `by: "self"` with 1000 is a deliberate leave; `by: "fault"` a cut that the run itself made.
- `frame {opcode: "cut", why}`: from there on we watched no more, so what did not come might have come.
- `person {name, account_id, role}` maps names to ids; `account` on other events may be either.
"""

from typing import Any

from msgspec import Struct

from harness.checkers.calls import Call
from harness.checkers.fitting import fitted
from harness.history import Event
from reference_server.contract.messages import DATA_MODELS


class Socket(Struct):
    """One socket's life so far."""

    recorder: str
    name: str
    tab: str
    account: str | None
    begin: Event
    opened: Event | None = None
    welcome: Event | None = None
    refused: Event | None = None
    closed: Event | None = None

    @property
    def told(self) -> str:
        """How a sentence names it."""
        return f"connection {self.name}"


class Sockets:
    """The sockets of a history by recorder and name; a name used again begins a new socket.

    `all` keeps every one of them; with `only_live` those that ended are forgotten, so that memory stays bounded.
    """

    def __init__(self, *, only_live: bool = False) -> None:
        self.all: list[Socket] = []
        self._only_live = only_live
        self._live: dict[tuple[str, str], Socket] = {}

    def see(self, event: Event) -> Socket | None:
        """Take an event; return the socket that it belongs to, as it is after the event."""
        if event.connection is None:
            return None
        key = (event.recorder, event.connection)
        if event.kind in ("connecting", "construct"):
            tab = str(event.data.get("tab") or event.connection)
            socket = Socket(event.recorder, event.connection, tab, event.account, event)
            self._live[key] = socket
            if not self._only_live:
                self.all.append(socket)
            return socket
        found = self._live.get(key)
        if found is not None:
            _advance(found, event)
            if self._only_live and event.kind == "closed":
                del self._live[key]
        return found


def _advance(socket: Socket, event: Event) -> None:
    socket.account = socket.account or event.account
    match event.kind:
        case "opened":
            socket.opened = socket.opened or event
        case "received":
            socket.welcome = socket.welcome or event
        case "refused":
            socket.refused = socket.refused or event
        case "closed":
            socket.closed = socket.closed or event
        case _:
            pass


class Accounts:
    """Names of the scenario and ids of the target, brought together."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._known: set[str] = set()

    def see(self, event: Event) -> None:
        """Learn from a `person` event."""
        if event.kind == "person":
            self._learn(str(event.data.get("name")), event.data.get("account_id"))

    def see_call(self, call: Call) -> None:
        """Learn from the answer of register, login or me."""
        body = call.shown
        if call.account is None or body is None:
            return
        if call.operation in ("register", "login") and isinstance(body.get("user"), dict):
            self._learn(call.account, body["user"].get("id"))
        elif call.operation == "me":
            self._learn(call.account, body.get("id"))

    def _learn(self, name: str, account_id: Any) -> None:
        if isinstance(account_id, str) and account_id:
            self._ids[name] = account_id
            self._known.add(account_id)

    def id_of(self, account: str | None) -> str | None:
        """Return the account's id on the target; None when it can't be known."""
        if account is None:
            return None
        return account if account in self._known else self._ids.get(account)


class Owners:
    """Whose each task is, as its submit says; memory grows with the tasks."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._submitted: dict[str, str | None] = {}

    def see_call(self, call: Call) -> None:
        """Learn from the answer of a submit."""
        if call.operation == "submit_task" and call.shown is not None:
            self._submitted[str(call.shown.get("task_id"))] = call.account

    def of(self, task_id: Any) -> str | None:
        """Return the id of the account that a task belongs to; None when it can't be known."""
        return self._accounts.id_of(self._submitted.get(str(task_id)))


def message_of(event: Event) -> dict[str, Any] | None:
    """Return the envelope that a `received` event brought, if it was one object."""
    message = event.data.get("message") if event.kind == "received" else None
    return message if isinstance(message, dict) else None


def data_of(message: dict[str, Any] | None, kind: str) -> dict[str, Any] | None:
    """Return the `data` of a message of this type as far as it has the contract's types, else None."""
    if message is None or message.get("type") != kind:
        return None
    return fitted(message.get("data"), DATA_MODELS[kind])
