"""The simulated executor as decisions with durable due times (contract §4): claim, start, end, retry, time out.

`advance` does what is due and says when to come again; the driver calls it after commits that may have brought work
and when that time has come. A task is `assigned` in one step and `running` in the next, each with a revision of its
own, so that every state that the table knows is one that a GET can show and a crash can interrupt.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from reference_server.contract import limits
from reference_server.contract.seeded_agents import QUERY_CAPABILITY
from reference_server.core.answers import Outgoing, Publish
from reference_server.core.calls import Context
from reference_server.core.lifecycle import NO_AGENT, back_to_queue, put_moved
from reference_server.core.orchestrator import Finished
from reference_server.core.rows import AgentRow, TaskRow, replaced, replaced_agent
from reference_server.core.transaction import Transaction
from reference_server.core.units import MILLISECOND_NS, SECOND_NS, whole_microseconds

BATCH_MAX: Final = 256
"""How many tasks one step moves of each kind, so that a transaction stays short."""

_RESULT_QUERY_CHARS: Final = 200


@dataclass(slots=True)
class Advanced:
    """What a step did: pushes in order, facts for the figures, when the next is due (None: never by itself)."""

    outgoing: list[Outgoing] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)
    next_due_ns: int | None = None


def advance(tx: Transaction, context: Context) -> Advanced:
    """Do what is due: end and start attempts, fail what no agent fits, claim by priority while workers are free."""
    step = Advanced()
    for row in tx.due_tasks(context.now_ns, BATCH_MAX):
        agent = tx.agent(row.assigned_to) if row.assigned_to is not None else None
        if agent is None or agent.status != "active":
            step.outgoing += back_to_queue(tx, row, context.now_ns)
        elif row.status == "assigned":
            _start(tx, row, context, step)
        else:
            _end(tx, row, agent, context, step)
    unfit = tx.unfit_tasks(BATCH_MAX)
    for row in unfit:
        _judge_unfit(tx, row, context, step)
    free = context.workers - _busy(tx)
    if free > 0:
        for row in tx.eligible_tasks(context.now_ns, min(free, BATCH_MAX)):
            free -= _claim(tx, row, context, step)
    step.next_due_ns = context.now_ns if len(unfit) == BATCH_MAX else tx.next_due_ns(queued=free > 0)
    return step


def recover(tx: Transaction, now_ns: int, process: str) -> list[Outgoing]:
    """Queue again what a process that ended had in hand, at once and without counting a retry; return the pushes."""
    outgoing: list[Outgoing] = []
    for row in tx.unfinished_tasks():
        if row.leased_by != process:
            outgoing += back_to_queue(tx, row, now_ns)
    return outgoing


def agent_changed(tx: Transaction, agent_id: str, context: Context) -> tuple[Publish, ...]:
    """Follow an agent that was changed or deleted before, in the same transaction; return the pushes (contract §4).

    When it went away, what it had in hand is queued at once and the attempt counts as none. Queued tasks that no
    agent fits any more fail at the next step: call `advance` after the commit.
    """
    cheapest = tx.fitting_agent(QUERY_CAPABILITY, inf)
    tx.plan_queued(NO_AGENT, budget_under=inf if cheapest is None else cheapest.price)
    agent = tx.agent(agent_id)
    if agent is not None and agent.status == "active":
        return ()
    in_hand = [row for row in tx.unfinished_tasks() if row.assigned_to == agent_id]
    return tuple(push for row in in_hand for push in back_to_queue(tx, row, context.now_ns))


def _busy(tx: Transaction) -> int:
    return tx.count_tasks("assigned") + tx.count_tasks("running")


def _claim(tx: Transaction, row: TaskRow, context: Context, step: Advanced) -> bool:
    """Assign to a fitting agent, or fail; say whether a worker was taken."""
    agent = tx.fitting_agent(QUERY_CAPABILITY, row.budget)
    if agent is None:
        _fail(tx, row, context, step, "no active agent fits this task and its budget")
        return False
    step.outgoing += put_moved(
        tx,
        row,
        "assigned",
        context.now_ns,
        assigned_to=agent.id,
        price=agent.price,
        due_at_ns=context.now_ns,
        leased_by=context.process,
    )
    return True


def _judge_unfit(tx: Transaction, row: TaskRow, context: Context, step: Advanced) -> None:
    if tx.fitting_agent(QUERY_CAPABILITY, row.budget) is None:
        _fail(tx, row, context, step, "no active agent fits this task and its budget")
    else:
        tx.put_task(replaced(row, planned_outcome=None))


def _start(tx: Transaction, row: TaskRow, context: Context, step: Advanced) -> None:
    """Begin an attempt whose length and outcome are settled now, so that a restart finds them due."""
    duration_ns, outcome = _attempt(row, context)
    at_ns = max(whole_microseconds(context.now_ns), row.updated_at_ns)
    timeout_ns = round(row.timeout_s * SECOND_NS)
    if duration_ns is None or duration_ns >= timeout_ns:
        duration_ns, outcome = timeout_ns, "timeout"
    step.outgoing += put_moved(
        tx,
        row,
        "running",
        context.now_ns,
        started_at_ns=at_ns if row.started_at_ns is None else row.started_at_ns,
        attempt_started_at_ns=at_ns,
        due_at_ns=at_ns + duration_ns,
        planned_outcome=outcome,
    )


def _attempt(row: TaskRow, context: Context) -> tuple[int | None, str]:
    """Return how long the attempt would take (None: for ever) and how it would end."""
    simulate: dict[str, Any] = row.constraints.get("simulate", {})
    if "duration_ms" in simulate:
        duration_ns = round(simulate["duration_ms"] * MILLISECOND_NS)
    else:
        shortest_ms, longest_ms = context.task_ms
        duration_ns = round((shortest_ms + (longest_ms - shortest_ms) * context.draw()) * MILLISECOND_NS)
    # `retry_count` is the number of attempts that failed before: one cut short by a restart counts as none.
    if row.retry_count < simulate.get("fail_times", 0):
        return duration_ns, "fail"
    outcome = simulate.get("outcome", "complete")
    return (None, "timeout") if outcome == "hang" else (duration_ns, outcome)


def _end(tx: Transaction, row: TaskRow, agent: AgentRow, context: Context, step: Advanced) -> None:
    if row.planned_outcome == "complete":
        _complete(tx, row, agent, context, step)
    elif row.planned_outcome == "timeout":
        _fail(tx, row, context, step, f"timed out after {row.timeout_s:g} s", timed_out=True)
    elif row.retry_count < limits.TASK_RETRIES_MAX:
        _retry(tx, row, context, step)
    else:
        _fail(tx, row, context, step, f"failed after {row.retry_count + 1} attempts")


def _complete(tx: Transaction, row: TaskRow, agent: AgentRow, context: Context, step: Advanced) -> None:
    result = {"agent": agent.name, "text": f"{agent.name} answered: {row.query[:_RESULT_QUERY_CHARS]}"}
    step.outgoing += put_moved(tx, row, "completed", context.now_ns, result=result, actual_cost=row.price)
    tx.put_agent(replaced_agent(agent, tasks_completed=agent.tasks_completed + 1))
    step.finished.append(Finished(row.id, succeeded=True, duration_ns=_duration_ns(row, context)))


def _retry(tx: Transaction, row: TaskRow, context: Context, step: Advanced) -> None:
    delays = context.retry_delays_s
    delay_s = delays[min(row.retry_count, len(delays) - 1)] if delays else 0
    step.outgoing += back_to_queue(
        tx,
        row,
        context.now_ns,
        retry_count=row.retry_count + 1,
        due_at_ns=context.now_ns + round(delay_s * SECOND_NS),
    )


def _fail(
    tx: Transaction, row: TaskRow, context: Context, step: Advanced, reason: str, *, timed_out: bool = False
) -> None:
    step.outgoing += put_moved(tx, row, "failed", context.now_ns, error=reason)
    step.finished.append(Finished(row.id, succeeded=False, timed_out=timed_out, duration_ns=_duration_ns(row, context)))


def _duration_ns(row: TaskRow, context: Context) -> int | None:
    """Return `completed_at` less `started_at` of a task that finishes now; None when it never started."""
    if row.started_at_ns is None:
        return None
    return max(whole_microseconds(context.now_ns), row.updated_at_ns) - row.started_at_ns
