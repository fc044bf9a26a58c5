"""Decisions that decide wrongly: each stands before an honest one and spoils what it decides."""

from reference_server.contract.lifecycle import PROGRESS
from reference_server.contract.messages import TaskUpdateData
from reference_server.contract.models import CancelAnswer
from reference_server.core.answers import Answer, Decision, Only, Publish
from reference_server.core.calls import Call, Context
from reference_server.core.rows import TaskRow, replaced
from reference_server.core.transaction import Transaction
from reference_server.operations import Decisions, default_decisions


def moves_a_finished_task() -> Decisions:
    """Return decisions in which canceling a completed task queues it again instead of answering 409."""
    honest = default_decisions()

    def cancel(tx: Transaction, call: Call, context: Context) -> Decision:
        row = tx.task(call.path["id"])
        mine = row is not None and call.caller is not None and row.user_id == call.caller.account_id
        if row is None or not mine or row.status != "completed":
            return honest["cancel_task"](tx, call, context)
        again = _queued_again(row, context)
        tx.put_task(again)
        return Decision(Answer(200, CancelAnswer(row.id, "canceled", "canceled")), (_pushed(again),))

    return {**honest, "cancel_task": cancel}


def _queued_again(row: TaskRow, context: Context) -> TaskRow:
    return replaced(
        row,
        status="queued",
        revision=row.revision + 1,
        updated_at_ns=context.now_ns,
        due_at_ns=context.now_ns,
        planned_outcome=None,
    )


def _pushed(row: TaskRow) -> Publish:
    data = TaskUpdateData(row.id, row.status, row.query, progress=PROGRESS[row.status], revision=row.revision)
    return Publish("task_update", data, Only(row.user_id))
