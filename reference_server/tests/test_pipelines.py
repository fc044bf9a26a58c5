"""Several requests in one write: each has its own answer, in order, whatever stands behind it (contract §§3, 5)."""

import hashlib
import json
from collections.abc import Iterator

import pytest
from websockets.frames import Frame, Opcode

from reference_server.tests.process import DEADLINE_S, ServerProcess, read_to_end, upgrade_request

GARBAGE = b"\x00\x01garbage\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SUBMIT = json.dumps({"query": "q", "budget": 1}).encode()


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--db", ":memory:", "--limits", "off", "--keep-alive", "1") as running:
        yield running


@pytest.fixture
def token(server: ServerProcess, request: pytest.FixtureRequest) -> str:
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]
    return server.register(f"{name}@example.org")


def submit(token: str, *headers: bytes, body: bytes | None = None) -> bytes:
    lines = [b"POST /api/v1/tasks/submit HTTP/1.1", b"Host: x", b"Content-Type: application/json", *headers]
    if token:
        lines.append(b"Authorization: Bearer " + token.encode())
    if body is None:
        lines.append(b"Content-Length: %d" % len(SUBMIT))
    return b"\r\n".join([*lines, b"", SUBMIT if body is None else body])


def answered(server: ServerProcess, sent: bytes) -> bytes:
    with server.raw() as opened:
        opened.sendall(sent)
        return read_to_end(opened)


def statuses(read: bytes) -> list[int]:
    return [int(part[:3]) for part in read.split(b"HTTP/1.1 ")[1:]]


def tasks(server: ServerProcess, token: str) -> int:
    total: int = server.call("GET", "/tasks", token).json()["total"]
    return total


@pytest.mark.parametrize(
    ("behind", "last"), [(GARBAGE, 400), (upgrade_request("no token"), 401), (b"X: " + b"x" * 70_000, 400)]
)
def test_a_request_carried_out_has_its_own_answer_before_the_refusal_behind_it(
    server: ServerProcess, token: str, behind: bytes, last: int
) -> None:
    read = answered(server, submit(token) + behind)

    assert statuses(read) == [202, last]
    assert tasks(server, token) == 1


def test_a_body_that_breaks_off_in_garbage_is_refused_once_and_not_carried_out(
    server: ServerProcess, token: str
) -> None:
    chunks = b"%x\r\n%s\r\nzz\r\n\r\n" % (len(SUBMIT), SUBMIT)
    read = answered(server, HEALTH + submit(token, b"Transfer-Encoding: chunked", body=chunks))

    assert statuses(read) == [200, 400]
    assert tasks(server, token) == 0


def test_a_request_that_needs_no_body_is_answered_though_its_body_is_garbage(server: ServerProcess) -> None:
    sent = b"GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"

    assert statuses(answered(server, sent)) == [200]


def test_what_is_no_http_varies_with_the_origin(server: ServerProcess) -> None:
    assert b"\r\nvary: Origin\r\n" in answered(server, GARBAGE)


def test_an_upgrade_behind_requests_opens_when_they_are_answered_and_keeps_its_early_frames(
    server: ServerProcess, token: str
) -> None:
    ping = Frame(Opcode.TEXT, b'{"type":"ping"}').serialize(mask=True)
    close = Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True)
    read = answered(server, HEALTH + submit(token) + upgrade_request(token) + ping + close)

    assert statuses(read) == [200, 202, 101]
    assert b'"pong"' in read.partition(b"HTTP/1.1 101")[2]
    assert read.endswith(b"\x88\x02\x03\xe8")


def test_a_trailer_brings_no_credential_and_no_content_type(server: ServerProcess, token: str) -> None:
    def chunked(headers: list[bytes], trailer: bytes) -> bytes:
        head = [b"POST /api/v1/tasks/submit HTTP/1.1", b"Host: x", b"Connection: close", *headers]
        body = b"%x\r\n%s\r\n0\r\n%s\r\n\r\n" % (len(SUBMIT), SUBMIT, trailer)
        return b"\r\n".join([*head, b"Transfer-Encoding: chunked", b"", body])

    bearer, media = b"Authorization: Bearer " + token.encode(), b"Content-Type: application/json"

    assert statuses(answered(server, chunked([media], bearer))) == [401]
    assert statuses(answered(server, chunked([bearer], media))) == [415]
    assert statuses(answered(server, chunked([bearer, media], b"X-Trailer: x"))) == [202]


