"""The durable rows that decisions read and write; times are integer nanoseconds since the Unix epoch."""

from typing import Any

import msgspec
from msgspec import Struct

from reference_server.contract.lifecycle import TaskStatus
from reference_server.contract.models import (
    AgentStatus,
    DeploymentEnvironment,
    DeploymentStatus,
    KeyEnvironment,
    KeyStatus,
    Priority,
    Role,
)


class AccountRow(Struct, frozen=True):
    """An account; `email_key` is the casefolded e-mail, unique; tokens issued up to `revoked_until_ns` are dead.

    `issued_until_ns` is the latest instant at which a token was issued. `avatar` is the unguessable name of the
    picture, and of its blob; `avatar_type` its media type.
    """

    id: str
    email: str
    email_key: str
    full_name: str
    password_hash: str
    role: Role
    created_at_ns: int
    revoked_until_ns: int = 0
    issued_until_ns: int = 0
    avatar: str | None = None
    avatar_type: str | None = None


class KeyRow(Struct, frozen=True):
    """An API key; of the key itself only its SHA-256 (hex) is kept, `order` is the sequence of making."""

    id: str
    account_id: str
    order: int
    name: str
    environment: KeyEnvironment
    prefix: str
    last4: str
    key_hash: str
    status: KeyStatus
    created_at_ns: int
    last_used_at_ns: int | None = None


class AgentRow(Struct, frozen=True):
    """An agent; `owner_id` is None for the seeded ones.

    `manifest` is what its registration told beyond what is shown: `pricing`, `resources`, `metadata`.
    """

    id: str
    name: str
    description: str
    capabilities: tuple[str, ...]
    status: AgentStatus
    price: float
    tasks_completed: int
    rating: float
    created_at_ns: int
    updated_at_ns: int
    owner_id: str | None = None
    manifest: dict[str, Any] = {}


class VersionRow(Struct, frozen=True):
    """A binary of an agent: `blob` names its bytes, `binary_hash` is SHA-256 in hex, `order` the sequence of upload."""

    agent_id: str
    version: str
    order: int
    blob: str
    binary_hash: str
    binary_size: int
    created_at_ns: int


class DeploymentRow(Struct, frozen=True):
    """A deployment; `order` is the sequence of creation."""

    id: str
    user_id: str
    agent_id: str
    order: int
    status: DeploymentStatus
    environment: DeploymentEnvironment
    config: str
    created_at_ns: int
    updated_at_ns: int


class TaskRow(Struct, frozen=True):
    """A task.

    `due_at_ns` is when its next move is due: a queued task becomes eligible then (retry delay), an assigned one
    starts, a running one's attempt ends with `planned_outcome`; a queued one with a `planned_outcome` fits no agent
    and fails at the executor's next step. `order` is the store-wide sequence of creation. `price` is what its agent
    asked for when it was assigned, and what completing it costs.
    """

    id: str
    user_id: str
    order: int
    created_at_ns: int
    updated_at_ns: int
    query: str
    constraints: dict[str, Any]
    priority: Priority
    status: TaskStatus
    timeout_s: float
    budget: float
    retry_count: int = 0
    actual_cost: float = 0.0
    revision: int = 1
    due_at_ns: int = 0
    planned_outcome: str | None = None
    assigned_to: str | None = None
    result: Any | None = None
    error: str | None = None
    started_at_ns: int | None = None
    attempt_started_at_ns: int | None = None
    completed_at_ns: int | None = None
    leased_by: str | None = None
    price: float = 0.0


def replaced(row: TaskRow, **changes: Any) -> TaskRow:
    """Return `row` with `changes`, typed as a task (msgspec's own `replace` keeps no type)."""
    changed: TaskRow = msgspec.structs.replace(row, **changes)
    return changed


def replaced_account(row: AccountRow, **changes: Any) -> AccountRow:
    """Return `row` with `changes`, typed as an account."""
    changed: AccountRow = msgspec.structs.replace(row, **changes)
    return changed


def replaced_agent(row: AgentRow, **changes: Any) -> AgentRow:
    """Return `row` with `changes`, typed as an agent."""
    changed: AgentRow = msgspec.structs.replace(row, **changes)
    return changed


def replaced_key(row: KeyRow, **changes: Any) -> KeyRow:
    """Return `row` with `changes`, typed as an API key."""
    changed: KeyRow = msgspec.structs.replace(row, **changes)
    return changed


def replaced_deployment(row: DeploymentRow, **changes: Any) -> DeploymentRow:
    """Return `row` with `changes`, typed as a deployment."""
    changed: DeploymentRow = msgspec.structs.replace(row, **changes)
    return changed
