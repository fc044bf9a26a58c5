"""Tasks over REST: submit, list, cancel, fit, retry, timeout (contract §§3, 4)."""

from typing import Any, Final

from msgspec import Struct

from harness.conformance.stage import Stage, read_as
from harness.conformance.suite import Act

TASKS: Final = 7
PAGE: Final = 3
LISTED_MAX: Final = 200
SUBMITTED: Final = {"type": "query", "capabilities": ["query-processing"], "metadata": {}}


async def what_was_submitted_is_there(stage: Stage) -> None:
    """REST-TASK-1."""
    for priority, shown in (("medium", "normal"), ("critical", "critical")):
        query = stage.named(f"déjà vu – {priority}")
        constraints = {"language": "de", "deep": [1, {"a": None}]}
        body = {"query": query, "budget": 12.5, "timeout": 45, "priority": priority, "constraints": constraints}
        wanted = {"status": "queued"}
        name = f"REST-TASK-1/{priority}"
        answer = await stage.ask(stage.user, "submit_task", f"{name}-submit", body=body, status=[202], body_has=wanted)
        task = str(answer.body.get("task_id")) if isinstance(answer.body, dict) else ""
        there: dict[str, Any] = {
            **SUBMITTED, "id": task, "user_id": stage.user.account_id, "query": query, "description": query,
            "input.query": query, "input.constraints": constraints, "budget": 12.5, "timeout": 45, "priority": shown,
        }  # fmt: skip
        await stage.ask(stage.user, "get_task", f"{name}-get", path={"id": task}, status=[200], body_has=there)


class _Task(Struct):
    id: str
    created_at: str
    status: str


class _Tasks(Struct):
    tasks: list[_Task]


async def own_tasks_in_order(stage: Stage) -> None:
    """REST-TASK-2: (created_at descending, id), and pages that partition the unchanged list."""
    session = await stage.newcomer("lister") if stage.has("accounts") else stage.user
    for number in range(TASKS):
        await stage.finished(session, await stage.submit(session, f"number {number}"))
    answer = await stage.ask(session, "list_tasks", query={"limit": str(LISTED_MAX)})
    tasks = read_as(answer, _Tasks).tasks
    by_id = sorted(tasks, key=lambda task: task.id)
    ids = [task.id for task in sorted(by_id, key=lambda task: task.created_at, reverse=True)]
    for offset in range(0, min(len(ids), 3 * PAGE), PAGE):
        shown = ids[offset : offset + PAGE]
        wanted = {f"tasks.{n}.id": one for n, one in enumerate(shown)}
        sizes = {"count": len(shown), "total": len(ids), "limit": PAGE, "offset": offset, "tasks.#": len(shown)}
        await stage.ask(
            session, "list_tasks", f"REST-TASK-2/from-{offset}", query={"limit": str(PAGE), "offset": str(offset)},
            status=[200], body_has={**wanted, **sizes},
        )  # fmt: skip
    completed = sum(task.status == "completed" for task in tasks)
    for name, query, total in (("completed", {"status": "completed"}, completed), ("other-type", {"type": "x"}, 0)):
        await stage.ask(session, "list_tasks", f"REST-TASK-2/{name}", query=query, body_has={"total": total})


async def a_list_that_grows(stage: Stage) -> None:
    """REST-TASK-4: what was there throughout is on one of the pages, whatever arrives between them."""
    session = await stage.newcomer("growing")
    for number in range(2 * PAGE):
        await stage.submit(session, f"there throughout {number}")
    listed = await stage.ask(session, "list_tasks", query={"limit": str(LISTED_MAX)})
    ids = [task.id for task in read_as(listed, _Tasks).tasks]
    await stage.ask(session, "list_tasks", query={"limit": str(PAGE)})
    await stage.submit(session, "arrives between the pages")
    # One arrived in front, so the next page begins with the last of the one before.
    wanted = {f"tasks.{n}.id": one for n, one in enumerate(ids[PAGE - 1 : 2 * PAGE - 1])}
    query = {"limit": str(PAGE), "offset": str(PAGE)}
    await stage.ask(session, "list_tasks", "REST-TASK-4/second-page", query=query, status=[200], body_has=wanted)


async def canceling(stage: Stage) -> None:
    """REST-TASK-3: once; on a finished task 409 and nothing changes."""
    steered = stage.has("steer")
    hang = {"simulate": {"outcome": "hang"}}
    task = await stage.submit(stage.user, "to be canceled", constraints=hang, timeout=60)
    path = {"id": task}
    # A target that can't be steered may have finished the task meanwhile.
    first = [200] if steered else [200, 409]
    await stage.ask(stage.user, "cancel_task", "REST-TASK-3/first", path=path, status=first)
    await _nothing_changes(stage, task, "canceled")
    done = await stage.submit(stage.user, "to be finished")
    if (await stage.finished(stage.user, done)).get("status") == "completed":
        await _nothing_changes(stage, done, "completed")


async def _nothing_changes(stage: Stage, task: str, name: str) -> None:
    before = await stage.finished(stage.user, task)
    path = {"id": task}
    await stage.ask(stage.user, "cancel_task", f"REST-TASK-3/{name}-again", path=path, status=[409])
    await stage.ask(stage.user, "get_task", f"REST-TASK-3/{name}-unchanged", path=path, status=[200], body_has=before)


async def no_agent_fits(stage: Stage) -> None:
    """TASK-FIT-1: a budget below every price."""
    task = await stage.submit(stage.user, "too cheap", budget=0.000001)
    await stage.finished(stage.user, task, 5.0)
    wanted = {"status": "failed", "progress": 0, "actual_cost": 0}
    await stage.ask(stage.user, "get_task", "TASK-FIT-1/too-cheap", path={"id": task}, status=[200], body_has=wanted)


async def attempts_that_fail(stage: Stage) -> None:
    """TASK-RETRY-1: one failure then success, and failure to the end."""
    once = {"simulate": {"outcome": "complete", "duration_ms": 20, "fail_times": 1}}
    always = {"simulate": {"outcome": "fail", "duration_ms": 20}}
    tasks = [
        await stage.submit(stage.user, "fails once", constraints=once),
        await stage.submit(stage.user, "fails always", constraints=always),
    ]
    for task, name, wanted in (
        (tasks[0], "once", {"status": "completed", "retry_count": 1, "progress": 100}),
        (tasks[1], "always", {"status": "failed", "retry_count": 3, "progress": 0}),
    ):
        await stage.finished(stage.user, task, 20.0)
        await stage.ask(stage.user, "get_task", f"TASK-RETRY-1/{name}", path={"id": task}, body_has=wanted)


async def an_attempt_that_hangs(stage: Stage) -> None:
    """TASK-TIMEOUT-1."""
    hang = {"simulate": {"outcome": "hang"}}
    task = await stage.submit(stage.user, "hangs", constraints=hang, timeout=1)
    await stage.finished(stage.user, task, 10.0)
    wanted = {"status": "failed", "retry_count": 0, "progress": 0}
    await stage.ask(stage.user, "get_task", "TASK-TIMEOUT-1/hangs", path={"id": task}, body_has=wanted)


ACTS: Final = (
    Act(("REST-TASK-1",), what_was_submitted_is_there),
    Act(("REST-TASK-2",), own_tasks_in_order),
    Act(("REST-TASK-3",), canceling),
    Act(("REST-TASK-4",), a_list_that_grows),
    Act(("TASK-FIT-1",), no_agent_fits),
    Act(("TASK-RETRY-1",), attempts_that_fail, slow=True),
    Act(("TASK-TIMEOUT-1",), an_attempt_that_hangs, slow=True),
)
