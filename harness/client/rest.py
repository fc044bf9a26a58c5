"""The REST half of our client: operations of the contract by name, recorded as invoke and ok, fail or info.

It decides nothing and owns no loop: a `Transport` carries the bytes, at T0 through the simulation, elsewhere through
httpx. A bad answer is never an exception here, it is what gets recorded. Secrets are masked before anything is
recorded: passwords and tokens sent, tokens and API keys received.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from harness.client.forms import FORM_TYPE, Form
from harness.history import Recorder
from harness.targets.base import Answered, Person
from reference_server.contract.operations import BY_NAME

SECRET_FIELDS: Final = frozenset({"password", "token", "key"})
KEY_PREFIXES: Final = ("zs_live_", "zs_test_")
SECRET_CHARS_MIN: Final = 8
"""Shorter values are blanked where they stand but not sought elsewhere: masking `a` would blank the record."""

COOKIE_CHARS_MIN: Final = 16
TEXT_CHARS_MAX: Final = 32_000
TEXT_TYPES: Final = ("text/", "application/json")
DEPTH_MAX: Final = 200
JSON_TYPE: Final = "application/json"

Headers = Sequence[tuple[str, str]]


class RawAnswer(Struct, frozen=True):
    """What came back; header names are lower-case, values of doubled names joined by a comma."""

    status: int
    headers: dict[str, str]
    body: bytes


class NoAnswerError(Exception):
    """No answer came: the connection was refused, lost, or the deadline passed; whether it was done is unknown."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Transport(Protocol):
    """Carries one request and its answer; pacing, deadlines and TLS are its own."""

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        """Return the answer; raises NoAnswerError, and nothing else, when none comes."""


class Request(Struct, frozen=True, kw_only=True):
    """A request as it goes out; `operation` is the contract's name or empty for what is none of its operations."""

    method: str
    path: str
    operation: str = ""
    query: dict[str, str] = {}
    headers: tuple[tuple[str, str], ...] = ()
    content: bytes | None = None
    shown: Any = None

    @property
    def path_and_query(self) -> str:
        """What stands in the request line."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Return the header that carries a credential (contract §2, where it stands)."""
    return (("Authorization", f"Bearer {token}"),)


def request_for(
    operation: str,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Any = None,
    form: Form | None = None,
    headers: Sequence[tuple[str, str]] = (),
) -> Request:
    """Build the request of an operation, with a JSON `body` or a `form`; raises KeyError for an unknown name."""
    row = BY_NAME[operation]
    filled = row.path
    for name, value in (path or {}).items():
        filled = filled.replace("{" + name + "}", quote(value, safe=""))
    content = form.encoded() if form is not None else None if body is None else msgspec.json.encode(body)
    kind = FORM_TYPE if form is not None else JSON_TYPE
    typed = (("Content-Type", kind),) if content is not None else ()
    return Request(
        operation=operation,
        method=row.method,
        path=filled,
        query={name: str(value) for name, value in (query or {}).items()},
        headers=(*typed, *headers),
        content=content,
        shown=form.shown() if form is not None else body,
    )


