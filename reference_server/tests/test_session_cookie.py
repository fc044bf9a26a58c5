"""The session cookie [ext]: what it looks like, and for whose pages it counts (contract §2 where it stands)."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reference_server.core import admission
from reference_server.core.admission import Origins
from reference_server.core.calls import Head
from reference_server.http.responses import sharing_headers
from reference_server.tests.certificates import made_certificate
from reference_server.tests.process import PERSON, ServerProcess, upgrade_request

HOST = {"host": "zerostate.example"}
SHOP = "https://shop.example"
NAMED = (
    SHOP,
    "http://zerostate.example",
    "https://zerostate.example:8443",
    "https://pages.zerostate.example",
    "https://example",
)
COOKIE = {"cookie": "theme=dark; zerostate_session=abc; x"}
ME = "/api/v1/users/me"


def asked(headers: dict[str, str]) -> Head:
    return Head("GET", ME, "", HOST | headers, "192.0.2.1", scheme="https")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "missing"),
        (COOKIE, "abc"),
        ({"cookie": "zerostate_session=abc"}, "abc"),
        ({"cookie": "zerostate_session="}, "malformed"),
        ({"cookie": "zerostate_session=abc; zerostate_session=planted"}, "malformed"),
        ({"cookie": "not_zerostate_session=abc"}, "missing"),
        (COOKIE | {"authorization": "Bearer other"}, "other"),
        (COOKIE | {"authorization": "Basic x"}, "malformed"),
        (COOKIE | {"origin": "https://zerostate.example"}, "abc"),
        (COOKIE | {"origin": "http://zerostate.example"}, "missing"),
        (COOKIE | {"origin": "https://zerostate.example:8443"}, "abc"),
        (COOKIE | {"origin": "https://pages.zerostate.example"}, "abc"),
        (COOKIE | {"origin": "https://example"}, "missing"),
        (COOKIE | {"origin": SHOP}, "missing"),
        (COOKIE | {"origin": SHOP, "sec-fetch-site": "none"}, "missing"),
        (COOKIE | {"origin": SHOP, "sec-fetch-site": "same-site"}, "abc"),
        (COOKIE | {"sec-fetch-site": "same-origin"}, "abc"),
        (COOKIE | {"sec-fetch-site": "none"}, "abc"),
        (COOKIE | {"sec-fetch-site": "cross-site"}, "missing"),
        (COOKIE | {"origin": SHOP, "sec-fetch-site": "cross-site"}, "missing"),
        (COOKIE | {"origin": "https://evil.example"}, "missing"),
        (COOKIE | {"origin": "null"}, "missing"),
    ],
)
@pytest.mark.parametrize("handshake", [False, True])
def test_the_cookie_counts_last_and_for_known_pages_of_the_same_site_only(
    headers: dict[str, str], expected: str, handshake: bool
) -> None:
    origins = Origins(NAMED, loopback=False, cookies=True)

    assert admission.credential(asked(headers), handshake=handshake, origins=origins) == expected


@pytest.mark.parametrize(
    ("host", "origin", "counts"),
    [
        ("127.0.0.1:8000", "http://127.0.0.1:3000", True),
        ("127.0.0.1:8000", "http://localhost:1", False),
        ("localhost:8000", "http://127.0.0.1:1", False),
        ("localhost:8000", "http://a.localhost", False),
        ("x.org", "http://app.x.org", True),
        ("app.x.org", "http://x.org", True),
        ("api.x.org", "http://app.x.org", False),
        ("x.org", "http://notx.org", False),
        ("x.org", "http://org", False),
    ],
)
def test_two_hosts_are_one_site_if_one_lies_below_the_other(host: str, origin: str, counts: bool) -> None:
    origins = Origins((origin,), loopback=True, cookies=True)
    head = Head("GET", ME, "", COOKIE | {"host": host, "origin": origin}, "192.0.2.1")

    assert origins.allow(head)
    assert origins.allow_cookie(head) == counts


def test_a_subprotocol_comes_before_the_cookie() -> None:
    head = asked(COOKIE | {"sec-websocket-protocol": "zerostate.v1, bearer.other"})

    assert admission.credential(head, handshake=True, origins=Origins(cookies=True)) == "other"
    assert admission.credential(head, handshake=False, origins=Origins(cookies=True)) == "abc"


def test_a_wildcard_vouches_for_no_page() -> None:
    origins = Origins(("*",), loopback=False, cookies=True)
    head = asked(COOKIE | {"origin": "https://evil.zerostate.example"})

    assert origins.allow(head)
    assert b"access-control-allow-credentials" not in dict(sharing_headers(origins, head))
    assert admission.credential(head, handshake=True, origins=origins) == "missing"


def test_without_the_setting_no_cookie_counts() -> None:
    for origins in (None, Origins()):
        assert admission.credential(asked(COOKIE), handshake=True, origins=origins) == "missing"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess(
        "--db", ":memory:", "--limits", "off", "--session-cookie", "on", "--proxies", "127.0.0.1"
    ) as running:
        yield running


def signed_in(server: ServerProcess, email: str, **headers: str) -> tuple[httpx.Response, str]:
    """Return the answer of register and the token, with nothing left in the client's own jar."""
    answer = server.call("POST", "/users/register", json={"email": email, **PERSON}, headers=headers)
    server.http.cookies.clear()
    assert answer.status_code == 201
    return answer, answer.json()["token"]


