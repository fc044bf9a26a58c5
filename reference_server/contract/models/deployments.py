"""Deployments (contract §3)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from reference_server.contract.models.base import AgentId, Timestamp, Uuid

DeploymentEnvironment = Literal["development", "staging", "production"]
DeploymentStatus = Literal["deployed", "stopped"]


class DeployRequest(Struct, frozen=True):
    """`POST /deployments`; `config` is JSON text of at most 16 KiB."""

    agent_id: str
    environment: DeploymentEnvironment = "development"
    config: Annotated[str, Meta(description="JSON text of at most 16 KiB")] = "{}"


class Deployment(Struct, frozen=True):
    """A deployment as every operation shows it."""

    id: Uuid
    agent_id: AgentId
    user_id: Uuid
    status: DeploymentStatus
    environment: DeploymentEnvironment
    config: str
    created_at: Timestamp
    updated_at: Timestamp


class DeploymentList(Struct, frozen=True):
    """`GET /deployments`: the newest `LISTED_MAX`, newest first; `total` counts them all."""

    deployments: list[Deployment]
    total: Annotated[int, Meta(ge=0)]
