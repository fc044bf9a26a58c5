"""How a foreign target differs: a URL, or a TOML file with the fields of contract §10.

A profile is read whole before anything is touched: a key that is not understood, a grant that there is none of or a
value of the wrong kind is refused in words. What a target that is not on loopback allows is little unless it says more.

Of the fields that contract §10 names these can't be given yet, and a profile that has one is refused: names and close
codes that differ (a close code of the project's own choice is judged by its effect anyway), ping period and caps, the
clock's source (a loopback target shares our clock, another one does not).
"""

import difflib
import ipaddress
import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from harness.targets.base import Capabilities
from reference_server.contract.clauses import CLAUSES_BY_ID
from reference_server.contract.clauses.model import Grant, Need, Part
from reference_server.contract.messages import SOCKET_PATH

GRANTS: Final[frozenset[str]] = frozenset(get_args(Grant))
NEEDS: Final[frozenset[str]] = frozenset(get_args(Need))
PARTS: Final[frozenset[str]] = frozenset(get_args(Part))
UNBUILT: Final[frozenset[str]] = frozenset(
    {
        "split", "bus", "landing-page", "agents-page", "tasks-page", "analytics-page", "settings-page",
        "keys-page", "agent-page", "load-steps",
    }
)  # fmt: skip
"""Parts that the reference server does not have and no check judges yet: their clauses are unsupported, in these words.

It may only shrink: whoever builds a part takes it out, and tests then ask for what exercises and judges its clauses.
"""

BUILT: Final = PARTS - UNBUILT
CONNECTIONS_DEFAULT: Final = 8
CONNECTIONS_LOOPBACK: Final = 1000
LOOPBACK_GRANTS: Final = GRANTS - {"faults"}
AWAY_GRANTS: Final = frozenset({"tasks", "connections"})
AUTH: Final = re.compile(r"header|subprotocol|cookie|none|query:[A-Za-z0-9_.-]+")
ENVIRONMENT_PREFIX: Final = "env:"


class Credentials(Struct, frozen=True, forbid_unknown_fields=True):
    """An account to use; `password` may be `env:NAME`, so that a profile can be shared."""

    email: str
    password: str


class Known(Struct, frozen=True, forbid_unknown_fields=True):
    """An accepted violation: reported, but not in the exit code before `until`."""

    clause: str
    reason: str
    until: date


