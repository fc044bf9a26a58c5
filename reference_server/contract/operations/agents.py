"""Agents (contract §3): one row an operation."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from reference_server.contract import limits, models
from reference_server.contract.operations.model import BASE, Operation


class AgentsQuery(Struct, frozen=True):
    """The query of `GET /agents`."""

    page: Annotated[int, Meta(ge=1, le=limits.PAGE_NUMBER_MAX)] = 1
    limit: Annotated[int, Meta(ge=1, le=limits.AGENTS_LIMIT_MAX)] = limits.AGENTS_LIMIT_DEFAULT
    search: str | None = None
    status: models.AgentStatus | None = None
    sort: Literal["recent", "rating", "tasks", "price", "name"] = "recent"


AGENTS: Final = (
    Operation("list_agents", "GET", f"{BASE}/agents", "user", "Agents, a page at a time", 200,
              models.AgentPage, query=AgentsQuery, errors=(400,), tag="agents"),
    Operation("get_agent", "GET", f"{BASE}/agents/{{id}}", "user", "One agent", 200,
              models.Agent, errors=(404,), tag="agents"),
)  # fmt: skip
