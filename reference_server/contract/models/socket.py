"""The REST side of the socket (contract §3)."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct


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