class Profile(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one target differs; `api` is the base under which /api/v1 and /health stand."""

    api: str
    name: str = ""
    socket: str = ""
    pages: str = ""
    ca: str = ""
    auth: str = "subprotocol"
    admin: Credentials | None = None
    accounts: tuple[Credentials, ...] = ()
    rate_limit: float | None = None
    lacks: tuple[str, ...] = ()
    has: tuple[str, ...] = ()
    allow: tuple[str, ...] | None = None
    known: tuple[Known, ...] = ()

    @property
    def loopback(self) -> bool:
        """Whether the target is on this machine."""
        return is_loopback(self.api)

    @property
    def socket_url(self) -> str:
        """Where the socket is: as given, else on the API's origin."""
        return self.socket or re.sub(r"^http", "ws", self.api.rstrip("/"), count=1) + SOCKET_PATH

    @property
    def pages_url(self) -> str:
        """Where the pages are: as given, else beside the API."""
        return (self.pages or self.api).rstrip("/")

    def capabilities(self) -> Capabilities:
        """Return what this target has and allows (contract §10)."""
        given = self.allow
        grants = {word.partition(":")[0] for word in given} if given is not None else set(self._grants_default)
        needs = (set(self.has) | ({"admin"} if self.admin else set()) | self._needs_default) - set(self.lacks)
        return Capabilities(frozenset(needs), frozenset(grants - set(self.lacks)), self._connections_max)

    @property
    def _grants_default(self) -> frozenset[str]:
        return LOOPBACK_GRANTS if self.loopback else AWAY_GRANTS

    @property
    def _needs_default(self) -> set[str]:
        return {"browser", *BUILT, *(["clock"] if self.loopback else [])}

    @property
    def _connections_max(self) -> int:
        for word in self.allow or ():
            name, _, number = word.partition(":")
            if name == "connections" and number:
                return int(number)
        return CONNECTIONS_LOOPBACK if self.loopback else CONNECTIONS_DEFAULT


OWN: Final = Capabilities(NEEDS | BUILT, GRANTS)
"""A server of our own: it has and allows everything but what is not built."""


class ProfileError(ValueError):
    """A profile or URL that can't be used; the sentence says where and what to do."""


FIELDS: Final = tuple(field.name for field in msgspec.structs.fields(Profile))
FIELD_HELP: Final[dict[str, str]] = {
    "api": "base URL under which /api/v1 and /health stand (the one field that must be there)",
    "name": "what reports call the target; the API's host when left out",
    "socket": "URL of the socket; the API's origin and /api/v1/ws/connect when left out",
    "pages": "base URL of the pages; the API's when left out",
    "ca": "file with the roots to trust besides the system's",
    "auth": "how the socket takes its token: header, subprotocol, cookie, query:NAME or none; with none, "
    "`--only rfc6455` signs nobody in and asks for no /health",
    "admin": "{email, password} of an account that may broadcast; a password may be env:NAME",
    "accounts": "[{email, password}, …] to log in with where `allow` does not let the harness register accounts",
    "rate_limit": "calls a second that the harness keeps to; 429 is honoured always",
    "lacks": f"needs, grants and parts that this target does not have; parts: {', '.join(sorted(PARTS))}",
    "has": "needs that it has beyond those seen from outside: steer, exclusive, clock",
    "allow": f"what may be done there: {', '.join(sorted(GRANTS))}; connections:N says how many",
    "known": "[{clause, reason, until}, …] accepted violations",
}
EXAMPLE: Final = """\
api = "https://staging.example.org"
auth = "query:token"
allow = ["tasks", "accounts", "connections:50"]
lacks = ["steer", "deployments"]
rate_limit = 20
admin = {email = "admin@example.org", password = "env:STAGING_ADMIN_PASSWORD"}
known = [{clause = "LIVE-PING-1", reason = "pings each minute, ticket 7", until = 2030-01-01}]
"""
"""A profile as a file, for whoever writes a first one."""


def read_target(given: str) -> Profile:
    """Return the profile of a URL or of a TOML file; raises ProfileError with one sentence."""
    if "://" in given:
        return checked(Profile(api=given.rstrip("/")), given)
    path = Path(given)
    if not path.is_file():
        raise ProfileError(f"target {given!r} is neither a URL nor a file; give http://… or a profile.toml")
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ProfileError(f"profile {given}: no TOML: {fault}") from fault
    return read_profile(fields, given)


def read_profile(fields: dict[str, Any], origin: str) -> Profile:
    """Return the profile that a table of fields describes; raises ProfileError with one sentence."""
    for key in fields:
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"expected {', '.join(FIELDS)}"
            raise ProfileError(f"profile {origin}: the key {key!r} is not understood; {advice}")
    try:
        profile = msgspec.convert(fields, Profile, strict=True)
    except msgspec.ValidationError as fault:
        raise ProfileError(f"profile {origin}: {fault}") from fault
    return checked(profile, origin)


def checked(profile: Profile, origin: str) -> Profile:
    """Return the profile if its values can be used; raises ProfileError naming the first that can't."""
    _check_url(profile.api, ("http", "https"), "api", origin)
    if profile.socket:
        _check_url(profile.socket, ("ws", "wss"), "socket", origin)
    if profile.pages:
        _check_url(profile.pages, ("http", "https"), "pages", origin)
    if not AUTH.fullmatch(profile.auth):
        told = "expected header, subprotocol, cookie, query:NAME or none"
        raise ProfileError(f"profile {origin}: auth {profile.auth!r} is not understood; {told}")
    if profile.ca and not Path(profile.ca).is_file():
        raise ProfileError(f"profile {origin}: ca {profile.ca!r} is no file; give a PEM file")
    if profile.rate_limit is not None and profile.rate_limit <= 0:
        raise ProfileError(f"profile {origin}: rate_limit {profile.rate_limit} must be over 0 calls a second")
    _check_words(profile, origin)
    return profile


def _check_words(profile: Profile, origin: str) -> None:
    for word in profile.allow or ():
        name, colon, number = word.partition(":")
        numbered = bool(colon) and name == "connections" and number.isdigit() and int(number) > 0
        if name not in GRANTS or (colon and not numbered):
            raise ProfileError(f"profile {origin}: allow {word!r} is no grant; expected {', '.join(sorted(GRANTS))}")
    for field, words, known in (
        ("lacks", profile.lacks, NEEDS | GRANTS | PARTS),
        ("has", profile.has, NEEDS | PARTS),
    ):
        for word in words:
            if word not in known:
                raise ProfileError(
                    f"profile {origin}: {field} {word!r} is unknown; expected {', '.join(sorted(known))}"
                )
    for entry in profile.known:
        if entry.clause not in CLAUSES_BY_ID:
            told = f"known clause {entry.clause!r} does not exist; `harness list clauses` shows them"
            raise ProfileError(f"profile {origin}: {told}")


def _check_url(url: str, schemes: tuple[str, ...], field: str, origin: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise ProfileError(f"target {origin}: {field} {url!r} is no URL: {fault}; give a port of 1 to 65535") from fault
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ProfileError(f"target {origin}: {field} {url!r} is no URL; expected {' or '.join(schemes)}://host")
    if parts.username or parts.password or parts.query:
        raise ProfileError(f"target {origin}: {field} must not carry credentials or a query; use accounts and auth")


def is_loopback(url: str) -> bool:
    """Say whether a URL's host is this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def password_of(credentials: Credentials) -> str:
    """Return the password, read from the environment where the profile says so; raises ProfileError."""
    if not credentials.password.startswith(ENVIRONMENT_PREFIX):
        return credentials.password
    name = credentials.password.removeprefix(ENVIRONMENT_PREFIX)
    found = os.environ.get(name)
    if found is None:
        raise ProfileError(f"the password of {credentials.email} stands in ${name}, which is not set; export it")
    return found


NOBODY: Final = "may register nobody and is lent nobody: add accounts to the profile, or allow accounts"
