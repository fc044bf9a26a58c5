"""What passes between shells and core: a request's head, its caller, what was admitted, and a call to be decided."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from reference_server.contract.models import Role
from reference_server.contract.operations import Operation


class Head(Struct, frozen=True):
    """A request before its body; header names in lower case, `path` percent-decoded, `query` as it came.

    `raw_path` is the path as it came, which alone tells a separator from `%2f`; a shell that leaves it empty has a path
    without such. `version` is HTTP's. `address` and `scheme` are the connection's own, which may be a proxy's.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    address: str
    raw_path: str = ""
    version: str = "1.1"
    scheme: str = "http"

    @property
    def declared_bytes(self) -> int:
        """What Content-Length says of the body; 0 when it says nothing."""
        declared = self.headers.get("content-length", "")
        return int(declared) if declared.isdecimal() else 0


class Caller(Struct, frozen=True):
    """The account behind a valid token; instants of the token in wall nanoseconds.

    With an API key `key_id` is set, `jti` is the same, and the instants bound nothing.
    """

    account_id: str
    role: Role
    jti: str
    issued_at_ns: int
    expires_at_ns: int
    key_id: str | None = None


class Route(Struct, frozen=True):
    """An operation and the values of the `{names}` in its path."""

    operation: Operation
    path: Mapping[str, str]


class Admitted(Struct, frozen=True):
    """A request that may go on: its body may be read now."""

    route: Route
    head: Head
    caller: Caller | None


class Granted(Struct, frozen=True):
    """A handshake that was accepted: answer 101, register the socket, then let it join as this `connection`."""

    connection: int
    caller: Caller
    subprotocol: str | None


class Upload(Struct, frozen=True):
    """A file of a multipart body that lies in the blob store already; `sha256` in hex, `head` its first bytes."""

    blob: str
    size: int
    sha256: str
    head: bytes


class Comparison(Struct, frozen=True):
    """A password that was held against a hash off the loop: whose hash (empty: nobody's), which, and the outcome.

    The row may have changed while it ran, so an outcome speaks for the account and the hash that it names alone.
    """

    account_id: str
    password_hash: str
    matches: bool

    def proves(self, account_id: str, password_hash: str) -> bool:
        """Say whether the password is that of an account that has this hash now."""
        return self.matches and (self.account_id, self.password_hash) == (account_id, password_hash)


class Form(Struct, frozen=True):
    """A multipart body as it arrived: the values of each text field that the operation knows, in order, and the file.

    `doubled`: the file came more than once, and `upload` is the first.
    """

    fields: Mapping[str, Sequence[bytes]]
    upload: Upload | None = None
    doubled: bool = False


class Context(Struct, frozen=True):
    """What comes into every decision from outside: the time, ids, chance, and the settings that decisions read.

    `new_secret` gives 256 bits as URL-safe text, which no seed fixes outside the simulation.
    """

    now_ns: int
    new_id: Callable[[], str]
    new_secret: Callable[[], str]
    draw: Callable[[], float]
    token_ttl_s: float
    task_ms: tuple[int, int]
    queue_max: int
    workers: int
    retry_delays_s: tuple[float, ...]
    process: str


class Call(Struct, frozen=True):
    """An operation that passed admission: `path` holds the values of `{names}`, body and query are validated.

    `password_hash` comes with register (made off the loop), `comparison` with what needs a password; `upload` with a
    file.
    """

    operation: Operation
    caller: Caller | None
    path: Mapping[str, str]
    query: Struct | None = None
    body: Struct | None = None
    password_hash: str | None = None
    comparison: Comparison | None = None
    upload: Upload | None = None
