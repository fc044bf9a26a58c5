"""Abuse from outside: paths, heads and bodies that no honest client sends (contract §§1, 2, 5 liveness)."""

from typing import Final
from urllib.parse import urlsplit

from harness.checkers.expectations import expect
from harness.conformance.raw_http import exchange
from harness.conformance.stage import Stage
from harness.conformance.suite import Act
from reference_server.contract import limits
from reference_server.contract.operations import BASE, BY_NAME

REFUSED: Final = (400, 403, 404, 405, 408, 411, 413, 414, 431, 501, 505)
"""What may be answered to a head that is none: which of them is HTTP's business, not the contract's."""

SOURCE: Final = "app.py"
"""A file of the reference server that lies beside its pages."""

ME: Final = f"{BASE}/users/me"
WATCHED_S: Final = 4.0
HEADER_BYTES: Final = 200_000

PATHS: Final[tuple[tuple[str, str], ...]] = (
    ("dots", f"{BASE}/../v1/nothing/../users/me/more"),
    ("encoded-dots", f"{BASE}/%2e%2e/%2e%2e/etc/passwd"),
    ("encoded-slash", f"{BASE}/users%2fme"),
    ("doubled-slash", f"{BASE}//users//me"),
    ("slash-behind", f"{ME}/"),
    ("parameter", f"{ME};role=admin"),
    ("null-byte", f"{ME}%00"),
    ("line-break", f"{ME}%0d%0aX-Injected:%20yes"),
    ("not-utf-8", f"{BASE}/users/%ff%fe"),
    ("out-of-the-pages", "/..%2f..%2f..%2fetc%2fpasswd"),
    ("source", f"/%2e%2e/{SOURCE}"),
    ("back-slash", f"/..%5c{SOURCE}"),
)

POST: Final = b"POST {login} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
NOBODY: Final = b'{"email":"zsh-nobody@example.com","password":"long enough 1"}'
"""Who reads it as it stands answers 401, and has not refused its coding."""

HEADS: Final[tuple[tuple[str, bytes], ...]] = (
    ("no-http", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    ("other-version", b"GET /health HTTP/9.9\r\nHost: {host}\r\n\r\n"),
    ("space-before-colon", b"GET /health HTTP/1.1\r\nHost : {host}\r\nA b: c\r\n\r\n"),
    ("null-in-header", b"GET /health HTTP/1.1\r\nHost: {host}\r\nX-A: a\x00b\r\n\r\n"),
    ("endless-header", b"GET /health HTTP/1.1\r\nHost: {host}\r\nX-A: " + b"a" * HEADER_BYTES),
    ("many-headers", b"GET /health HTTP/1.1\r\nHost: {host}\r\n" + b"X-A: b\r\n" * (HEADER_BYTES // 8)),
    ("endless-path", b"GET /" + b"a" * HEADER_BYTES + b" HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    ("two-lengths", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"),
    ("length-and-chunks", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("no-host", b"GET /health HTTP/1.1\r\n\r\n"),
    ("two-hosts", b"GET /health HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n\r\n"),
    ("no-host-name", b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("unknown-coding", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(NOBODY), NOBODY)),
    ("tunnel", b"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    ("tunnel-to-a-path", b"CONNECT {login} HTTP/1.1\r\nHost: {host}\r\n\r\n"),
    ("negative-length", POST + b"Content-Length: -1\r\n\r\n"),
    ("bad-chunk", POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
)


def _filled(head: bytes, url: str) -> bytes:
    """Put the host and a path that takes a body into a head that is written by hand."""
    named = head.replace(b"{host}", urlsplit(url).netloc.encode())
    return named.replace(b"{login}", BY_NAME["login"].path.encode())


async def spellings_of_a_path(stage: Stage) -> None:
    """SEC-PATH-1: 404 or 400, also with a credential that the route would take."""
    for name, path in PATHS:
        head = f"GET {path} HTTP/1.1\r\nHost: {urlsplit(_api(stage)).netloc}\r\nConnection: close\r\n"
        data = f"{head}Authorization: Bearer {stage.user.token}\r\n\r\n".encode()
        row = expect(status=[400, 404], header={"x-injected": None})
        case = f"SEC-PATH-1/{name}"
        await exchange(stage.recorder, _api(stage), stage.target.endpoint.tls, data, case=case, expect=row, path=path)


async def heads_that_are_none(stage: Stage) -> None:
    """SEC-HEAD-1: refused, and the next who asks is answered."""
    tls = stage.target.endpoint.tls
    for name, head in HEADS:
        data, row = _filled(head, _api(stage)), expect(status=REFUSED)
        await exchange(stage.recorder, _api(stage), tls, data, case=f"SEC-HEAD-1/{name}", expect=row)
    await stage.ask(None, "health", "SEC-HEAD-1/serves-on", status=[200])


async def an_idle_connection(stage: Stage) -> None:
    """LIVE-IDLE-1: one request, one answer, and nothing more."""
    head = f"GET /health HTTP/1.1\r\nHost: {urlsplit(_api(stage)).netloc}\r\nConnection: keep-alive\r\n\r\n"
    await _watched(stage, head.encode(), "idle", limits.KEEP_ALIVE_IDLE_S)


async def half_a_body(stage: Stage) -> None:
    """LIVE-BODY-1: fewer bytes than were announced, and nothing more."""
    head = (
        f"POST {BY_NAME['submit_task'].path} HTTP/1.1\r\nHost: {urlsplit(_api(stage)).netloc}\r\n"
        f"Authorization: Bearer {stage.user.token}\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n"
    )
    await _watched(stage, head.encode() + b'{"query":"zsh half', "half-body", limits.BODY_STALL_S)


async def _watched(stage: Stage, data: bytes, told: str, ends_s: float) -> None:
    endpoint = stage.target.endpoint
    socket = stage.raw_socket()
    await socket.unfinished(type(endpoint)(_api(stage), tls=endpoint.tls), data, told)
    await socket.wait_tcp_end(ends_s + WATCHED_S)
    await socket.leave()


def _api(stage: Stage) -> str:
    return stage.target.profile.api


ACTS: Final = (
    Act(("SEC-PATH-1",), spellings_of_a_path, socket=True, seconds_max=60.0),
    Act(("SEC-HEAD-1",), heads_that_are_none, socket=True, seconds_max=60.0),
    Act(("LIVE-IDLE-1",), an_idle_connection, socket=True, slow=True, seconds_max=limits.KEEP_ALIVE_IDLE_S + 20.0),
    Act(("LIVE-BODY-1",), half_a_body, socket=True, slow=True, seconds_max=limits.BODY_STALL_S + 20.0),
)
