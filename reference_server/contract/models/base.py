"""What every noun shares: ids, instants, error bodies, the answer that only says what was done."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from reference_server.contract import limits

NOT_BLANK: Final[dict[str, Any]] = {
    "pattern": "[^\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]"
}
"""JSON Schema for text that is more than white space, as Unicode and `str.strip` know it (contract §2 sizes)."""

Uuid = Annotated[str, Meta(description="UUID v4")]
AgentId = Annotated[str, Meta(description="UUID v4, or agent_001 to agent_015 for the seeded agents")]
Timestamp = Annotated[str, Meta(description="RFC 3339, UTC, with fraction", extra_json_schema={"format": "date-time"})]
Email = Annotated[
    str,
    Meta(
        max_length=limits.EMAIL_CHARS_MAX,
        pattern=limits.EMAIL_PATTERN,
        description="the form of HTML's type=email; kept as given, compared without case",
    ),
]


class FieldFault(Struct, frozen=True):
    """One entry of an error's `details`."""

    field: str
    reason: str


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """The body of every 4xx and 5xx."""

    error: Annotated[str, Meta(min_length=1, max_length=limits.ERROR_PHRASE_CHARS_MAX)]
    message: Annotated[str, Meta(min_length=1)]
    details: list[FieldFault] | msgspec.UnsetType = msgspec.UNSET
    retry_after: Annotated[int, Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET


class Message(Struct, frozen=True):
    """An answer that only says what was done."""

    message: str
