"""Tasks as their owner sees them: submit, get, list, cancel (contract §3 tasks)."""

from typing import Final

from msgspec import UNSET

from reference_server.contract import limits
from reference_server.contract.codes import TASK_NOT_COMPLETED
from reference_server.contract.lifecycle import FINAL, PROGRESS, FinalStatus, TaskStatus
from reference_server.contract.models import (
    CancelAnswer,
    SubmitAnswer,
    SubmitRequest,
    Task,
    TaskDates,
    TaskInput,
    TaskPage,
    TaskProgress,
    TaskResult,
    TaskRun,
)
from reference_server.contract.operations import TasksQuery
from reference_server.contract.seeded_agents import QUERY_CAPABILITY
from reference_server.core.accounts import caller_of
from reference_server.core.answers import Answer, Decision, error
from reference_server.core.calls import Call, Context
from reference_server.core.envelopes import timestamp
from reference_server.core.ids import is_uuid
from reference_server.core.lifecycle import planned_in_queue, put_moved, task_update
from reference_server.core.rows import TaskRow
from reference_server.core.transaction import Transaction
from reference_server.core.units import MICROSECOND_NS, whole_microseconds

TASK_TYPE: Final = "query"
"""The `type` of every submitted task."""

_QUEUE_FULL_RETRY_S: Final = 1
_US_PER_MS: Final = 1000

_STATUS_MESSAGES: Final[dict[TaskStatus, str]] = {
    "queued": "waiting for an agent",
    "assigned": "an agent has it and is about to start",
    "running": "an agent is at work on it",
    "completed": "done",
    "canceled": "canceled by its owner",
}
"""The `message` of a task's status; a failed one says why it failed."""


def submit(tx: Transaction, call: Call, context: Context) -> Decision:
    """Queue a task; 503 while the queue is full. Creation is pushed as the transition to `queued`."""
    body = call.body
    if not isinstance(body, SubmitRequest):
        raise TypeError("submit needs its body")
    if tx.count_tasks("queued") >= context.queue_max:
        message = f"the queue is full ({context.queue_max:,} tasks); try again"
        return Decision(error(503, message, retry_after_s=_QUEUE_FULL_RETRY_S))
    row = _new_row(tx, caller_of(call).account_id, body, context)
    tx.put_task(row)
    return Decision(Answer(202, SubmitAnswer(row.id, "queued")), (task_update(row),))


def _new_row(tx: Transaction, user_id: str, body: SubmitRequest, context: Context) -> TaskRow:
    # To the microsecond, as it is shown: the list's order is then the order of what is shown.
    created_ns = whole_microseconds(context.now_ns)
    return TaskRow(
        id=context.new_id(),
        user_id=user_id,
        order=tx.next_order(),
        created_at_ns=created_ns,
        updated_at_ns=created_ns,
        query=body.query,
        constraints=body.constraints,
        priority="normal" if body.priority == "medium" else body.priority,
        status="queued",
        timeout_s=float(body.timeout),
        budget=body.budget,
        due_at_ns=created_ns,
        planned_outcome=planned_in_queue(tx, body.budget),
    )


def get(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show one own task; another's, an unknown and a malformed id are 404."""
    row = _own_task(tx, call)
    return Decision(_no_such_task() if row is None else Answer(200, task_view(row)))


def status(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show how far one own task is."""
    row = _own_task(tx, call)
    return Decision(_no_such_task() if row is None else Answer(200, _progress_view(row)))


def result(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show what came of one own task; 400 `task not completed` before it is finished."""
    row = _own_task(tx, call)
    if row is None:
        return Decision(_no_such_task())
    match row:
        case TaskRow(status="completed" | "failed" | "canceled" as final, completed_at_ns=int(completed_ns)):
            return Decision(Answer(200, _result_view(row, final, completed_ns)))
        case _:
            message = f"the task is {row.status}; ask again once it is completed, failed or canceled"
            return Decision(error(400, message, phrase=TASK_NOT_COMPLETED))


def list_own(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show one page of the caller's tasks by (created_at descending, id)."""
    query = call.query if isinstance(call.query, TasksQuery) else TasksQuery()
    user_id = caller_of(call).account_id
    rows, total = tx.tasks_of(user_id, query.status, query.type, query.limit, query.offset)
    page = TaskPage([task_view(row) for row in rows], len(rows), total, query.limit, query.offset)
    return Decision(Answer(200, page))


def cancel(tx: Transaction, call: Call, context: Context) -> Decision:
    """Cancel an unfinished task; 409 on a finished one, and nothing changes."""
    row = _own_task(tx, call)
    if row is None:
        return Decision(_no_such_task())
    if row.status in FINAL:
        return Decision(error(409, f"the task is {row.status} already; nothing was changed"))
    pushes = put_moved(tx, row, "canceled", context.now_ns)
    return Decision(Answer(200, CancelAnswer(row.id, "canceled", "the task was canceled")), pushes)


def _own_task(tx: Transaction, call: Call) -> TaskRow | None:
    task_id = call.path["id"]
    row = tx.task(task_id) if is_uuid(task_id) else None
    return row if row is not None and row.user_id == caller_of(call).account_id else None


def _no_such_task() -> Answer:
    return error(404, "there is no such task")


def task_view(row: TaskRow) -> Task:
    """Return the task as every operation shows it."""
    return Task(
        id=row.id,
        user_id=row.user_id,
        created_at=timestamp(row.created_at_ns),
        updated_at=timestamp(row.updated_at_ns),
        type=TASK_TYPE,
        description=row.query,
        query=row.query,
        capabilities=[QUERY_CAPABILITY],
        input=TaskInput(row.query, row.constraints),
        metadata={},
        priority=row.priority,
        status=row.status,
        timeout=row.timeout_s,
        max_retries=limits.TASK_RETRIES_MAX,
        retry_count=row.retry_count,
        budget=row.budget,
        actual_cost=row.actual_cost,
        progress=PROGRESS[row.status],
        revision=row.revision,
        assigned_to=UNSET if row.assigned_to is None else row.assigned_to,
        result=UNSET if row.result is None else row.result,
        error=UNSET if row.error is None else row.error,
        started_at=UNSET if row.started_at_ns is None else timestamp(row.started_at_ns),
        completed_at=UNSET if row.completed_at_ns is None else timestamp(row.completed_at_ns),
    )


def _progress_view(row: TaskRow) -> TaskProgress:
    return TaskProgress(
        task_id=row.id,
        status=row.status,
        progress=PROGRESS[row.status],
        metadata=TaskDates(timestamp(row.created_at_ns), timestamp(row.updated_at_ns)),
        assigned_to=UNSET if row.assigned_to is None else row.assigned_to,
        message=_STATUS_MESSAGES.get(row.status, row.error or UNSET),
    )


def _result_view(row: TaskRow, final: FinalStatus, completed_ns: int) -> TaskResult:
    """Return what came of a finished task; its duration is the difference of the instants shown (contract §4)."""
    started_ns = completed_ns if row.started_at_ns is None else row.started_at_ns
    duration_ms = (completed_ns - started_ns) // MICROSECOND_NS / _US_PER_MS
    return TaskResult(
        task_id=row.id,
        status=final,
        cost=row.actual_cost,
        duration_ms=duration_ms,
        duration=duration_ms,
        metadata=TaskRun(
            started_at=None if row.started_at_ns is None else timestamp(row.started_at_ns),
            completed_at=timestamp(completed_ns),
            assigned_to=row.assigned_to,
        ),
        result=UNSET if row.result is None else row.result,
        error=UNSET if row.error is None else row.error,
    )
