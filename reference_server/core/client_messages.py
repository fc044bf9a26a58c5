"""What a client's text message means: a ping, nothing, or nothing that may be said (contract §5 From the client)."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from reference_server.core.envelopes import is_rfc3339


class _Said(Struct, frozen=True):
    """What is read of a client's JSON object; any other field is ignored."""

    type: Any = None
    timestamp: Any = UNSET


_decode: Final = msgspec.json.Decoder(_Said).decode


@dataclass(frozen=True, slots=True)
class Ping:
    """A valid ping; its `timestamp` goes into the pong, None when it has none."""

    timestamp: str | None


class Unanswered(Enum):
    """IGNORED is any other object; INVALID is counted: no JSON object, or a ping with a malformed timestamp."""

    IGNORED = "ignored"
    INVALID = "invalid"


def read_message(payload: bytes) -> Ping | Unanswered:
    """Return what a text message of a client means."""
    try:
        said = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Unanswered.INVALID
    if said.type != "ping":
        return Unanswered.IGNORED
    if said.timestamp is UNSET:
        return Ping(None)
    if isinstance(said.timestamp, str) and is_rfc3339(said.timestamp):
        return Ping(said.timestamp)
    return Unanswered.INVALID