class RestClient:
    """Sends requests over a transport and records each as invoke, then ok, fail or info."""

    def __init__(self, transport: Transport, recorder: Recorder) -> None:
        self.transport = transport
        self.recorder = recorder

    async def send(
        self,
        request: Request,
        *,
        account: str | None = None,
        case: str | None = None,
        expect: dict[str, Any] | None = None,
        session: str | None = None,
    ) -> Answered:
        """Send one request; `Answered.status` is 0 when no answer came. Never raises on what comes back.

        `expect` is what a conformance row expects of the answer (`harness.checkers.expectations.expect`); `session`
        labels the credential, as sockets made with it do.
        """
        op = self.recorder.next_op()
        self._mask_request(request)
        told = _invoked(request)
        told.update({name: value for name, value in (("expect", expect), ("session", session)) if value is not None})
        started = self.recorder.record("invoke", op=op, account=account, case=case, **told)
        try:
            raw = await self.transport.send(request.method, request.path_and_query, request.headers, request.content)
        except NoAnswerError as fault:
            self.recorder.record("info", op=op, account=account, case=case, why=fault.why)
            return Answered(0)
        return self._answered(raw, op, started.at_ns, account, case)

    def _answered(self, raw: RawAnswer, op: int, started_ns: int, account: str | None, case: str | None) -> Answered:
        body, told = _parsed(raw)
        for secret in (*_secrets_in(body), *_cookies_in(raw.headers.get("set-cookie", ""))):
            self.recorder.mask(secret)
        self.recorder.record(
            "ok" if 200 <= raw.status < 300 else "fail",
            op=op,
            account=account,
            case=case,
            status=raw.status,
            headers=raw.headers,
            ms=round((self.recorder.now_ns() - started_ns) / 1e6, 3),
            **told,
        )
        return Answered(raw.status, body, raw.headers)

    def _mask_request(self, request: Request) -> None:
        for secret in _secrets_in(request.shown):
            self.recorder.mask(secret)
        for name, value in request.headers:
            if name.lower() == "authorization" and len(value.rpartition(" ")[2]) >= SECRET_CHARS_MIN:
                self.recorder.mask(value.rpartition(" ")[2])
            if name.lower() == "cookie":
                for secret in _cookies_in(value):
                    self.recorder.mask(secret)


class RecordedSession:
    """A signed-in person: operations by name, in their name (`harness.targets.base.Session`).

    `prefix` is set before the query of every task and the name of every agent, so that a foreign target's owner sees
    whose it was (§10); `label` names the credential in the history, so that a logout can be told from another's.
    """

    def __init__(self, client: RestClient, person: Person, account_id: str, token: str, role: str = "user") -> None:
        self.client = client
        self.person = person
        self.account_id = account_id
        self.token = token
        self.role = role
        self.prefix = ""
        self.label = ""

    async def call(
        self,
        operation: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        form: Form | None = None,
        case: str | None = None,
        expect: dict[str, Any] | None = None,
    ) -> Answered:
        """Invoke an operation of the contract by its name; a bad answer is an answer."""
        if operation == "submit_task" and self.prefix and isinstance(body, dict) and "query" in body:
            body = {**body, "query": f"{self.prefix} {body['query']}"}
        if operation == "register_agent" and self.prefix and form is not None:
            form = form.prefixed("name", self.prefix)
        request = request_for(operation, path=path, query=query, body=body, form=form, headers=bearer(self.token))
        return await self.client.send(
            request, account=self.account_id, case=case, expect=expect, session=self.label or None
        )


class SignInError(Exception):
    """Somebody could not be signed in, so that nothing can be done in their name."""

    def __init__(self, person: str, operation: str, answer: Answered) -> None:
        super().__init__(person, operation, answer)
        self.person = person
        self.operation = operation
        self.answer = answer

    def __str__(self) -> str:
        told = "no answer came" if not self.answer.status else f"the answer was {self.answer.status}"
        if isinstance(self.answer.body, dict) and "message" in self.answer.body:
            told += f" ({self.answer.body['message']})"
        return f"could not {self.operation} {self.person!r}: {told}, expected a token and a user"


async def sign_up(client: RestClient, person: Person, *, case: str | None = None) -> RecordedSession:
    """Register the person; raises SignInError. Records who they are as `person`."""
    body = {"email": person.email, "password": person.password, "full_name": person.full_name}
    return await _session(client, person, "register", body, case)


async def sign_in(client: RestClient, person: Person, *, case: str | None = None) -> RecordedSession:
    """Log the person in: a token of its own; raises SignInError. Records who they are as `person`."""
    return await _session(client, person, "login", {"email": person.email, "password": person.password}, case)


async def _session(
    client: RestClient, person: Person, operation: str, body: dict[str, str], case: str | None
) -> RecordedSession:
    answer = await client.send(request_for(operation, body=body), case=case)
    given = session_of(answer)
    if given is None:
        raise SignInError(person.name, operation, answer)
    account_id, token = given
    # The contract's token says the role, but a foreign one may be opaque: `me` is what every target answers.
    me = await client.send(request_for("me", headers=bearer(token)), account=account_id, case=case)
    role = me.body.get("role", "user") if isinstance(me.body, dict) else "user"
    client.recorder.record("person", account=account_id, name=person.name, account_id=account_id, role=role)
    return RecordedSession(client, person, account_id, token, str(role))


def session_of(answer: Answered) -> tuple[str, str] | None:
    """Return account id and token of a register or login answer; None when it gives none."""
    match answer.body:
        case {"token": str(token), "user": {"id": str(account_id)}} if 200 <= answer.status < 300:
            # What can't stand in a header is no token, whatever a target calls it.
            return (account_id, token) if token.isascii() and token.isprintable() else None
        case _:
            return None


def _invoked(request: Request) -> dict[str, Any]:
    told: dict[str, Any] = {"operation": request.operation, "method": request.method, "path": request.path}
    if request.query:
        told["query"] = request.query
    if request.shown is not None:
        told["body"] = blanked(request.shown)
    if request.headers:
        told["headers"] = [name for name, _ in request.headers]
    return told


def blanked(value: Any) -> Any:
    """Return `value` with what stands under a secret's name replaced, however short it is."""
    match value:
        case dict():
            return {
                name: _blank(item) if name in SECRET_FIELDS and isinstance(item, str) else blanked(item)
                for name, item in value.items()
            }
        case list() | tuple():
            return [blanked(item) for item in value]
        case _:
            return value


def _blank(secret: str) -> str:
    """Return what stands for a secret; of an API key its kind may be known."""
    kind = next((prefix for prefix in KEY_PREFIXES if secret.startswith(prefix)), "")
    return f"{kind}***"


def _secrets_in(value: Any) -> list[str]:
    match value:
        case dict():
            own = [item for name, item in value.items() if name in SECRET_FIELDS and isinstance(item, str)]
            return [s for s in own if len(s) >= SECRET_CHARS_MIN] + [
                secret for item in value.values() for secret in _secrets_in(item)
            ]
        case list() | tuple():
            return [secret for item in value for secret in _secrets_in(item)]
        case _:
            return []


def _cookies_in(header: str) -> list[str]:
    """Return the values in a Cookie or Set-Cookie header that could be a session; attributes are too short for one."""
    values = (part.partition("=")[2].strip() for part in re.split("[;,]", header))
    return [value for value in values if len(value) >= COOKIE_CHARS_MIN]


def _parsed(raw: RawAnswer) -> tuple[Any, dict[str, Any]]:
    """Return the parsed body, and what is recorded of it: `body`, or `text` where it is no JSON.

    `escaped` says that a character was written as a \\u escape that JSON does not need (§1 JSON). Of what is neither
    JSON nor text only size and digest are told.
    """
    if not raw.body:
        return None, {}
    try:
        body = read_json(raw.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        told: dict[str, Any] = {"bytes": len(raw.body), "sha256": hashlib.sha256(raw.body).hexdigest()}
        if raw.headers.get("content-type", "text/").startswith(TEXT_TYPES):
            told["text"] = raw.body[:TEXT_CHARS_MAX].decode("utf-8", "replace")
        return None, told
    return body, {"body": blanked(body), "bytes": len(raw.body), "escaped": _escapes_needlessly(raw.body)}


def read_json(text: bytes) -> Any:
    """Return what a target sent; raises msgspec.DecodeError or UnicodeDecodeError for what is no JSON, or too deep."""
    try:
        value = msgspec.json.decode(text)
    except RecursionError as fault:
        raise msgspec.DecodeError("nested too deeply to be read") from fault
    if _too_deep(value):
        raise msgspec.DecodeError(f"nested over {DEPTH_MAX} levels")
    return value


def _too_deep(value: Any) -> bool:
    """Say whether JSON is nested beyond what any answer of the contract is: what reads it later recurses."""
    level = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _escapes_needlessly(body: bytes) -> bool:
    """Say whether a \\u escape stands for anything but a control character."""
    escaped = (part[:4] for part in body.replace(b"\\\\", b"").split(b"\\u")[1:])
    return any(int(digits, 16) >= 0x20 and digits.lower() != b"007f" for digits in escaped)
