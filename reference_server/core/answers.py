"""What a decision gives back: an answer for the asker, and what it publishes once its transaction has committed."""

from typing import Any, Final

from msgspec import UNSET, Struct

from reference_server.contract.codes import ERROR_PHRASES
from reference_server.contract.messages import MessageType
from reference_server.contract.models import ErrorBody, FieldFault
from reference_server.contract.operations.model import JSON

RETRY_AFTER_S: Final = 1
Headers = list[tuple[bytes, bytes]]
"""Header lines as they go out."""


class Everyone(Struct, frozen=True):
    """The audience of all connections."""


class Only(Struct, frozen=True):
    """The audience of one account's connections."""

    account_id: str


Audience = Everyone | Only


class Publish(Struct, frozen=True):
    """A message to put on the bus; `data` is a model of the contract, or a dict that is passed on as given."""

    type: MessageType
    data: Struct | dict[str, Any]
    audience: Audience


class Revoke(Struct, frozen=True):
    """Tokens that died: one (`jti`), or all of an account issued up to `until_ns`; their sockets close with 4401."""

    account_id: str
    jti: str | None = None
    until_ns: int = 0


Outgoing = Publish | Revoke


class BlobBody(Struct, frozen=True):
    """A body that the shell streams out of the blob store; `size` in bytes, where a row tells it."""

    blob: str
    size: int | None = None


class Answer(Struct, frozen=True):
    """An operation's answer; None has no body.

    A Struct or dict is encoded as JSON by the shell, text goes out as UTF-8; `media` is the type of what goes out.
    """

    status: int
    body: Struct | dict[str, Any] | str | BlobBody | None = None
    headers: tuple[tuple[str, str], ...] = ()
    media: str = JSON


class Decision(Struct, frozen=True):
    """The outcome of one decision: the answer, and what leaves after the commit, in this order.

    `claims` are those of a token to sign; the shell puts it into the answer's `token`. `dropped` names the blobs that
    no row points at any more once this has committed; the shell deletes them.
    """

    answer: Answer
    outgoing: tuple[Outgoing, ...] = ()
    claims: dict[str, Any] | None = None
    dropped: tuple[str, ...] = ()


def error(
    status: int,
    message: str,
    *,
    phrase: str | None = None,
    details: list[FieldFault] | None = None,
    retry_after_s: int | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """Return the contract's error answer (§1 errors); `retry_after_s` also sets the Retry-After header."""
    body = ErrorBody(
        error=phrase or ERROR_PHRASES[status],
        message=message,
        details=UNSET if details is None else details,
        retry_after=UNSET if retry_after_s is None else retry_after_s,
    )
    if retry_after_s is not None:
        headers = (*headers, ("Retry-After", str(retry_after_s)))
    return Answer(status, body, headers)


def unavailable(message: str = "the server can't do this now; try again", retry_after_s: int = RETRY_AFTER_S) -> Answer:
    """Return the 503 of a server that ends, is overloaded, or whose store does not answer."""
    return error(503, message, retry_after_s=retry_after_s)


def went_wrong() -> Answer:
    """Return the 500 that says nothing of our code."""
    return error(500, "something went wrong on the server; it was logged")
