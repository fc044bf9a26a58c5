"""Who may ask what, from the head of a request alone (contract §§1, 2): route, method, credential, origin, upgrade.

Each question gives None or the answer that refuses; the driver asks them in the contract's order, because limits
and revocations may answer later.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import unquote

from reference_server.contract.codes import MALFORMED, MISSING, TokenFault
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, SOCKET_VERSION, SUBPROTOCOL
from reference_server.contract.operations import BASE, OPERATIONS, Operation
from reference_server.core import session_cookie
from reference_server.core.answers import Answer, error
from reference_server.core.calls import Caller, Head, Route

_KEY_BYTES: Final = 16
_PORT_MAX: Final = 65_535
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)
_HOST: Final = re.compile(r"[^\s,/@?#]+")

Network = IPv4Network | IPv6Network
_Segments = tuple[str, ...]


def _segments(path: str) -> _Segments:
    return tuple(path.split("/"))


_LITERAL: Final[dict[_Segments, dict[str, Operation]]] = {}
_PATTERNS: Final[dict[tuple[int, _Segments], tuple[str, dict[str, Operation]]]] = {}
"""By the place of a path's one variable and the segments around it: its name, and the operations by method."""
_PLACES: Final[dict[int, set[int]]] = {}
"""By the number of segments: where a variable may stand. So a path is found without a look at every pattern."""

for _operation in OPERATIONS:
    _parts = _segments(_operation.path)
    _variables = [_index for _index, _part in enumerate(_parts) if _part.startswith("{")]
    if _variables:
        (_place,) = _variables
        _around = (_place, (*_parts[:_place], *_parts[_place + 1 :]))
        _PATTERNS.setdefault(_around, (_parts[_place][1:-1], {}))[1][_operation.method] = _operation
        _PLACES.setdefault(len(_parts), set()).add(_place)
    else:
        _LITERAL.setdefault(_parts, {})[_operation.method] = _operation


def route(head: Head) -> Route | Answer:
    """Find the operation; 404 for an unknown path, 405 with `Allow` for another method."""
    methods, values = _methods(_decoded_segments(head))
    if methods is None:
        return error(404, f"there is nothing at {_shown(head.path)}")
    operation = methods.get(head.method)
    if operation is None:
        allow = ", ".join([*sorted(methods), "OPTIONS"])
        return error(405, f"{_shown(head.method)} is not possible here; possible: {allow}", headers=(("Allow", allow),))
    return Route(operation, values)


def methods_of(path: str) -> tuple[str, ...]:
    """Return the methods that a path has, sorted; none for an unknown one."""
    return tuple(sorted(_methods(_segments(path))[0] or ()))


def _decoded_segments(head: Head) -> _Segments:
    """Split before decoding: an encoded slash is part of its segment, not a separator (RFC 3986 §2.2)."""
    raw_path = head.raw_path
    if not raw_path:
        return _segments(head.path)
    return tuple(unquote(segment) for segment in _segments(raw_path)) if "%" in raw_path else _segments(raw_path)


def _methods(segments: _Segments) -> tuple[dict[str, Operation] | None, dict[str, str]]:
    literal = _LITERAL.get(segments)
    if literal is not None:
        return literal, {}
    for place in _PLACES.get(len(segments), ()):
        found = _PATTERNS.get((place, (*segments[:place], *segments[place + 1 :])))
        if found is not None and segments[place]:
            return found[1], {found[0]: segments[place]}
    return None, {}


def _shown(text: str) -> str:
    """Return text of the asker's as it may stand in a sentence: short, without what can't be shown or encoded."""
    return "".join("\ufffd" if unicodedata.category(one) in ("Cc", "Cs") else one for one in text[:80])


def is_api(path: str) -> bool:
    """Say whether a path lies under the API, where errors are JSON whoever asks."""
    return path == BASE or path.startswith(f"{BASE}/")


def credential(head: Head, *, handshake: bool, origins: "Origins | None" = None) -> str | TokenFault:
    """Return the token as it stands, or why there is none; the first place that has one decides (contract §2).

    A cookie is such a place for the pages of `origins`, if these may use it.
    """
    headers = head.headers
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.strip().partition(" ")
        return token.strip() or MALFORMED if scheme.lower() == "bearer" else MALFORMED
    if handshake:
        offered = offered_subprotocols(headers)
        bearer = next((name for name in offered if name.startswith(BEARER_SUBPROTOCOL_PREFIX)), None)
        if bearer is not None and SUBPROTOCOL in offered:
            return bearer.removeprefix(BEARER_SUBPROTOCOL_PREFIX) or MALFORMED
    if origins is not None and origins.allow_cookie(head):
        return session_cookie.token_in(headers)
    return MISSING


