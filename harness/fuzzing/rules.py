"""What generated data can't know from the schema, and what Schemathesis can't know of this contract.

A rule mends a *valid* case before it is sent: Schemathesis looks at it again afterwards, and an invalid one stays as it
was drawn. A promise says what the contract does where a general check expects another thing of every API.
"""

import hashlib
import json
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import Struct

from reference_server.contract import limits
from reference_server.contract.codes import TASK_NOT_COMPLETED
from reference_server.contract.messages import SOCKET_VERSION
from reference_server.contract.models import Agent, AgentVersions

Body: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that JSON Schema can't say; `mend` gives the body (or path) as the server takes it."""

    name: str
    reason: str
    mend: Callable[[str, Body], Body]
    """Takes the operation's name and the body."""


def mend_text(_: str, body: Body) -> Body:
    """Take out NUL and numbers that no double holds, wherever they stand."""
    match body:
        case str():
            return body.replace("\0", "")
        case bool():
            return body
        case int() | float():
            return body if is_double(body) else 1
        case dict():
            return {mend_text("", name): mend_text("", value) for name, value in body.items()}
        case list():
            return [mend_text("", one) for one in body]
        case _:
            return body


def is_double(number: float) -> bool:
    """Say whether a double can hold a number."""
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def mend_password(operation: str, body: Body) -> Body:
    """Bring a password of too few or too many bytes to a number of bytes that fits."""
    password = body.get("password") if operation == "register" and isinstance(body, dict) else None
    if not isinstance(password, str):
        return body
    if limits.PASSWORD_BYTES_MIN <= len(password.encode()) <= limits.PASSWORD_BYTES_MAX:
        return body
    return {**body, "password": hashlib.sha256(password.encode()).hexdigest()}


