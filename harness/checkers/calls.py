"""Pair each REST invoke with its completion; shared by the checkers that judge answers."""

from typing import Any

from msgspec import Struct

from harness.checkers.fitting import fitted
from harness.history import Event
from reference_server.contract.operations import BY_NAME


class Call(Struct, frozen=True):
    """An operation that was answered: `ok` or `fail`; `info` when no answer came."""

    invoke: Event
    done: Event

    @property
    def operation(self) -> str:
        """The contract's name of the operation; empty for a path of no operation."""
        return str(self.invoke.data.get("operation") or "")

    @property
    def told(self) -> str:
        """How sentences call it: the operation, or method and path of what is none."""
        return self.operation or f"{self.invoke.data.get('method', '')} {self.path}".strip()

    @property
    def account(self) -> str | None:
        """Whose credential was used."""
        return self.invoke.account

    @property
    def status(self) -> int:
        """The answer's status; 0 when no answer came."""
        status = self.done.data.get("status", 0)
        return status if self.done.kind != "info" and isinstance(status, int) else 0

    @property
    def body(self) -> Any:
        """The answer's parsed JSON, or None."""
        return self.done.data.get("body")

    @property
    def shown(self) -> dict[str, Any] | None:
        """The body of a success as far as it has the contract's types; None for an error or a misfit."""
        operation = BY_NAME.get(self.operation)
        if operation is None or self.status != operation.success:
            return None
        return fitted(self.body, operation.answer)

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers, names in lower case."""
        given = self.done.data.get("headers")
        return {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}

    @property
    def sent(self) -> dict[str, Any]:
        """The body that was sent, if it was an object."""
        body = self.invoke.data.get("body")
        return body if isinstance(body, dict) else {}

    @property
    def query(self) -> dict[str, Any]:
        """The query that was sent."""
        query = self.invoke.data.get("query")
        return query if isinstance(query, dict) else {}

    @property
    def path(self) -> str:
        """The path that was asked for, without base URL and query."""
        return str(self.invoke.data.get("path") or "")

    @property
    def path_id(self) -> str:
        """The last part of the path."""
        return self.path.rstrip("/").rpartition("/")[2]


class Calls:
    """Open invokes by recorder and op; memory is bounded by the calls in flight."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], Event] = {}

    def see(self, event: Event) -> Call | None:
        """Take an event; return the call that it completes."""
        if event.op is None:
            return None
        if event.kind == "invoke":
            self._open[event.recorder, event.op] = event
        elif event.kind in ("ok", "fail", "info"):
            invoke = self._open.pop((event.recorder, event.op), None)
            if invoke is not None:
                return Call(invoke, event)
        return None

    def unfinished(self) -> list[Event]:
        """Return the invokes that nothing completed."""
        return list(self._open.values())


def is_before(first: Event, second: Event, shared_clock: bool) -> bool:
    """Say whether `first` certainly happened before `second`: by index in one recorder, else by one clock."""
    if first.recorder == second.recorder:
        return first.index < second.index
    return shared_clock and first.at_ns < second.at_ns
