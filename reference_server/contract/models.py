"""Bodies of REST requests and answers, as msgspec Structs (contract §3).

Shapes and simple bounds only. What JSON Schema can't say (password length in bytes, blank names, sizes of nested
JSON as text) is decided in the core, and said here in the field's description.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reference_server.contract import limits
from reference_server.contract.lifecycle import TaskStatus

Uuid = Annotated[str, Meta(description="UUID v4")]
AgentId = Annotated[str, Meta(description="UUID v4, or agent_001 to agent_015 for the seeded agents")]
Timestamp = Annotated[str, Meta(description="RFC 3339, UTC, with fraction", extra_json_schema={"format": "date-time"})]
Email = Annotated[
    str,
    Meta(
        max_length=limits.EMAIL_CHARS_MAX,
        pattern=r"^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
        r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*\Z",
        description="the form of HTML's type=email; kept as given, compared without case",
    ),
]
Password = Annotated[str, Meta(description="8 to 72 bytes of UTF-8")]
FullName = Annotated[str, Meta(min_length=1, max_length=limits.FULL_NAME_CHARS_MAX, description="not blank")]
Query = Annotated[str, Meta(min_length=1, max_length=limits.QUERY_CHARS_MAX)]
Priority = Literal["low", "normal", "high", "critical"]
PriorityIn = Literal["low", "normal", "medium", "high", "critical"]
AgentStatus = Literal["active", "beta", "inactive"]
Role = Literal["user", "admin"]


class FieldFault(Struct, frozen=True):
    """One entry of an error's `details`."""

    field: str
    reason: str


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """The body of every 4xx and 5xx."""

    error: Annotated[str, Meta(min_length=1, max_length=limits.ERROR_PHRASE_CHARS_MAX)]
    message: Annotated[str, Meta(min_length=1)]
    details: list[FieldFault] | msgspec.UnsetType = msgspec.UNSET
    retry_after: Annotated[int, Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET


class RegisterRequest(Struct, frozen=True):
    """`POST /users/register`."""

    email: Email
    password: Password
    full_name: FullName


class LoginRequest(Struct, frozen=True):
    """`POST /users/login`; any strings, so that a wrong one is 401 as an unknown one is."""

    email: str
    password: str


class LogoutRequest(Struct, frozen=True):
    """`POST /users/logout`; the body may be left out."""

    all: bool = False


class SessionUser(Struct, frozen=True):
    """The user in the answer of register and login."""

    id: Uuid
    email: str
    full_name: str
    created_at: Timestamp


class SessionAnswer(Struct, frozen=True):
    """The answer of register and login; `expires_in` in seconds."""

    token: str
    user: SessionUser
    expires_in: Annotated[int, Meta(ge=1)]


class Message(Struct, frozen=True):
    """An answer that only says what was done."""

    message: str


class Me(Struct, frozen=True):
    """`GET /users/me`."""

    id: Uuid
    email: str
    full_name: str
    created_at: Timestamp
    avatar_url: str | None
    role: Role


class Agent(Struct, frozen=True):
    """An agent as every operation shows it; `price` is per execution."""

    id: AgentId
    name: str
    description: str
    capabilities: list[str]
    status: AgentStatus
    price: Annotated[float, Meta(gt=0)]
    tasks_completed: Annotated[int, Meta(ge=0)]
    rating: Annotated[float, Meta(ge=0, le=5)]
    created_at: Timestamp
    updated_at: Timestamp
    owner_id: Uuid | None


class AgentPage(Struct, frozen=True):
    """`GET /agents`."""

    agents: list[Agent]
    total: Annotated[int, Meta(ge=0)]
    page: Annotated[int, Meta(ge=1)]
    limit: Annotated[int, Meta(ge=1)]
    total_pages: Annotated[int, Meta(ge=0)]


class SubmitRequest(Struct, frozen=True):
    """`POST /tasks/submit`; `timeout` in seconds, `constraints` at most 16 KiB as JSON text."""

    query: Query
    budget: Annotated[float, Meta(gt=0)]
    constraints: dict[str, Any] = {}
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


class OrchestratorMetrics(Struct, frozen=True):
    """`GET /orchestrator/metrics`: counts since start, `success_rate` in percent."""

    tasks_processed: Annotated[int, Meta(ge=0)]
    tasks_succeeded: Annotated[int, Meta(ge=0)]
    tasks_failed: Annotated[int, Meta(ge=0)]
    tasks_timed_out: Annotated[int, Meta(ge=0)]
    avg_execution_ms: Annotated[float, Meta(ge=0)]
    active_workers: Annotated[int, Meta(ge=0)]
    success_rate: Annotated[float, Meta(ge=0, le=100)]


class SocketFigures(Struct, frozen=True):
    """The figures of `GET /ws/stats`."""

    current_connections: Annotated[int, Meta(ge=0)]
    total_connections: Annotated[int, Meta(ge=0)]
    messages_sent: Annotated[int, Meta(ge=0)]
    slow_consumers_closed: Annotated[int, Meta(ge=0)]
    invalid_messages: Annotated[int, Meta(ge=0)]


class SocketStats(Struct, frozen=True):
    """`GET /ws/stats`."""

    stats: SocketFigures


class BroadcastRequest(Struct, frozen=True):
    """`POST /ws/broadcast`; `data` must be valid for `type` and is passed on as given."""

    type: Literal["system", "task_update", "agent_update"]
    data: dict[str, Any]


class SendRequest(Struct, frozen=True):
    """`POST /ws/send`."""

    user_id: str
    type: Literal["system", "task_update", "agent_update"]
    data: dict[str, Any]


class PublishAnswer(Struct, frozen=True):
    """200 of broadcast and send: to how many connections the message was accepted."""

    message: str
    recipients: Annotated[int, Meta(ge=0)]


class Health(Struct, frozen=True):
    """`GET /health`, at the root."""

    status: Literal["healthy"]
    service: str
    version: str
    time: Timestamp


class Ready(Struct, frozen=True):
    """`GET /ready` 200, at the root: each part that was checked."""

    status: Literal["ready"]
    checks: dict[str, str]
