"""The envelope of a socket message as bytes, and the instants written into it (contract §§1, 5)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct

from reference_server.contract.messages import Envelope, PongData, SystemData
from reference_server.core.units import SECOND_NS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""Without a zone, which would be asked for its name at every use."""
_recent: Final[list[tuple[int | None, str]]] = [(None, ""), (None, "")]
"""A memo, no state: the text of this second and the one before, as what is written in a row shares its seconds."""
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_encode = msgspec.json.Encoder().encode


def timestamp(wall_ns: int) -> str:
    """Return an instant as RFC 3339 in UTC, always with six digits of fraction (contract §1 timestamps)."""
    seconds, rest_ns = divmod(wall_ns, SECOND_NS)
    known, text = _recent[seconds & 1]
    if known != seconds:
        text = (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="seconds")
        _recent[seconds & 1] = seconds, text
    return f"{text}.{rest_ns // 1000:06}Z"


def is_rfc3339(text: str) -> bool:
    """Say whether `text` is a date-time of RFC 3339 §5.6, leap seconds and any offset included."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        return False
    try:
        datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
    except ValueError:
        return False
    return True


def envelope(type_: str, wall_ns: int, data: Struct | dict[str, Any], user_id: str | None = None) -> bytes:
    """Return the message as it goes over the wire: raw UTF-8 JSON, one object."""
    return _encode(Envelope(type_, timestamp(wall_ns), data, UNSET if user_id is None else user_id))


def welcome(client_id: str, wall_ns: int) -> bytes:
    """Return the first message of a connection (contract §5 system)."""
    data = SystemData("connected", "info", client_id=client_id, server_time=timestamp(wall_ns))
    return envelope("system", wall_ns, data)


def pong(received: str | None, wall_ns: int) -> bytes:
    """Return the answer to a valid ping; `received` is the ping's own timestamp (contract §5 pong)."""
    return envelope("pong", wall_ns, PongData(UNSET if received is None else received))


def shutdown_warning(wall_ns: int) -> bytes:
    """Return the last message of every connection of a server that ends (contract §5 shutdown)."""
    return envelope("system", wall_ns, SystemData("the server is shutting down", "warning"))
