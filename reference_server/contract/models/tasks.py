"""Tasks (contract §3 tasks)."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from reference_server.contract import limits
from reference_server.contract.lifecycle import FinalStatus, TaskStatus
from reference_server.contract.models.base import AgentId, Timestamp, Uuid

Query = Annotated[str, Meta(min_length=1, max_length=limits.QUERY_CHARS_MAX)]
Priority = Literal["low", "normal", "high", "critical"]
OUTCOMES: Final = ("complete", "fail", "hang")
Constraints = Annotated[
    dict[str, Any],
    Meta(
        description="at most 16 KiB as JSON text; `simulate` steers the attempts",
        extra_json_schema={
            "properties": {
                "simulate": {
                    "type": "object",
                    "properties": {
                        "outcome": {"enum": list(OUTCOMES), "default": "complete"},
                        "duration_ms": {"type": "number", "minimum": 0, "maximum": limits.SIMULATED_MS_MAX},
                        "fail_times": {"type": "integer", "minimum": 0, "maximum": limits.SIMULATED_FAILS_MAX},
                    },
                }
            }
        },
    ),
]
PriorityIn = Literal["low", "normal", "medium", "high", "critical"]


class SubmitRequest(Struct, frozen=True):
    """`POST /tasks/submit`; `timeout` in seconds, `constraints` at most 16 KiB as JSON text."""

    query: Query
    budget: Annotated[float, Meta(gt=0)]
    constraints: Constraints = {}
    timeout: Annotated[float, Meta(ge=1, le=limits.TASK_TIMEOUT_S_MAX)] = limits.TASK_TIMEOUT_S_DEFAULT
    priority: PriorityIn = "normal"


class SubmitAnswer(Struct, frozen=True):
    """202 of a submit."""

    task_id: Uuid
    status: Literal["queued"]


class TaskInput(Struct, frozen=True):
    """What the task was given."""

    query: str
    constraints: dict[str, Any]


class Task(Struct, frozen=True, omit_defaults=True):
    """A task as every operation shows it; `timeout` in seconds, `revision` grows with every visible change."""

    id: Uuid
    user_id: Uuid
    created_at: Timestamp
    updated_at: Timestamp
    type: str
    description: str
    query: str
    capabilities: list[str]
    input: TaskInput
    metadata: dict[str, Any]
    priority: Priority
    status: TaskStatus
    timeout: float
    max_retries: Annotated[int, Meta(ge=0)]
    retry_count: Annotated[int, Meta(ge=0)]
    budget: float
    actual_cost: Annotated[float, Meta(ge=0)]
    progress: Annotated[int, Meta(ge=0, le=100)]
    revision: Annotated[int, Meta(ge=1)]
    assigned_to: AgentId | msgspec.UnsetType = msgspec.UNSET
    result: Any | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET
    started_at: Timestamp | msgspec.UnsetType = msgspec.UNSET
    completed_at: Timestamp | msgspec.UnsetType = msgspec.UNSET


class TaskPage(Struct, frozen=True):
    """`GET /tasks`; `count` = the tasks in this answer, `total` = all that match."""

    tasks: list[Task]
    count: Annotated[int, Meta(ge=0)]
    total: Annotated[int, Meta(ge=0)]
    limit: Annotated[int, Meta(ge=1)]
    offset: Annotated[int, Meta(ge=0)]


class CancelAnswer(Struct, frozen=True):
    """`DELETE /tasks/{id}`."""

    task_id: Uuid
    status: Literal["canceled"]
    message: str


class TaskDates(Struct, frozen=True):
    """The `metadata` of a task's status."""

    created_at: Timestamp
    updated_at: Timestamp


class TaskProgress(Struct, frozen=True, omit_defaults=True):
    """`GET /tasks/{id}/status`."""

    task_id: Uuid
    status: TaskStatus
    progress: Annotated[int, Meta(ge=0, le=100)]
    metadata: TaskDates
    assigned_to: AgentId | msgspec.UnsetType = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.UNSET


class TaskRun(Struct, frozen=True):
    """The `metadata` of a task's result; null where it never started or no agent had it."""

    started_at: Timestamp | None
    completed_at: Timestamp
    assigned_to: AgentId | None


class TaskResult(Struct, frozen=True, omit_defaults=True):
    """`GET /tasks/{id}/result` of a finished task; both durations in milliseconds, 0 if it never started."""

    task_id: Uuid
    status: FinalStatus
    cost: Annotated[float, Meta(ge=0)]
    duration_ms: Annotated[float, Meta(ge=0)]
    duration: Annotated[float, Meta(ge=0)]
    metadata: TaskRun
    result: Any | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET
