"""What a decision may ask, as SQL over one open transaction."""

import math
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from reference_server.contract.lifecycle import TaskStatus
from reference_server.core.rows import AgentRow, TaskRow
from reference_server.core.tasks import TASK_TYPE
from reference_server.store.sqlite_accounts import SqliteAccounts
from reference_server.store.sqlite_agents import SqliteAgents
from reference_server.store.sqlite_schema import (
    TASK_COLUMNS,
    UNFINISHED,
    task_of,
    task_values,
)

_ACTIVE: Final[tuple[TaskStatus, ...]] = ("assigned", "running")
_SELECT_TASK: Final = f"SELECT {TASK_COLUMNS} FROM tasks "
_TASK_NAMES: Final = (*TASK_COLUMNS.split(", "), "rank")
_PUT_TASK: Final = (
    f"INSERT INTO tasks ({TASK_COLUMNS}, rank) VALUES ({', '.join('?' * len(_TASK_NAMES))}) "
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(
        f"{name} = excluded.{name}"
        for name in _TASK_NAMES
        # What never changes stays out of the update, so that its indexes are not touched.
        if name not in ("id", "user_id", "position", "created_at_ns", "query", "constraints", "budget")
    )
)


class SqliteTransaction(SqliteAccounts, SqliteAgents):
    """The rows of the open transaction; the store opens and ends it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.ended = 0
        self._version: int | None = None
        self._agents: dict[str, AgentRow] | None = None
        self._cheapest: dict[str, str | None] = {}
        self._counts: dict[TaskStatus, int] | None = None
        self._statuses: dict[str, TaskStatus] = {}
        self._last_order: int | None = None
        self._active_due_ns: float | None = None
        self._none_unfit = False

    def begin(self) -> None:
        """Drop what is cached when another process has committed since."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self.forget()
            self._version = version
        self._statuses.clear()

    def forget(self) -> None:
        """Drop what is cached: it may tell of writes that were rolled back."""
        self._agents = self._counts = self._last_order = self._active_due_ns = None
        self._none_unfit = False
        self._statuses.clear()

    # tasks

    def next_order(self) -> int:
        return self._greatest_order() + 1

    def _greatest_order(self) -> int:
        if self._last_order is None:
            (self._last_order,) = self._connection.execute("SELECT ifnull(max(position), 0) FROM tasks").fetchone()
        return self._last_order or 0

    def task(self, task_id: str) -> TaskRow | None:
        found = self._connection.execute(_SELECT_TASK + "WHERE id = ?", (task_id,)).fetchone()
        return None if found is None else self._seen(task_of(found))

    def put_task(self, task: TaskRow) -> None:
        counts, before = self._unfinished_counts(), self._status(task)
        self._connection.execute(_PUT_TASK, task_values(task))
        for status, change in ((before, -1), (task.status, 1)):
            if status in counts:
                counts[status] += change
        self._note_due(task, before)
        self._statuses[task.id] = task.status
        self._last_order = max(self._greatest_order(), task.order)

    def _note_due(self, task: TaskRow, before: TaskStatus | None) -> None:
        """Keep what the executor's turn asks first of all right: most turns find nothing due and need no statement."""
        if before in _ACTIVE:
            self._active_due_ns = None
        elif task.status in _ACTIVE and self._active_due_ns is not None:
            self._active_due_ns = min(self._active_due_ns, task.due_at_ns)
        if task.status == "queued" and task.planned_outcome is not None:
            self._none_unfit = False

    def _status(self, task: TaskRow) -> TaskStatus | None:
        """Return the status a task has in the store; a new task's order is behind all others."""
        if task.id in self._statuses:
            return self._statuses[task.id]
        if task.order > self._greatest_order():
            return None
        found = self._connection.execute("SELECT status FROM tasks WHERE id = ?", (task.id,)).fetchone()
        return None if found is None else found[0]

    def tasks_of(
        self, user_id: str, status: TaskStatus | None, type_: str | None, limit: int, offset: int
    ) -> tuple[Sequence[TaskRow], int]:
        if type_ not in (None, TASK_TYPE):
            return [], 0
        where, values = (
            ("user_id = ?", [user_id]) if status is None else ("user_id = ? AND status = ?", [user_id, status])
        )
        rows = self._rows(f"WHERE {where} ORDER BY created_at_ns DESC, id LIMIT ? OFFSET ?", *values, limit, offset)
        (total,) = self._connection.execute(f"SELECT count(*) FROM tasks WHERE {where}", values).fetchone()
        return rows, total

    def count_tasks(self, status: TaskStatus) -> int:
        counts = self._unfinished_counts()
        if status in counts:
            return counts[status]
        return int(self._connection.execute("SELECT count(*) FROM tasks WHERE status = ?", (status,)).fetchone()[0])

    def _unfinished_counts(self) -> dict[TaskStatus, int]:
        """Return the cached counts of the states that every submit and every step asks for; an index counts them."""
        if self._counts is None:
            statement = f"SELECT status, count(*) FROM tasks WHERE {UNFINISHED} GROUP BY status"
            self._counts = {"queued": 0, "assigned": 0, "running": 0} | dict(self._connection.execute(statement))
        return self._counts

    def eligible_tasks(self, now_ns: int, limit: int) -> Sequence[TaskRow]:
        return self._rows(
            "WHERE status = 'queued' AND due_at_ns <= ? ORDER BY rank DESC, position LIMIT ?", now_ns, limit
        )

    def unfit_tasks(self, limit: int) -> Sequence[TaskRow]:
        if self._none_unfit:
            return []
        rows = self._rows("WHERE status = 'queued' AND planned_outcome IS NOT NULL ORDER BY position LIMIT ?", limit)
        self._none_unfit = not rows
        return rows

    def due_tasks(self, now_ns: int, limit: int) -> Sequence[TaskRow]:
        if self._next_active_due_ns() > now_ns:
            return []
        return self._rows(
            f"WHERE {UNFINISHED} AND status IN ('assigned', 'running') AND due_at_ns <= ? "
            "ORDER BY due_at_ns, position LIMIT ?",
            now_ns,
            limit,
        )

    def next_due_ns(self, *, queued: bool = True) -> int | None:
        due_ns = self._next_active_due_ns()
        if queued:
            due_ns = min(due_ns, self._earliest_due("queued"))
        return None if due_ns == math.inf else int(due_ns)

    def _next_active_due_ns(self) -> float:
        if self._active_due_ns is None:
            self._active_due_ns = min(self._earliest_due(status) for status in _ACTIVE)
        return self._active_due_ns

    def _earliest_due(self, status: TaskStatus) -> float:
        """Return when the first task of a status is due, infinity when there is none."""
        if not self.count_tasks(status):
            return math.inf
        statement = f"SELECT due_at_ns FROM tasks WHERE {UNFINISHED} AND status = ? ORDER BY due_at_ns LIMIT 1"
        found = self._connection.execute(statement, (status,)).fetchone()
        return math.inf if found is None else int(found[0])

    def unfinished_tasks(self) -> Sequence[TaskRow]:
        return self._rows(f"WHERE {UNFINISHED} AND status IN ('assigned', 'running') ORDER BY position")

    def plan_queued(self, outcome: str, budget_under: float) -> None:
        statement = "UPDATE tasks SET planned_outcome = ? WHERE status = 'queued' AND budget < ?"
        if self._connection.execute(statement, (outcome, budget_under)).rowcount:
            self._none_unfit = False

    def _rows(self, rest: str, *values: Any) -> list[TaskRow]:
        return [self._seen(task_of(found)) for found in self._connection.execute(_SELECT_TASK + rest, values)]

    def _seen(self, row: TaskRow) -> TaskRow:
        self._statuses[row.id] = row.status
        return row
