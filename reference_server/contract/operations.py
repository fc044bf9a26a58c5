"""The operations as a table: routes, auth, bodies, statuses (contract §§1, 3).

Routes, OpenAPI, clients, cases and load-test names all derive from `OPERATIONS`. Statuses that stand on every
operation (`COMMON_STATUSES`, 401 where a credential is needed) are not repeated in the rows.
"""

from typing import Annotated, Any, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from reference_server.contract import limits, models
from reference_server.contract.lifecycle import TaskStatus

BASE: Final = "/api/v1"
Auth = Literal["none", "user", "admin"]
Method = Literal["GET", "POST", "PUT", "DELETE"]


class AgentsQuery(Struct, frozen=True):
    """The query of `GET /agents`."""

    page: Annotated[int, Meta(ge=1, le=limits.PAGE_NUMBER_MAX)] = 1
    limit: Annotated[int, Meta(ge=1, le=limits.AGENTS_LIMIT_MAX)] = limits.AGENTS_LIMIT_DEFAULT
    search: str | None = None
    status: models.AgentStatus | None = None
    sort: Literal["recent", "rating", "tasks", "price", "name"] = "recent"


class TasksQuery(Struct, frozen=True):
    """The query of `GET /tasks`."""

    status: TaskStatus | None = None
    type: str | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.TASKS_LIMIT_MAX)] = limits.TASKS_LIMIT_DEFAULT
    offset: Annotated[int, Meta(ge=0, le=limits.PAGE_NUMBER_MAX)] = 0


class Operation(NamedTuple):
    """One row of §3: what is asked for, what comes back, and the errors of its own."""

    name: str
    method: Method
    path: str
    auth: Auth
    summary: str
    success: int
    answer: type[Any]
    body: type[Struct] | None = None
    body_required: bool = True
    query: type[Struct] | None = None
    errors: tuple[int, ...] = ()
    tag: str = ""
    limited: bool = True

    @property
    def statuses(self) -> frozenset[int]:
        """Every status that the contract lets this operation answer."""
        own = {self.success, *self.errors, 500, 503}
        if self.limited:
            own.add(429)
        if self.auth != "none":
            own.add(401)
        if self.auth == "admin":
            own.add(403)
        if self.body is not None:
            own |= {400, 413, 415}
        return frozenset(own)


OPERATIONS: Final = (
    Operation("register", "POST", f"{BASE}/users/register", "none", "Make an account and sign in", 201,
              models.SessionAnswer, body=models.RegisterRequest, errors=(409,), tag="users"),
    Operation("login", "POST", f"{BASE}/users/login", "none", "Sign in", 200,
              models.SessionAnswer, body=models.LoginRequest, errors=(401,), tag="users"),
    Operation("logout", "POST", f"{BASE}/users/logout", "user", "Revoke this token, or all of the account's", 200,
              models.Message, body=models.LogoutRequest, body_required=False, errors=(403,), tag="users"),
    Operation("me", "GET", f"{BASE}/users/me", "user", "The account of the credential", 200, models.Me, tag="users"),
    Operation("list_agents", "GET", f"{BASE}/agents", "user", "Agents, a page at a time", 200,
              models.AgentPage, query=AgentsQuery, errors=(400,), tag="agents"),
    Operation("get_agent", "GET", f"{BASE}/agents/{{id}}", "user", "One agent", 200,
              models.Agent, errors=(404,), tag="agents"),
    Operation("submit_task", "POST", f"{BASE}/tasks/submit", "user", "Queue a task", 202,
              models.SubmitAnswer, body=models.SubmitRequest, tag="tasks"),
    Operation("list_tasks", "GET", f"{BASE}/tasks", "user", "Own tasks, newest first", 200,
              models.TaskPage, query=TasksQuery, errors=(400,), tag="tasks"),
    Operation("get_task", "GET", f"{BASE}/tasks/{{id}}", "user", "One own task", 200,
              models.Task, errors=(404,), tag="tasks"),
    Operation("cancel_task", "DELETE", f"{BASE}/tasks/{{id}}", "user", "Cancel an unfinished task", 200,
              models.CancelAnswer, errors=(404, 409), tag="tasks"),
    Operation("orchestrator_metrics", "GET", f"{BASE}/orchestrator/metrics", "user", "Figures since start", 200,
              models.OrchestratorMetrics, tag="orchestrator"),
    Operation("ws_connect", "GET", f"{BASE}/ws/connect", "user", "Upgrade to the socket", 101,
              type(None), errors=(400, 403, 426), tag="socket"),
    Operation("ws_stats", "GET", f"{BASE}/ws/stats", "user", "Figures of the hub", 200, models.SocketStats,
              tag="socket"),
    Operation("ws_broadcast", "POST", f"{BASE}/ws/broadcast", "admin", "Publish to every connection", 200,
              models.PublishAnswer, body=models.BroadcastRequest, tag="socket"),
    Operation("ws_send", "POST", f"{BASE}/ws/send", "admin", "Publish to one account's connections", 200,
              models.PublishAnswer, body=models.SendRequest, errors=(404,), tag="socket"),
    Operation("health", "GET", "/health", "none", "Is the process alive", 200, models.Health,
              limited=False, tag="service"),
    Operation("ready", "GET", "/ready", "none", "Can it serve: store and hub are checked", 200, models.Ready,
              limited=False, tag="service"),
)  # fmt: skip

BY_NAME: Final[dict[str, Operation]] = {operation.name: operation for operation in OPERATIONS}