def test_an_unknown_upgrade_is_served_with_its_body_and_what_is_behind_it(server: ServerProcess, token: str) -> None:
    h2c = (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk")
    read = answered(server, submit(token, *h2c) + HEALTH.replace(b"\r\n\r\n", b"\r\n" + h2c[1]) + b"\r\n\r\n" + LAST)

    assert statuses(read) == [202, 200, 200]
    assert tasks(server, token) == 1


def test_an_unknown_upgrade_may_bring_its_body_later_and_close(server: ServerProcess, token: str) -> None:
    whole = submit(token, b"Connection: close, Upgrade", b"Upgrade: h2c")
    head, body = whole[: -len(SUBMIT)], whole[-len(SUBMIT) :]
    with server.raw() as opened:
        opened.sendall(head)
        assert server.http.get("/health").status_code == 200
        opened.sendall(body)

        assert statuses(read_to_end(opened)) == [202]


@pytest.mark.parametrize(
    ("target", "headers", "status", "allow"),
    [
        (b"/", b"", 405, b"GET, HEAD"),
        (b"/health", b"", 405, b"GET, OPTIONS"),
        (b"/api/v1/users/me", b"", 405, b"GET, PUT, OPTIONS"),
        (b"/api/v1/users/me", b"Content-Length: 5\r\n", 405, b"GET, PUT, OPTIONS"),
        (b"/api/v1/users/me", b"Connection: upgrade\r\nUpgrade: websocket\r\n", 405, b"GET, PUT, OPTIONS"),
        (b"/api/v1/ws/connect", b"", 405, b"GET, OPTIONS"),
        (b"/api/v1/ws/connect", b"Connection: upgrade\r\nUpgrade: websocket\r\n", 405, b"GET, OPTIONS"),
        (b"/nowhere", b"", 404, None),
        (b"example.org:443", b"", 400, None),
    ],
)
def test_a_tunnel_is_refused_and_ends_its_connection_only(
    server: ServerProcess, target: bytes, headers: bytes, status: int, allow: bytes | None
) -> None:
    tunnel = b"CONNECT %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (target, headers)
    with server.raw() as other:
        read = answered(server, HEALTH + tunnel + HEALTH)
        other.sendall(LAST)
        assert statuses(read_to_end(other)) == [200]

    assert statuses(read) == [200, status]
    assert b"\r\nconnection: close" in read.partition(b"HTTP/1.1 %d" % status)[2]
    assert allow is None or b"\r\nallow: %s\r\n" % allow in read


def test_a_long_row_of_unknown_upgrades_is_served_to_its_end(server: ServerProcess) -> None:
    h2c = HEALTH.replace(b"\r\n\r\n", b"\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")

    assert statuses(answered(server, h2c * 300 + LAST)) == [200] * 301


def test_a_peer_that_leaves_its_answers_unread_leaves_no_trace_in_the_log() -> None:
    with ServerProcess("--db", ":memory:", "--limits", "off") as server:
        mine = server.register()
        for _ in range(5):
            with server.raw() as opened:
                opened.sendall((HEALTH + submit(mine)) * 20)
        with server.raw() as opened:
            opened.sendall(submit(mine) * 20 + GARBAGE)
            assert statuses(read_to_end(opened)) == [202] * 20 + [400]
        server.child.terminate()

        assert server.child.wait(DEADLINE_S) == 0
        assert "Traceback" not in server.errors()


@pytest.mark.parametrize("path", ["/login.html", "/config.json", "/login", "/"])
@pytest.mark.parametrize("method", ["POST", "OPTIONS", "DELETE"])
def test_a_page_is_read_only(server: ServerProcess, method: str, path: str) -> None:
    answer = server.http.request(method, path)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["error"] == "method not allowed"
    assert server.http.request(method, f"{path}nowhere").status_code == 404