def offered_subprotocols(headers: Mapping[str, str]) -> list[str]:
    """Return the names of Sec-WebSocket-Protocol, in the order offered."""
    return [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",") if name.strip()]


def selected_subprotocol(headers: Mapping[str, str]) -> str | None:
    """Return `zerostate.v1` if it was offered; a token is never echoed (contract §2 where it stands)."""
    return SUBPROTOCOL if SUBPROTOCOL in offered_subprotocols(headers) else None


_WHY: Final = {
    "missing": "missing credential: send Authorization: Bearer <token>",
    "malformed": "malformed credential: send a token of register or login, or an API key",
    "invalid": "invalid credential: a token not signed by this server or without its claims, or no API key of ours",
    "expired": "expired token: log in again",
    "revoked": "revoked credential: log in again, or make a new API key",
}


def unauthorized(fault: str) -> Answer:
    """Return the 401 that says which of the five it is (contract §2, row 401)."""
    return error(401, _WHY[fault], headers=(("WWW-Authenticate", "Bearer"),))


def too_many(retry_after_s: int) -> Answer:
    """Return the 429 of an empty bucket."""
    return error(429, f"too many requests; try again in {retry_after_s} s", retry_after_s=retry_after_s)


def permission_fault(operation: Operation, caller: Caller) -> Answer | None:
    """Return 403 for an operation that the caller's role or kind of credential may not use (contract §§1, 2 roles)."""
    if operation.auth == "admin" and caller.role != "admin":
        return error(403, "this operation needs the role admin")
    if not operation.keys and caller.key_id is not None:
        return error(403, "an API key may not do this; sign in and use the token")
    return None


@dataclass(frozen=True, slots=True)
class Origins:
    """Which pages may talk to us: those named, those of the same origin, and loopback while bound to it.

    `cookies`: the session cookie counts for them (contract §2 where it stands [ext]). `proxies` may say how their
    clients came, http or https, which is part of an origin.
    """

    named: Sequence[str] = ()
    loopback: bool = True
    cookies: bool = False
    proxies: Sequence[Network] = ()

    def allow(self, head: Head) -> bool:
        """Say whether the request's Origin is allowed; a request without one is no page's."""
        return "*" in self.named or self._know(head)

    def allow_cookie(self, head: Head) -> bool:
        """Say whether a cookie counts: a known page of our own site asks, or none; a wildcard vouches for nobody."""
        return self.cookies and self._same_site(head) and self._know(head)

    def _know(self, head: Head) -> bool:
        origin = head.headers.get("origin")
        if origin is None:
            return True
        normal = normal_origin(origin)
        if normal is None:
            return False
        return normal in self.named or normal == self._own(head) or (self.loopback and is_loopback(_split(normal)[1]))

    def _same_site(self, head: Head) -> bool:
        """Believe a browser that tells it, for it knows the public suffixes; else judge more strictly than one.

        Then a site is one scheme and one host, or a host and those below it: `app.x.org` and `api.x.org` are two.
        """
        told, origin = head.headers.get("sec-fetch-site", "none"), head.headers.get("origin")
        if told != "none" or origin is None:
            return told in session_cookie.OURS
        normal, own = normal_origin(origin), self._own(head)
        if normal is None or own is None:
            return False
        (scheme, host), (own_scheme, own_host) = _split(normal), _split(own)
        return scheme == own_scheme and (host == own_host or _is_below(host, own_host) or _is_below(own_host, host))

    def _own(self, head: Head) -> str | None:
        return normal_origin(f"{client_scheme(head, self.proxies)}://{head.headers.get('host', '')}")


