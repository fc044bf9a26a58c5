"""A small writer of histories for the tables: each call is one event, times in milliseconds."""

from collections.abc import Iterable
from typing import Any

from harness.checkers.base import Checker, RunFacts
from harness.history import Event, Kind, merged
from harness.verdicts import Status, Verdict

ANN = "11111111-1111-4111-8111-111111111111"
BOB = "22222222-2222-4222-8222-222222222222"
TASK = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
MS = 1_000_000


class History:
    """Writes events in order; `at_ms` moves the clock, else each event comes 1 ms after the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._index: dict[str, int] = {}
        self._now_ms = 0
        self._op = 0

    def add(self, kind: Kind, at_ms: int | None = None, recorder: str = "client", **fields: Any) -> "History":
        """Add one event; fields that `Event` has go there, all others into `data`."""
        self._now_ms = self._now_ms + 1 if at_ms is None else at_ms
        index = self._index.get(recorder, 0)
        self._index[recorder] = index + 1
        own = {name: fields.pop(name) for name in ("op", "connection", "account", "case") if name in fields}
        self.events.append(Event(recorder, index, self._now_ms * MS, kind, **own, data=fields))
        return self

    def call(self, operation: str, status: int, answer: Any = None, /, **fields: Any) -> "History":
        """Add an invoke (`fields` are its data) and its completion; `status` 0 is info."""
        self._op += 1
        headers = fields.pop("headers", {})
        after_ms = fields.pop("after_ms", None)
        recorder = fields.get("recorder", "client")
        account = fields.get("account", ANN)
        self.add("invoke", op=self._op, operation=operation, **{"account": account, **fields})
        kind: Kind = "info" if status == 0 else "ok" if status < 300 else "fail"
        at_ms = None if after_ms is None else self._now_ms + after_ms
        told = {"why": "no answer"} if status == 0 else {"status": status, "body": answer, "headers": headers}
        return self.add(kind, at_ms, recorder, op=self._op, account=account, **told)

    def connect(self, connection: str, account: str = ANN, **fields: Any) -> "History":
        """Add connecting, opened and the welcome."""
        recorder = fields.get("recorder", "client")
        self.add("connecting", connection=connection, account=account, **fields)
        self.add("opened", recorder=recorder, connection=connection, account=account)
        return self.receive(connection, "system", welcome(), account=account, recorder=recorder)

    def receive(self, connection: str, kind: str, data: dict[str, Any], **fields: Any) -> "History":
        """Add a received message; the envelope's timestamp follows the clock."""
        user_id = fields.pop("user_id", None)
        message = {"type": kind, "timestamp": fields.pop("timestamp", stamp(self._now_ms)), "data": data}
        if user_id is not None:
            message["user_id"] = user_id
        return self.add("received", connection=connection, message=message, **fields)

    def push(self, connection: str, status: str, revision: int | None = None, **fields: Any) -> "History":
        """Add a received task_update of `task` (TASK) for `owner` (ANN)."""
        data = {"task_id": fields.pop("task", TASK), "status": status, "query": fields.pop("query", "q")}
        if revision is not None:
            data["revision"] = revision
        data |= fields.pop("more", {})
        return self.receive(connection, "task_update", data, user_id=fields.pop("owner", ANN), **fields)


def stamp(at_ms: int) -> str:
    """Return an RFC 3339 instant that many milliseconds into a day."""
    seconds, ms = divmod(at_ms, 1000)
    return f"2026-01-01T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{ms:03d}Z"


def welcome() -> dict[str, Any]:
    """Return the data of a welcome."""
    return {"message": "welcome", "level": "success", "client_id": "k3", "server_time": stamp(0)}


def task(status: str = "queued", revision: int = 1, **fields: Any) -> dict[str, Any]:
    """Return a task as REST shows it, consistent with its status."""
    progress = {"queued": 10, "assigned": 25, "running": 50, "completed": 100}.get(status, 0)
    body: dict[str, Any] = {
        "id": TASK, "user_id": ANN, "created_at": stamp(0), "updated_at": stamp(revision), "type": "query",
        "description": "q", "query": "q", "capabilities": ["query-processing"],
        "input": {"query": "q", "constraints": {}}, "metadata": {}, "priority": "normal", "status": status,
        "timeout": 30.0, "max_retries": 3, "retry_count": 0, "budget": 1.0, "actual_cost": 0.0,
        "progress": progress, "revision": revision,
    }  # fmt: skip
    if status in ("running", "completed"):
        body["started_at"] = stamp(2)
    if status in ("completed", "failed", "canceled"):
        body["completed_at"] = stamp(9)
    if status == "completed":
        body["actual_cost"] = 0.5
    return {**body, **fields}


def verdict(checker: Checker, history: History | Iterable[Event], clause: str, **facts: Any) -> Verdict:
    """Run a checker over a history and return its verdict on one clause."""
    events = history.events if isinstance(history, History) else list(history)
    checker.start(RunFacts(**facts))
    for event in merged(events):
        checker.step(event)
    verdicts = checker.finish()
    assert sorted(found.clause for found in verdicts) == sorted(checker.clauses)
    return next(found for found in verdicts if found.clause == clause)


def status(checker: Checker, history: History | Iterable[Event], clause: str, **facts: Any) -> Status:
    """Return the status only."""
    return verdict(checker, history, clause, **facts).status
