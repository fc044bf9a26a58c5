"""What a history says of each task: what was submitted, and every state that was seen, from REST and from pushes."""

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from harness.checkers.calls import Call, Calls
from harness.checkers.published import Publishes
from harness.checkers.sockets import Socket, Sockets, data_of, message_of
from harness.history import Event


class Submitted(Struct, frozen=True):
    """An acknowledged submit: the invoke with its body, and the 202."""

    task_id: str
    call: Call

    @property
    def simulate(self) -> dict[str, Any] | None:
        """How the executor was steered, if it was."""
        constraints = self.call.sent.get("constraints")
        steered = constraints.get("simulate") if isinstance(constraints, dict) else None
        return steered if isinstance(steered, dict) else None

    @property
    def timeout_s(self) -> float:
        """The task's timeout."""
        timeout = self.call.sent.get("timeout", 30)
        return float(timeout) if isinstance(timeout, (int, float)) else 30.0


class Sighting(Struct, frozen=True):
    """A task as it was seen once; `begin` is the invoke for REST and the push itself for a push."""

    task_id: str
    status: str
    revision: int | None
    source: Literal["rest", "push"]
    begin: Event
    event: Event
    body: dict[str, Any]
    socket: Socket | None = None


class Sightings:
    """Turns events into submits and sightings; what comes by our own publishes is left out."""

    def __init__(self) -> None:
        self._calls, self.sockets, self._publishes = Calls(), Sockets(), Publishes()
        self.submitted: dict[str, Submitted] = {}
        self.last_call: Call | None = None
        self.unanswered_queries: set[str] = set()

    def see(self, event: Event) -> Iterator[Sighting]:
        """Take an event; yield every sighting that it brings. `last_call` is the call it completed, if any."""
        self._publishes.see(event)
        self.last_call = call = self._calls.see(event)
        socket = self.sockets.see(event)
        if call is not None:
            self._publishes.see_call(call)
            self._learn_submit(call)
            yield from _in_answer(call)
        message = message_of(event)
        data = data_of(message, "task_update")
        if message is not None and data is not None and not self._publishes.of(message):
            yield from _sighting(data, "task_id", "push", event, event, socket)

    def _learn_submit(self, call: Call) -> None:
        if call.operation == "submit_task" and call.status in (0, 500, 502, 504):
            self.unanswered_queries.add(str(call.sent.get("query")))
        if call.operation == "submit_task" and (body := call.shown) is not None:
            task_id = body.get("task_id")
            if isinstance(task_id, str):
                self.submitted[task_id] = Submitted(task_id, call)


def _in_answer(call: Call) -> Iterator[Sighting]:
    shown = call.shown
    if shown is None:
        return
    if call.operation == "get_task":
        yield from _sighting(shown, "id", "rest", call.invoke, call.done)
    elif call.operation == "list_tasks":
        tasks = shown.get("tasks")
        for body in tasks if isinstance(tasks, list) else []:
            if isinstance(body, dict):
                yield from _sighting(body, "id", "rest", call.invoke, call.done)


def _sighting(
    body: dict[str, Any],
    key: str,
    source: Literal["rest", "push"],
    begin: Event,
    event: Event,
    socket: Socket | None = None,
) -> Iterator[Sighting]:
    task_id, status, revision = body.get(key), body.get("status"), body.get("revision")
    if isinstance(task_id, str) and isinstance(status, str):
        known = revision if isinstance(revision, int) and not isinstance(revision, bool) else None
        yield Sighting(task_id, status, known, source, begin, event, body, socket)
