"""HTTP against a real process: which error comes first, bodies, limits, pages (contract §§1, 2, 7)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reference_server import contract
from reference_server.app import PAGES
from reference_server.contract import limits
from reference_server.tests.process import PERSON, SYSTEM, ServerProcess, read_to_end

SOURCE = "app.py"
"""Lies beside the pages."""
JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
TOO_LARGE = b" " * (limits.JSON_BODY_BYTES_MAX + 1)


GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess(
        "--db", ":memory:", "--limits", "off", "--keep-alive", "1", "--handshake-timeout", "1"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.register()


@pytest.mark.parametrize(
    ("method", "path", "signed_in", "named", "status"),
    [
        ("PUT", "/nowhere", False, {"content": TOO_LARGE, "headers": TEXT}, 404),
        ("PUT", "/ws/broadcast", False, {"content": TOO_LARGE, "headers": TEXT}, 405),
        ("HEAD", "/users/me", False, {}, 405),
        ("POST", "/ws/broadcast", False, {"content": TOO_LARGE, "headers": TEXT}, 401),
        ("POST", "/ws/broadcast", True, {"content": TOO_LARGE, "headers": TEXT}, 403),
        ("POST", "/tasks/submit", True, {"content": TOO_LARGE, "headers": TEXT}, 413),
        ("POST", "/tasks/submit", True, {"content": iter([TOO_LARGE]), "headers": TEXT}, 413),
        ("POST", "/tasks/submit", True, {"content": b"{", "headers": TEXT}, 415),
        ("POST", "/tasks/submit", True, {"content": b"{}"}, 415),
        ("POST", "/tasks/submit", True, {}, 415),
        ("POST", "/tasks/submit", True, {"json": {"query": "q", "budget": 1}, "headers": GZIP}, 415),
        ("POST", "/tasks/submit", True, {"content": b"{", "headers": JSON}, 400),
        ("POST", "/tasks/submit", True, {"content": b"", "headers": JSON}, 400),
        ("POST", "/tasks/submit", True, {"json": {"query": "q"}}, 400),
        ("GET", "/tasks?limit=0", True, {}, 400),
        ("GET", "/tasks/not-an-id", True, {}, 404),
        ("POST", "/ws/send", True, {"json": {}}, 403),
        ("POST", "/users/login", False, {"json": {"email": "nobody@example.org", "password": "wrong"}}, 401),
        ("POST", "/users/register", False, {"json": {"email": "ann@EXAMPLE.org", **PERSON}}, 409),
    ],
)
def test_the_first_error_that_applies_is_answered(
    server: ServerProcess, token: str, method: str, path: str, signed_in: bool, named: dict[str, Any], status: int
) -> None:
    answer = server.call(method, path, token if signed_in else None, **named)

    assert answer.status_code == status, answer.text
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Content-Type"] == "application/json"
    if method != "HEAD":
        assert {"error", "message"} <= set(answer.json()) <= {"error", "message", "details"}


@pytest.mark.parametrize(
    ("authorization", "fault"),
    [
        (None, "missing"),
        ("Bearer", "malformed"),
        ("Basic YTpi", "malformed"),
        ("Bearer not.a.token", "malformed"),
        ("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "invalid"),
    ],
)
def test_a_401_says_which_it_is(server: ServerProcess, authorization: str | None, fault: str) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = server.call("GET", "/users/me", headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert fault in answer.json()["message"]


def test_the_scheme_may_be_in_any_case(server: ServerProcess, token: str) -> None:
    assert server.call("GET", "/users/me", headers={"Authorization": f"bEaReR {token}"}).status_code == 200


def test_unknown_e_mail_and_wrong_password_get_the_same_answer(server: ServerProcess, token: str) -> None:
    answers = [
        server.call("POST", "/users/login", json={"email": email, "password": "wrong password"})
        for email in ("ann@example.org", "nobody@example.org")
    ]

    assert answers[0].content == answers[1].content


def test_a_publish_that_is_not_valid_names_the_field(server: ServerProcess) -> None:
    admin = server.admin()
    bad = server.call("POST", "/ws/broadcast", admin, json={"type": "system", "data": {"message": 1, "level": "info"}})
    large = {"type": "system", "data": {"message": "x" * limits.SERVER_MESSAGE_BYTES_MAX, "level": "info"}}
    unknown = server.call("POST", "/ws/send", admin, json={"user_id": "nobody", **SYSTEM})

    assert bad.status_code == 400
    assert bad.json()["details"][0]["field"] == "data.message"
    assert server.call("POST", "/ws/broadcast", admin, json=large).status_code == 400
    assert unknown.status_code == 404


def test_recipients_are_exact(server: ServerProcess, token: str) -> None:
    admin, account = server.admin(), server.call("GET", "/users/me", token).json()["id"]
    with server.connect(token), server.connect(token), server.connect(admin):
        sent = server.call("POST", "/ws/send", admin, json={"user_id": account, **SYSTEM})
        broadcast = server.call("POST", "/ws/broadcast", admin, json=SYSTEM)

    assert (sent.json()["recipients"], broadcast.json()["recipients"]) == (2, 3)


def test_what_is_no_http_is_the_contracts_400(server: ServerProcess) -> None:
    with server.raw() as opened:
        opened.sendall(b"HELLO\r\n\r\n")
        head, _, body = read_to_end(opened).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"] == "bad request"
    assert b"uvicorn" not in head.lower()


def test_a_head_that_never_ends_is_refused(server: ServerProcess) -> None:
    with server.raw() as opened:
        opened.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        for _ in range(40):
            opened.sendall(b"X-Long: " + b"x" * 4000 + b"\r\n")

        assert read_to_end(opened).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_connection_that_says_nothing_more_is_ended(server: ServerProcess, sent: bytes) -> None:
    with server.raw() as opened:
        opened.sendall(sent)

        assert read_to_end(opened)[:15] in (b"", b"HTTP/1.1 200 OK")


def test_pipelined_requests_are_answered_in_order(server: ServerProcess) -> None:
    one, two = (b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/health", b"/ready"))
    with server.raw() as opened:
        opened.sendall(one + two)
        read = read_to_end(opened)

    assert read.index(b'"healthy"') < read.index(b'"ready"')


@pytest.mark.parametrize(("origin", "allowed"), [("http://localhost:3000", True), ("https://evil.example", False)])
def test_only_an_allowed_origin_may_read_answers(server: ServerProcess, origin: str, allowed: bool) -> None:
    answers = [
        server.call("GET", "/users/me", headers={"Origin": origin}),
        server.call("OPTIONS", "/users/me", headers={"Origin": origin, "Access-Control-Request-Method": "GET"}),
    ]

    for answer in answers:
        assert ("Access-Control-Allow-Origin" in answer.headers) == allowed
        assert answer.headers["Vary"] == "Origin"
    assert answers[1].status_code == 204


@pytest.mark.parametrize(("origin", "shared"), [(b"http://localhost:3000", True), (b"https://evil.example", False)])
def test_an_allowed_page_may_read_why_its_head_was_refused(server: ServerProcess, origin: bytes, shared: bool) -> None:
    with server.raw() as opened:
        asked = b"GET /api/v1/users/me HTTP/1.1\r\nHost: x\r\nOrigin: %s\r\nAccept: x\r\nBad Name: x\r\n\r\n"
        opened.sendall(asked % origin)
        head = read_to_end(opened).partition(b"\r\n\r\n")[0].lower()

    assert head.startswith(b"http/1.1 400 ")
    assert b"vary: origin" in head
    assert (b"access-control-allow-origin: " + origin in head) == shared


def test_pages_are_served_with_their_policy_and_nothing_else_is(server: ServerProcess) -> None:
    page = server.http.get("/dashboard.html")
    again = server.http.get("/dashboard.html", headers={"If-None-Match": page.headers["ETag"]})

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:")
    assert "unsafe" not in policy
    assert again.status_code == 304
    assert server.http.get("/dashboard").headers["Location"] == "/dashboard.html"
    assert server.http.get("/config.json").json() == {"api": server.url, "ws": server.url.replace("http", "ws")}


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_the_documents_of_the_contract_are_served_to_anybody(server: ServerProcess, name: str) -> None:
    answer = server.http.get(f"/{name}")

    assert answer.content == (Path(contract.__file__).parent / name).read_bytes()
    assert answer.headers["Content-Type"] == "application/json"
    assert server.http.get("/api-docs").headers["Location"] == "/api-docs.html"


@pytest.mark.parametrize(
    "path",
    [
        f"/../{SOURCE}",
        f"/%2e%2e/{SOURCE}",
        "/__init__.py",
        f"/js/../../{SOURCE}",
        "/js//api.js",
        "/js",
        "/.html",
        "/%00",
    ],
)
def test_no_spelling_of_a_path_leaves_the_pages(server: ServerProcess, path: str) -> None:
    assert (PAGES.parent / SOURCE).is_file()
    assert (PAGES / "__init__.py").is_file()
    with server.raw() as opened:
        opened.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())

        assert read_to_end(opened).split(b" ")[1] in (b"404", b"400")


def test_a_browser_gets_a_page_for_what_is_not_there_and_the_api_json(server: ServerProcess) -> None:
    browser = {"Accept": "text/html"}

    assert server.http.get("/nowhere", headers=browser).headers["Content-Type"].startswith("text/html")
    assert server.http.get("/nowhere").headers["Content-Type"] == "application/json"
    assert server.call("GET", "/nowhere", headers=browser).headers["Content-Type"] == "application/json"


def test_over_the_allowance_of_an_address_429_says_when_a_call_succeeds() -> None:
    with ServerProcess("--db", ":memory:") as server:
        token = server.register()
        # The bucket refills while it is emptied, so a slow machine is let more calls pass.
        passed, last = 0, server.call("GET", "/users/me")
        while last.status_code == 401 and passed < 3 * limits.RATE_PER_MINUTE_ADDRESS:
            passed, last = passed + 1, server.call("GET", "/users/me")

        assert passed >= limits.RATE_PER_MINUTE_ADDRESS - 1
        assert last.status_code == 429
        assert last.json()["retry_after"] == int(last.headers["Retry-After"]) >= 1
        assert server.call("GET", "/users/me", token).status_code == 200
        assert server.http.get("/health").status_code == 200
        assert server.call("OPTIONS", "/users/me").status_code == 204


def test_the_allowances_are_set() -> None:
    with ServerProcess("--db", ":memory:", "--address-rate", "3", "--account-rate", "2") as server:
        token = server.register()
        by_account = [server.call("GET", "/users/me", token).status_code for _ in range(3)]
        by_address = [server.call("GET", "/users/me").status_code for _ in range(3)]

    assert (by_account, by_address) == ([200, 200, 429], [401, 401, 429])


@pytest.mark.parametrize(("proxies", "last"), [("192.0.2.1", 429), ("127.0.0.0/8", 401)])
def test_what_a_peer_says_of_its_address_and_scheme_counts_from_configured_proxies_only(
    proxies: str, last: int
) -> None:
    with ServerProcess("--db", ":memory:", "--address-rate", "2", "--proxies", proxies) as server:
        answers = [
            server.call("GET", "/users/me", headers={"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(3)
        ]
        config = server.http.get("/config.json", headers={"X-Forwarded-Proto": "https"}).json()

        assert answers[-1].status_code == last
        assert config["api"].startswith("https://" if last == 401 else "http://")
