"""Tasks (contract §3): one row an operation."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from reference_server.contract import limits, models
from reference_server.contract.lifecycle import TaskStatus
from reference_server.contract.operations.model import BASE, Operation


class TasksQuery(Struct, frozen=True):
    """The query of `GET /tasks`."""

    status: TaskStatus | None = None
    type: str | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.TASKS_LIMIT_MAX)] = limits.TASKS_LIMIT_DEFAULT
    offset: Annotated[int, Meta(ge=0, le=limits.PAGE_NUMBER_MAX)] = 0


TASKS: Final = (
    Operation("submit_task", "POST", f"{BASE}/tasks/submit", "user", "Queue a task", 202,
              models.SubmitAnswer, body=models.SubmitRequest, tag="tasks"),
    Operation("list_tasks", "GET", f"{BASE}/tasks", "user", "Own tasks, newest first", 200,
              models.TaskPage, query=TasksQuery, errors=(400,), tag="tasks"),
    Operation("get_task", "GET", f"{BASE}/tasks/{{id}}", "user", "One own task", 200,
              models.Task, errors=(404,), tag="tasks"),
    Operation("get_task_status", "GET", f"{BASE}/tasks/{{id}}/status", "user", "How far one own task is", 200,
              models.TaskProgress, errors=(404,), tag="tasks"),
    Operation("get_task_result", "GET", f"{BASE}/tasks/{{id}}/result", "user", "What came of a finished task", 200,
              models.TaskResult, errors=(400, 404), tag="tasks"),
    Operation("cancel_task", "DELETE", f"{BASE}/tasks/{{id}}", "user", "Cancel an unfinished task", 200,
              models.CancelAnswer, errors=(404, 409), tag="tasks"),
)  # fmt: skip