def mend_config(operation: str, body: Body) -> Body:
    """Make JSON text of a `config` that is none."""
    config = body.get("config") if operation == "deploy" and isinstance(body, dict) else None
    if not isinstance(config, str) or _is_json(config):
        return body
    return {**body, "config": json.dumps(config[: limits.CONFIG_BYTES_MAX // 16])}


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return len(text.encode()) <= limits.CONFIG_BYTES_MAX


def _refuse(name: str) -> None:
    raise ValueError(name)


RULES: Final = (
    Rule("text", "NUL and numbers that no double holds are 400 wherever they stand; no schema says so of a whole body",
         mend_text),
    Rule("password", "a password's limits are bytes of UTF-8, and JSON Schema counts code points", mend_password),
    Rule("config", "`config` is JSON in text of at most 16 KiB, and a schema sees only text", mend_config),
)  # fmt: skip
"""In this order, on the body of every valid case."""


HANDSHAKE: Final = "ws_connect"


def mend_handshake(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out `Connection` of a handshake that would succeed."""
    version = next((value for name, value in headers.items() if name.lower() == "sec-websocket-version"), "")
    if str(version).strip() != SOCKET_VERSION:
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() != "connection"}


HANDSHAKE_REASON: Final = (
    "after 101 a connection speaks WebSocket, which no HTTP client reads: handshakes are sent that must be refused"
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was asked and what came, as far as a promise is proved by it; `gone` are the versions deleted so far."""

    status: int
    body: Body
    query: Mapping[str, Any]
    gone: frozenset[str] = frozenset()

    def says(self, name: str, value: str) -> bool:
        """Say whether the answer is an object with this field of this value."""
        return isinstance(self.body, dict) and self.body.get(name) == value

    def shows_only(self, shape: type[Struct]) -> bool:
        """Say whether the answer is of this public shape, and shows nothing besides, however deep."""
        try:
            return bool(msgspec.to_builtins(msgspec.convert(self.body, shape)) == self.body)
        except msgspec.ValidationError:
            return False


@dataclass(frozen=True, slots=True)
class Promise:
    """What the contract promises where a general check expects another thing of every API.

    The check stays on: a failure of that kind is no finding only where the answer itself proves the promise kept.
    """

    check: str
    operations: tuple[str, ...]
    reason: str
    kept: Callable[[Proof], bool]


PROMISES: Final = (
    Promise(
        "negative_data_rejection",
        (HANDSHAKE,),
        "a version that is not spoken here is 426, not 400 (RFC 6455 §4.2.2, contract §3)",
        lambda proof: proof.status == 426,
    ),
    Promise(
        "positive_data_acceptance",
        ("get_task_result",),
        "an unfinished task has no result yet: 400 with `task not completed` (contract §3)",
        lambda proof: proof.status == 400 and proof.says("error", TASK_NOT_COMPLETED),
    ),
    Promise(
        "object_level_authorization",
        ("get_agent",),
        "agents are for every account to see (contract §3); only changes are their owner's",
        lambda proof: proof.status == 200 and proof.shows_only(Agent),
    ),
    Promise(
        "object_level_authorization",
        ("list_versions",),
        "the versions of an agent are for every account to see (contract §3)",
        lambda proof: proof.status == 200 and proof.shows_only(AgentVersions),
    ),
    Promise(
        "use_after_free",
        ("get_task", "get_task_status", "get_task_result"),
        "DELETE cancels a task and takes nothing away: what is read afterwards says `canceled` (contract §3)",
        lambda proof: proof.status == 200 and proof.says("status", "canceled"),
    ),
    Promise(
        "use_after_free",
        ("get_binary",),
        "DELETE takes the version that it names: what is read afterwards is another one (contract §3)",
        lambda proof: proof.status == 200 and proof.query.get("version") not in proof.gone,
    ),
)


@dataclass(frozen=True, slots=True)
class Content:
    """Files of a form's field: how they may begin, and how many bytes they have at least.

    Text, since Schemathesis looks at a mended case again, and takes bytes for no valid value of a schema.
    """

    field: str
    heads: tuple[str, ...]
    bytes_min: int
    reason: str

    def made_of(self, drawn: str) -> str:
        """Return a file of the kind that ends in what was drawn; which of the kinds hangs on it too."""
        head = self.heads[zlib.crc32(drawn.encode()) % len(self.heads)]
        return head.ljust(self.bytes_min, "\0") + drawn


PICTURES: Final = ("GIF87a", "GIF89a", "RIFF\x40\0\0\0WEBPVP8 ")
_FILES: Final = (
    Content("wasm_binary", ("\0asm\x01\0\0\0",), limits.BINARY_BYTES_MIN,
            "a binary is WebAssembly by its content and 1 KiB at least; a schema knows no bytes"),
    Content("avatar", PICTURES, 64, "a picture is JPEG, PNG, GIF or WebP by its content; a schema knows no bytes"),
)  # fmt: skip
CONTENTS: Final = {content.field: content for content in _FILES}
"""By the field of a form: the file of every valid one is made of these."""


@dataclass(frozen=True, slots=True)
class Known:
    """What exists before the run: an avatar, an account with its credentials, agents of the caller's own.

    Nothing is ever deleted of the `kept_agent_id`; `spare_agents` are there to be deleted, each once.
    """

    avatar_id: str
    account_id: str
    credentials: Mapping[str, str]
    agent_id: str
    kept_agent_id: str
    spare_agents: list[str]


@dataclass(frozen=True, slots=True)
class Loan:
    """Operations that every other valid case asks about something that exists, or that suffices."""

    operations: tuple[str, ...]
    reason: str
    path: Callable[[Known], Mapping[str, str] | None] = lambda _: None
    """Parameters of the path, where these are lent; a query that narrows what is there is left out then."""
    body: Callable[[Known], Mapping[str, Any]] = lambda _: MappingProxyType({})
    """Fields of the body."""


BUDGET: Final = 1000.0
"""More than any agent costs."""


def _spare(known: Known) -> Mapping[str, str] | None:
    return {"id": known.spare_agents.pop()} if known.spare_agents else None


LOANS: Final = (
    Loan(
        ("get_avatar",),
        "an avatar's id stands inside a URL, which no link between operations can take apart",
        path=lambda known: {"id": known.avatar_id},
    ),
    Loan(
        ("update_agent", "upload_binary", "put_binary", "delete_binary"),
        "no drawn id is that of an agent of the caller's own, and the agents that are listed are nobody's",
        path=lambda known: {"id": known.agent_id},
    ),
    Loan(
        ("get_binary", "list_versions"),
        "the agents that are listed have no binaries, and those of others lose theirs",
        path=lambda known: {"id": known.kept_agent_id},
    ),
    Loan(("delete_agent",), "only an agent of the caller's own can be deleted, and once", path=_spare),
    Loan(("login",), "no drawn credentials are those of an account", body=lambda known: known.credentials),
    Loan(("ws_send",), "an account's id is told to its owner alone", body=lambda known: {"user_id": known.account_id}),
    Loan(
        ("submit_task",),
        "a budget under every agent's price fails at once, and nothing that waits could be canceled",
        body=lambda _: {"budget": BUDGET},
    ),
)


def loan_to(operation: str, drawn: object) -> Loan | None:
    """Return the loan for a case of an operation: every other one, by what was drawn for it."""
    if zlib.crc32(repr(drawn).encode()) % 2:
        return None
    return next((loan for loan in LOANS if operation in loan.operations), None)
