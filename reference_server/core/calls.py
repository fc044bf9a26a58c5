"""What a shell hands to the core: the head of a request, the caller, and a call that is ready to be decided."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import Struct

from reference_server.contract.models import Role
from reference_server.contract.operations import Operation


@dataclass(frozen=True, slots=True)
class Head:
    """A request before its body; header names in lower case, `path` percent-decoded, `query` as it came.

    `raw_path` is the path as it came, which alone tells a separator from `%2f`; a shell that leaves it empty has a path
    without such. `version` is HTTP's.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    address: str
    raw_path: str = ""
    version: str = "1.1"


@dataclass(frozen=True, slots=True)
class Caller:
    """The account behind a valid token; instants of the token in wall nanoseconds."""

    account_id: str
    role: Role
    jti: str
    issued_at_ns: int
    expires_at_ns: int


@dataclass(frozen=True, slots=True)
class Context:
    """What comes into every decision from outside: the time, ids, chance, and the settings that decisions read."""

    now_ns: int
    new_id: Callable[[], str]
    draw: Callable[[], float]
    token_ttl_s: float
    task_ms: tuple[int, int]
    queue_max: int
    workers: int
    retry_delays_s: tuple[float, ...]
    process: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operation that passed admission: `path` holds the values of `{names}`, body and query are validated.

    `password_hash` comes with register (made off the loop), `password_matches` with login.
    """

    operation: Operation
    caller: Caller | None
    path: Mapping[str, str]
    query: Struct | None = None
    body: Struct | None = None
    password_hash: str | None = None
    password_matches: bool | None = None