def normal_origin(text: str) -> str | None:
    """Return scheme://host[:port], and nothing else, as browsers write it (RFC 6454 §6.2); None if it is no origin."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        return None
    scheme, host, port = found[1].lower(), found[2].lower(), found[3]
    if (port is not None and int(port) > _PORT_MAX) or (host.startswith("[") and _address(host[1:-1]) is None):
        return None
    return f"{scheme}://{host}" if port in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"


def _split(origin: str) -> tuple[str, str]:
    """Return scheme and host of a normal origin."""
    scheme, _, authority = origin.partition("://")
    return scheme, authority.partition("]")[0][1:] if authority.startswith("[") else authority.partition(":")[0]


def _is_below(host: str, parent: str) -> bool:
    """Say whether a name lies in the other's domain; a name of one label, such as `localhost` or `org`, has none."""
    return "." in parent and host.endswith(f".{parent}") and _address(parent) is None


def is_loopback(host: str) -> bool:
    """Say whether a name or an address is this machine's own: `localhost`, 127.0.0.0/8, ::1."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket that serves both families tells IPv4 peers so (RFC 4291 §2.5.5.2).
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped


def origin_fault(origins: Origins, head: Head) -> Answer | None:
    """Return 403 for a handshake from a page that is not allowed (contract §2 origin)."""
    return None if origins.allow(head) else error(403, "handshakes from this origin are not allowed")


def upgrade_fault(head: Head) -> Answer | None:
    """Return 400 for what is no upgrade, 426 for another version (RFC 6455 §4.2, contract §3 ws connect)."""
    headers = head.headers
    if head.version != "1.1" or not _names(headers, "connection", "upgrade") or not is_upgrade(headers):
        return error(400, "this is a WebSocket: send an upgrade over HTTP/1.1")
    if _HOST.fullmatch(headers.get("host", "").strip()) is None:
        return error(400, "the upgrade lacks Host, or has it more than once")
    if headers.get("content-length", "0").strip().strip("0") or "transfer-encoding" in headers:
        return error(400, "an upgrade has no body")
    version = headers.get("sec-websocket-version")
    if version is None or not _is_key(headers.get("sec-websocket-key", "")):
        return error(400, "the upgrade lacks Sec-WebSocket-Version, or a Sec-WebSocket-Key of 16 bytes in base64")
    if version.strip() != SOCKET_VERSION:
        return error(
            426, f"only version {SOCKET_VERSION} is spoken here", headers=(("Sec-WebSocket-Version", SOCKET_VERSION),)
        )
    return None


def is_upgrade(headers: Mapping[str, str]) -> bool:
    """Say whether `websocket` is among the protocols asked for (RFC 9110 §7.8)."""
    return _names(headers, "upgrade", "websocket")


def _names(headers: Mapping[str, str], name: str, token: str) -> bool:
    return token in {one.strip().lower() for one in headers.get(name, "").split(",")}


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text.strip().encode("ascii"), validate=True)) == _KEY_BYTES
    except (binascii.Error, UnicodeEncodeError):
        return False


def client_address(peer: str, headers: Mapping[str, str], proxies: Sequence[Network]) -> str:
    """Return whom a request came from: the last hop of X-Forwarded-For that is no configured proxy (contract §2)."""
    address = peer
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()] if proxies else []
    while hops and _is_proxy(address, proxies):
        address = hops.pop()
    return address


def client_scheme(head: Head, proxies: Sequence[Network]) -> str:
    """Return how the client came, http or https: a configured proxy's X-Forwarded-Proto says it for its clients."""
    forwarded = head.headers.get("x-forwarded-proto", "").strip().lower()
    return forwarded if forwarded in _DEFAULT_PORTS and _is_proxy(head.address, proxies) else head.scheme


def _is_proxy(text: str, proxies: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in proxies)


def content_type_fault(operation: Operation, headers: Mapping[str, str], body: bytes) -> Answer | None:
    """Return 415 for a body that is not declared as JSON; a body that may be left out may be empty (contract §1)."""
    if operation.body is None or (not body and not operation.body_required):
        return None
    coded = content_coding_fault(headers)
    if coded is not None:
        return coded
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return None
    return error(415, "the body must be JSON: send Content-Type: application/json")


def content_coding_fault(headers: Mapping[str, str]) -> Answer | None:
    """Return 415 for a body that is compressed or coded otherwise: none is decoded here (RFC 9110 §15.5.16)."""
    if headers.get("content-encoding", "").strip().lower() in ("", "identity"):
        return None
    return error(
        415, "the body must come as it is: send no Content-Encoding", headers=(("Accept-Encoding", "identity"),)
    )
