"""The one place where a task moves: status, revision, instants and the push that belongs to the move (contract §4).

A change that no GET can show (a planned outcome, a lease) is written with `rows.replaced` and keeps the revision.
"""

from typing import Any, Final

from msgspec import UNSET

from reference_server.contract import limits
from reference_server.contract.lifecycle import FINAL, PROGRESS, PUSHED, TRANSITIONS, TaskStatus
from reference_server.contract.messages import TaskUpdateData
from reference_server.contract.seeded_agents import QUERY_CAPABILITY
from reference_server.core.answers import Only, Publish
from reference_server.core.rows import TaskRow, replaced
from reference_server.core.transaction import Transaction
from reference_server.core.units import whole_microseconds

NO_AGENT: Final = "no_agent"
"""The planned outcome of a queued task that no agent fits: it must fail at once, also while every worker is busy."""


class IllegalMoveError(Exception):
    """A decision tried a move that the contract's table has not."""

    def __init__(self, task_id: str, before: TaskStatus, after: TaskStatus) -> None:
        super().__init__(f"task {task_id} can't move from {before} to {after}; possible: {sorted(TRANSITIONS[before])}")


def moved(row: TaskRow, status: TaskStatus, now_ns: int, **changes: Any) -> TaskRow:
    """Return `row` in its next state: one more `revision`, `completed_at` when it is final; never back in time."""
    if status not in TRANSITIONS[row.status]:
        raise IllegalMoveError(row.id, row.status, status)
    at_ns = max(whole_microseconds(now_ns), row.updated_at_ns)
    if status in FINAL:
        changes |= {"completed_at_ns": at_ns, "planned_outcome": None, "leased_by": None}
    if changes.get("error") is not None:
        changes["error"] = changes["error"][: limits.TASK_ERROR_CHARS_MAX]
    return replaced(row, status=status, updated_at_ns=at_ns, revision=row.revision + 1, **changes)


def put_moved(tx: Transaction, row: TaskRow, status: TaskStatus, now_ns: int, **changes: Any) -> tuple[Publish, ...]:
    """Move, write, and return the push of the move (none for `assigned`)."""
    after = moved(row, status, now_ns, **changes)
    tx.put_task(after)
    return (task_update(after),) if status in PUSHED else ()


def back_to_queue(tx: Transaction, row: TaskRow, now_ns: int, **changes: Any) -> tuple[Publish, ...]:
    """Queue an assigned or running task again; eligible at once unless `due_at_ns` is among the changes."""
    planned = planned_in_queue(tx, row.budget)
    changes = {"due_at_ns": now_ns, "assigned_to": None, "planned_outcome": planned, "leased_by": None} | changes
    return put_moved(tx, row, "queued", now_ns, attempt_started_at_ns=None, **changes)


def planned_in_queue(tx: Transaction, budget: float) -> str | None:
    """Return what a task that joins the queue has to expect: NO_AGENT when none fits it, else nothing yet."""
    return NO_AGENT if tx.fitting_agent(QUERY_CAPABILITY, budget) is None else None


def task_update(row: TaskRow) -> Publish:
    """Return the push that says the state a task is in now (contract §5)."""
    data = TaskUpdateData(
        task_id=row.id,
        status=row.status,
        query=row.query,
        progress=PROGRESS[row.status],
        assigned_to=UNSET if row.assigned_to is None else row.assigned_to,
        error=UNSET if row.error is None else row.error,
        revision=row.revision,
    )
    return Publish("task_update", data, Only(row.user_id))