def cookie_of(answer: httpx.Response) -> list[str]:
    return answer.headers["Set-Cookie"].split("; ")


def test_signing_in_sets_the_cookie_and_logging_out_clears_it(server: ServerProcess) -> None:
    made, token = signed_in(server, "ann@example.org")
    attributes = ["Path=/", "HttpOnly", "SameSite=Strict"]
    assert cookie_of(made) == [f"zerostate_session={token}", f"Max-Age={24 * 3600}", *attributes]

    login = server.call("POST", "/users/login", json={"email": "ann@example.org", "password": PERSON["password"]})
    server.http.cookies.clear()
    assert cookie_of(login)[0] == f"zerostate_session={login.json()['token']}"

    ours = {"Cookie": f"zerostate_session={token}"}
    assert server.call("GET", "/users/me", headers=ours).status_code == 200
    out = server.call("POST", "/users/logout", headers=ours)
    assert cookie_of(out) == ["zerostate_session=", "Max-Age=0", *attributes]
    assert "revoked" in server.call("GET", "/users/me", headers=ours).json()["message"]


def test_behind_a_proxy_with_tls_the_cookie_is_secure(server: ServerProcess) -> None:
    made, _ = signed_in(server, "bob@example.org", **{"X-Forwarded-Proto": "https"})

    assert cookie_of(made)[-1] == "Secure"


def test_over_tls_the_cookie_is_secure(tmp_path: Path) -> None:
    certificate = made_certificate(tmp_path)
    arguments = ("--db", ":memory:", "--session-cookie", "on", *certificate.options)
    with ServerProcess(*arguments, ca=certificate.cert) as server:
        made, _ = signed_in(server, "ann@example.org")

    assert cookie_of(made)[-1] == "Secure"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:3000", 200),
        ("http://localhost:3000", 401),
        ("https://evil.example", 401),
        ("null", 401),
    ],
)
def test_a_strange_page_can_do_nothing_with_the_cookie(server: ServerProcess, origin: str | None, status: int) -> None:
    _, token = signed_in(server, f"page{status}{str(origin)[-4:]}@example.org")
    ours = {"Cookie": f"zerostate_session={token}"} | ({} if origin is None else {"Origin": origin})
    answer = server.call("POST", "/users/logout", headers=ours)

    assert answer.status_code == status
    allowed = status == 200 and origin is not None
    assert answer.headers.get("Access-Control-Allow-Credentials") == ("true" if allowed else None)


@pytest.mark.parametrize(
    ("origin", "status"),
    [(b"http://localhost:3000", b"101"), (b"http://127.0.0.1:3000", b"401"), (b"https://evil.example", b"401")],
)
def test_the_cookie_opens_a_socket_for_known_pages_only(server: ServerProcess, origin: bytes, status: bytes) -> None:
    _, token = signed_in(server, f"socket{status.decode()}{len(origin)}@example.org")
    request = upgrade_request(token).replace(b"Authorization: Bearer ", b"Cookie: zerostate_session=")
    with server.raw() as opened:
        opened.sendall(request.replace(b"Host:", b"Origin: %s\r\nHost:" % origin))
        head = opened.recv(65536)

    assert head.split(b" ")[1] == status


def test_a_wrong_password_sets_no_cookie(server: ServerProcess) -> None:
    answer = server.call("POST", "/users/login", json={"email": "nobody@example.org", "password": "wrong"})

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_by_default_no_cookie_is_set_or_taken() -> None:
    with ServerProcess("--db", ":memory:") as server:
        made, token = signed_in(server, "ann@example.org")
        answer = server.call("GET", "/users/me", headers={"Cookie": f"zerostate_session={token}"})
        shared = server.call("GET", "/users/me", token, headers={"Origin": "http://localhost:3000"})

    assert "Set-Cookie" not in made.headers
    assert (answer.status_code, shared.status_code) == (401, 200)
    assert "missing" in answer.json()["message"]
    assert "Access-Control-Allow-Credentials" not in shared.headers
