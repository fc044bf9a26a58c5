"""Agents (contract §3): one row an operation."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from reference_server.contract import limits, models
from reference_server.contract.operations.model import BASE, WASM, FileField, Operation

SearchText = Annotated[str, Meta(min_length=1, description="literal, compared without case")]
WASM_BINARY: Final = FileField("wasm_binary", limits.BINARY_BYTES_MIN, limits.BINARY_BYTES_MAX, (WASM,))


class AgentsQuery(Struct, frozen=True):
    """The query of `GET /agents`."""

    page: Annotated[int, Meta(ge=1, le=limits.PAGE_NUMBER_MAX)] = 1
    limit: Annotated[int, Meta(ge=1, le=limits.AGENTS_LIMIT_MAX)] = limits.AGENTS_LIMIT_DEFAULT
    search: SearchText | None = None
    status: models.AgentStatus | None = None
    sort: Literal["recent", "rating", "tasks", "price", "name"] = "recent"


class SearchQuery(Struct, frozen=True):
    """The query of `GET /agents/search`."""

    q: SearchText


class VersionQuery(Struct, frozen=True):
    """Which of an agent's binaries; one that can't be a version is an unknown one, as a malformed id is."""

    version: str | None = None


AGENTS: Final = (
    Operation("list_agents", "GET", f"{BASE}/agents", "user", "Agents, a page at a time", 200,
              models.AgentPage, query=AgentsQuery, errors=(400,), tag="agents"),
    Operation("search_agents", "GET", f"{BASE}/agents/search", "user", "Agents that a text is found in, newest first",
              200, models.AgentSearch, query=SearchQuery, errors=(400,), tag="agents"),
    Operation("register_agent", "POST", f"{BASE}/agents/register", "user", "Register an agent with its first binary",
              201, models.AgentRegistered, form=models.AgentForm, file=WASM_BINARY, tag="agents"),
    Operation("get_agent", "GET", f"{BASE}/agents/{{id}}", "user", "One agent", 200,
              models.Agent, errors=(404,), tag="agents"),
    Operation("update_agent", "PUT", f"{BASE}/agents/{{id}}", "user", "Change an own agent", 200,
              models.Agent, body=models.AgentChange, errors=(403, 404), tag="agents"),
    Operation("delete_agent", "DELETE", f"{BASE}/agents/{{id}}", "user", "Delete an own agent", 200,
              models.AgentDeleted, errors=(403, 404), tag="agents"),
    Operation("upload_binary", "POST", f"{BASE}/agents/{{id}}/binary", "user", "Add a binary to an own agent", 201,
              models.BinaryUploaded, form=models.BinaryForm, file=WASM_BINARY, errors=(403, 404, 409), tag="agents"),
    Operation("put_binary", "PUT", f"{BASE}/agents/{{id}}/binary", "user", "Add a binary to an own agent", 201,
              models.BinaryUploaded, form=models.BinaryForm, file=WASM_BINARY, errors=(403, 404, 409), tag="agents"),
    Operation("get_binary", "GET", f"{BASE}/agents/{{id}}/binary", "user", "A binary's bytes, by default the last's",
              200, bytes, query=VersionQuery, errors=(400, 404), tag="agents", media=WASM),
    Operation("delete_binary", "DELETE", f"{BASE}/agents/{{id}}/binary", "user", "Delete one binary or all", 200,
              models.BinariesDeleted, query=VersionQuery, errors=(400, 403, 404), tag="agents"),
    Operation("list_versions", "GET", f"{BASE}/agents/{{id}}/versions", "user", "An agent's binaries, newest first",
              200, models.AgentVersions, errors=(404,), tag="agents"),
)  # fmt: skip
