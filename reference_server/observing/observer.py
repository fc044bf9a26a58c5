"""What the shells tell of every answer: counted always, logged when somebody wants to read it.

Paths and queries are never told, since a secret could stand in one: an operation's name and route stand for them.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from reference_server.contract.operations import BY_NAME
from reference_server.core import admission
from reference_server.core.answers import Answer, Headers
from reference_server.core.calls import Admitted, Granted, Head
from reference_server.observing.metrics import PAGE, UNKNOWN, Metrics

ROUTE_OF_PAGES: Final = "/{page}"
REQUEST_ID: Final = b"x-request-id"
SOCKET: Final = BY_NAME["ws_connect"]


class Observed(NamedTuple):
    """A request on its way to its answer; its id is empty when nobody keeps a log."""

    head: Head
    began_ns: int
    request_id: str = ""

    @property
    def headers(self) -> Headers:
        """What its answer says of it, so that a line of the log can be found."""
        return [(REQUEST_ID, self.request_id.encode())] if self.request_id else []


class Line(NamedTuple):
    """What a log says of a request and its answer: `route` has `{names}` for values, `size` is the body's in bytes."""

    observed: Observed
    operation: str
    route: str
    status: int
    size: int
    duration_ns: int
    account_id: str | None


class RequestLog(Protocol):
    """Who writes a line for every answer."""

    def request_id(self, head: Head) -> str:
        """Return the id that a request brought, if it may stand in a log, else a new one."""

    def answered(self, line: Line) -> None:
        """Write it."""


class Observer:
    """Told of every answer of one process."""

    def __init__(self, metrics: Metrics, now_ns: Callable[[], int], log: RequestLog | None = None) -> None:
        self._metrics = metrics
        self._now_ns = now_ns
        self._log = log

    def begin(self, head: Head) -> Observed:
        """Take a request."""
        if self._log is None:
            return Observed(head, self._now_ns())
        return Observed(head, self._now_ns(), self._log.request_id(head))

    def page(self, observed: Observed, status: int, size: int) -> None:
        """Take a page's answer."""
        self._answered(observed, PAGE, ROUTE_OF_PAGES, status, size, None)

    def answer(self, observed: Observed, admitted: Admitted | None, status: int, size: int) -> None:
        """Take an operation's answer; a request that was refused is looked up."""
        found = admission.route(observed.head) if admitted is None else admitted.route
        if isinstance(found, Answer):
            self._answered(observed, UNKNOWN, UNKNOWN, status, size, None)
            return
        caller = None if admitted is None else admitted.caller
        account_id = None if caller is None else caller.account_id
        self._answered(observed, found.operation.name, found.operation.path, status, size, account_id)

    def unreadable(self, observed: Observed, status: int, size: int) -> None:
        """Take the answer to what can't be parsed: nobody knows what it asked for."""
        self._answered(observed, UNKNOWN, UNKNOWN, status, size, None)

    def handshake(self, observed: Observed, answer: Granted | Answer) -> None:
        """Take a handshake's answer."""
        if isinstance(answer, Granted):
            self._answered(observed, SOCKET.name, SOCKET.path, SOCKET.success, 0, answer.caller.account_id)
        else:
            self._answered(observed, SOCKET.name, SOCKET.path, answer.status, 0, None)

    def _answered(
        self, observed: Observed, operation: str, route: str, status: int, size: int, account_id: str | None
    ) -> None:
        duration_ns = self._now_ns() - observed.began_ns
        self._metrics.answered(operation, observed.head.method, status, duration_ns)
        if self._log is not None:
            self._log.answered(Line(observed, operation, route, status, size, duration_ns, account_id))
