"""Close codes, error phrases and the order in which errors apply (contract §§1, 2, 5).

`PRECEDENCE` and `HANDSHAKE_PRECEDENCE` say which error comes first: harness and driver's tests make cases of them.
"""

from enum import IntEnum
from typing import Final

from reference_server.contract import limits


class CloseCode(IntEnum):
    """Close codes that the hub sends, and what each one says (RFC 6455 §7.4, contract §5)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_UTF8 = 1007
    POLICY = 1008
    TOO_BIG = 1009
    BUS_LOST = 1012
    SLOW_CONSUMER = 1013
    TOKEN_ENDED = 4401
    TOO_MANY_SOCKETS = 4409


CLOSE_MEANINGS: Final[dict[CloseCode, str]] = {
    CloseCode.NORMAL: "the client closed",
    CloseCode.GOING_AWAY: "the server is shutting down, or the client was silent for too long",
    CloseCode.PROTOCOL_ERROR: "what came breaks RFC 6455",
    CloseCode.UNSUPPORTED_DATA: "a binary message came; only text is spoken here",
    CloseCode.INVALID_UTF8: "text or a close reason that is no UTF-8",
    CloseCode.POLICY: f"over {limits.FRAME_BURST_MAX} frames in a burst and {limits.FRAMES_PER_S} a second",
    CloseCode.TOO_BIG: f"a message of over {limits.CLIENT_MESSAGE_BYTES_MAX:,} bytes",
    CloseCode.BUS_LOST: "the bus between processes was lost, so a gap can't be excluded",
    CloseCode.SLOW_CONSUMER: f"over {limits.OUTBOX_MESSAGES_MAX} messages or {limits.OUTBOX_BYTES_MAX:,} bytes behind",
    CloseCode.TOKEN_ENDED: "the token expired or was revoked",
    CloseCode.TOO_MANY_SOCKETS: f"over {limits.SOCKETS_PER_ACCOUNT_MAX} sockets of one account; the most silent ends",
}
"""What each close code tells a client (contract §§2, 5)."""

NO_RECONNECT_CODES: Final = frozenset({1002, 1003, 1007, 1008, 1009, 4401, 4409})
"""After these a client must not reconnect by itself (contract §6, row `reconnect`)."""

ERROR_PHRASES: Final[dict[int, str]] = {
    400: "bad request",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    409: "conflict",
    413: "payload too large",
    415: "unsupported media type",
    426: "upgrade required",
    429: "too many requests",
    500: "internal error",
    503: "service unavailable",
}
"""The `error` of a body, by status; `TASK_NOT_COMPLETED` is the one that differs."""

TASK_NOT_COMPLETED: Final = "task not completed"

PRECEDENCE: Final = (
    "no_route",
    "method",
    "rate",
    "credential",
    "role",
    "size",
    "content_type",
    "request",
    "object",
    "owner",
    "password",
    "conflict",
    "unavailable",
)
"""Which error an operation answers: the first of these that applies (contract §1, row `which error`)."""

HANDSHAKE_PRECEDENCE: Final = ("rate", "credential", "origin", "upgrade", "version", "unavailable")
"""The same for `GET /ws/connect`: 429, 401, 403 origin, 400, 426, 503."""


class TokenFault(str):
    """Why a credential was refused; stands in the 401's `message` (contract §2, row `401`)."""

    __slots__ = ()


MISSING: Final = TokenFault("missing")
MALFORMED: Final = TokenFault("malformed")
INVALID: Final = TokenFault("invalid")
EXPIRED: Final = TokenFault("expired")
REVOKED: Final = TokenFault("revoked")
TOKEN_FAULTS: Final = (MISSING, MALFORMED, INVALID, EXPIRED, REVOKED)
