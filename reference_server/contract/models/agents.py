"""Agents (contract §3 agents)."""

from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from reference_server.contract import limits
from reference_server.contract.models.base import NOT_BLANK, AgentId, Timestamp, Uuid

AgentStatus = Literal["active", "beta", "inactive"]
AgentName = Annotated[
    str,
    Meta(min_length=1, max_length=limits.NAME_CHARS_MAX, description="not blank", extra_json_schema=NOT_BLANK),
]
Description = Annotated[str, Meta(max_length=limits.DESCRIPTION_CHARS_MAX)]
Capability = Annotated[str, Meta(min_length=1, max_length=limits.CAPABILITY_CHARS_MAX)]
Capabilities = Annotated[list[Capability], Meta(min_length=1, max_length=limits.CAPABILITIES_MAX)]
Price = Annotated[float, Meta(gt=0)]
Version = Annotated[str, Meta(min_length=1, max_length=limits.VERSION_CHARS_MAX, pattern=limits.VERSION_PATTERN)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
FIRST_VERSION: Final = "1.0.0"


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


class AgentSearch(Struct, frozen=True):
    """`GET /agents/search`: the newest `LISTED_MAX` of those that match; `total` counts them all."""

    agents: list[Agent]
    total: Annotated[int, Meta(ge=0)]
    query: str


class Pricing(Struct, frozen=True):
    """What an agent costs; `per_execution` is the `price` that every operation shows."""

    per_execution: Price
    per_second: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    per_mb: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    currency: Annotated[str, Meta(min_length=1, max_length=limits.CURRENCY_CHARS_MAX)] | UnsetType = UNSET


class AgentForm(Struct, frozen=True):
    """The text fields of `POST /agents/register`; `pricing`, `resources` and `metadata` come as JSON text."""

    name: AgentName
    capabilities: Capabilities
    pricing: Pricing
    description: Description = ""
    version: Version = FIRST_VERSION
    resources: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


class AgentRegistered(Struct, frozen=True):
    """201 of a registration; `wasm_hash` is SHA-256 in hex."""

    agent_id: AgentId
    name: str
    status: Literal["registered"]
    wasm_hash: Sha256
    card_published: bool
    index_updated: bool
    timestamp: Timestamp


class AgentChange(Struct, frozen=True):
    """`PUT /agents/{id}`: at least one of these."""

    name: AgentName | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    capabilities: Capabilities | UnsetType = UNSET
    price: Price | UnsetType = UNSET
    status: AgentStatus | UnsetType = UNSET


class AgentDeleted(Struct, frozen=True):
    """`DELETE /agents/{id}`."""

    agent_id: AgentId
    status: Literal["deleted"]


class BinaryForm(Struct, frozen=True):
    """The text field of an upload to `/agents/{id}/binary`."""

    version: Version


class BinaryUploaded(Struct, frozen=True):
    """201 of an upload; `binary_size` in bytes, `binary_hash` is SHA-256 in hex."""

    agent_id: AgentId
    binary_url: str
    binary_hash: Sha256
    binary_size: Annotated[int, Meta(ge=limits.BINARY_BYTES_MIN, le=limits.BINARY_BYTES_MAX)]
    version: str
    status: Literal["uploaded"]


class BinariesDeleted(Struct, frozen=True):
    """`DELETE /agents/{id}/binary`: the versions that are gone now."""

    agent_id: AgentId
    deleted: list[str]


class AgentVersion(Struct, frozen=True):
    """One uploaded binary."""

    version: str
    binary_hash: Sha256
    binary_size: Annotated[int, Meta(ge=0)]
    created_at: Timestamp


class AgentVersions(Struct, frozen=True):
    """`GET /agents/{id}/versions`: the newest `LISTED_MAX`, newest first; `total` counts them all."""

    agent_id: AgentId
    versions: list[AgentVersion]
    total: Annotated[int, Meta(ge=0)]
