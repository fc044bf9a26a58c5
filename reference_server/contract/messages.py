"""The messages of the socket: envelope and the `data` of each type (contract §5)."""

from enum import Enum
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from reference_server.contract.models import AgentId, Timestamp, Uuid

MessageType = Literal["system", "task_update", "agent_update", "pong"]
SOCKET_PATH: Final = "/api/v1/ws/connect"
SUBPROTOCOL: Final = "zerostate.v1"
BEARER_SUBPROTOCOL_PREFIX: Final = "bearer."
SOCKET_VERSION: Final = "13"
"""The one value of Sec-WebSocket-Version (RFC 6455 §4.1)."""
SESSION_COOKIE: Final = "zerostate_session"
"""[ext] What carries a token for pages of the same site (contract §2 where it stands)."""


class SystemData(Struct, frozen=True, omit_defaults=True):
    """`system`: text for a person; the welcome adds `client_id` and `server_time`."""

    message: str
    level: Literal["info", "success", "warning", "error"]
    client_id: str | msgspec.UnsetType = msgspec.UNSET
    server_time: Timestamp | msgspec.UnsetType = msgspec.UNSET


class TaskUpdateData(Struct, frozen=True, omit_defaults=True):
    """`task_update`: one transition of one task; `revision` stands in all that the server sends by itself."""

    task_id: Uuid
    status: Literal["queued", "assigned", "running", "completed", "failed", "canceled"]
    query: str
    progress: Annotated[int, Meta(ge=0, le=100)] | msgspec.UnsetType = msgspec.UNSET
    assigned_to: AgentId | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET
    revision: Annotated[int, Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET


class AgentUpdateData(Struct, frozen=True):
    """`agent_update`: one change of one agent."""

    agent_id: AgentId
    name: str
    action: Literal["registered", "updated", "deleted"]


class PongData(Struct, frozen=True, omit_defaults=True):
    """`pong`: `received` is the ping's `timestamp`, absent when the ping has none."""

    received: str | msgspec.UnsetType = msgspec.UNSET


class Envelope(Struct, frozen=True, omit_defaults=True):
    """One JSON object per text frame; `user_id` on messages for one user only, never on welcome and pong."""

    type: str
    timestamp: Timestamp
    data: Any
    user_id: Uuid | msgspec.UnsetType = msgspec.UNSET


class Ping(Struct, frozen=True, omit_defaults=True):
    """The one message of the client that means something."""

    type: Literal["ping"]
    timestamp: Timestamp | msgspec.UnsetType = msgspec.UNSET


class Reach(Enum):
    """Whom a message type goes to."""

    ONE_OR_ALL = "one or all"
    OWNER = "all connections of the owner"
    EVERYONE = "everyone"
    ASKER = "the asker"


class MessageKind(NamedTuple):
    """One row of §5's table."""

    name: MessageType
    model: type[Struct]
    reach: Reach
    sent_when: str


MESSAGE_KINDS: Final = (
    MessageKind("system", SystemData, Reach.ONE_OR_ALL,
                "welcome (first message of every connection), broadcast or send, API key made or revoked, shutdown"),
    MessageKind("task_update", TaskUpdateData, Reach.OWNER,
                "each pushed transition of a task, once; creation counts as the one to queued"),
    MessageKind("agent_update", AgentUpdateData, Reach.EVERYONE, "each change of an agent, once"),
    MessageKind("pong", PongData, Reach.ASKER, "each valid ping"),
)  # fmt: skip

PUBLISHABLE: Final = ("system", "task_update", "agent_update")
DATA_MODELS: Final[dict[str, type[Struct]]] = {kind.name: kind.model for kind in MESSAGE_KINDS}
