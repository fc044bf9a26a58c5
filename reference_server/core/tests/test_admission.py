"""Admission's questions one by one, as tables (contract §§1, 2)."""

from ipaddress import ip_network

import pytest

from reference_server.contract.codes import TOKEN_FAULTS
from reference_server.contract.models import ErrorBody
from reference_server.contract.operations import OPERATIONS
from reference_server.core import admission
from reference_server.core.admission import Origins
from reference_server.core.answers import Answer
from reference_server.core.calls import Head, Route

UPGRADE = {
    "host": "localhost",
    "connection": "keep-alive, Upgrade",
    "upgrade": "WebSocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def sent(headers: dict[str, str], scheme: str = "http", peer: str = "192.0.2.1") -> Head:
    return Head("GET", "/", "", headers, peer, scheme=scheme)


def head(method: str, path: str) -> Head:
    return Head(method, path, "", {}, "192.0.2.1")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_of_the_contract_has_its_route(operation: object) -> None:
    assert isinstance(operation, type(OPERATIONS[0]))
    found = admission.route(head(operation.method, operation.path.replace("{id}", "agent_001")))

    assert isinstance(found, Route)
    assert found.operation is operation
    assert found.path == ({"id": "agent_001"} if "{id}" in operation.path else {})


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api/v1/nowhere", 404, None),
        ("GET", "/api/v1/tasks/", 404, None),
        ("GET", "/api/v1/tasks/a/b", 404, None),
        ("GET", "/api/v1//tasks", 404, None),
        ("PATCH", "/api/v1/tasks/a", 405, "DELETE, GET, OPTIONS"),
        ("DELETE", "/api/v1/users/login", 405, "POST, OPTIONS"),
        ("GET", "/api/v1/\ud800", 404, None),
    ],
)
def test_an_unknown_path_is_404_and_another_method_405(method: str, path: str, status: int, allow: str | None) -> None:
    found = admission.route(head(method, path))

    assert isinstance(found, Answer)
    assert found.status == status
    assert dict(found.headers).get("Allow") == allow


@pytest.mark.parametrize(
    ("raw_path", "path", "found"),
    [
        ("/api/v1/users%2fme", "/api/v1/users/me", None),
        ("/api%2Fv1/tasks", "/api/v1/tasks", None),
        ("/api/v1/%75sers/me", "/api/v1/users/me", {}),
        ("/api/v1/agents/agent_001%2f", "/api/v1/agents/agent_001/", {"id": "agent_001/"}),
        ("/api/v1/agents/%c3%a9", "/api/v1/agents/é", {"id": "é"}),
        ("/api/v1/agents/a%252f", "/api/v1/agents/a%2f", {"id": "a%2f"}),
    ],
)
def test_an_encoded_slash_is_part_of_its_segment(raw_path: str, path: str, found: dict[str, str] | None) -> None:
    routed = admission.route(Head("GET", path, "", {}, "192.0.2.1", raw_path))

    assert (routed.path if isinstance(routed, Route) else None) == found


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/é😀", "/é😀"),
        ("/a\ud800b", "/a\ufffdb"),
        ("/\x00\x7f\x85", "/\ufffd\ufffd\ufffd"),
        ("/" + "é" * 90, "/" + "é" * 79),
    ],
)
def test_a_path_stands_in_a_sentence_as_text_that_can_be_encoded(path: str, shown: str) -> None:
    answer = admission.route(head("GET", path))

    assert isinstance(answer, Answer)
    assert isinstance(answer.body, ErrorBody)
    assert answer.body.message == f"there is nothing at {shown}"


@pytest.mark.parametrize(
    ("headers", "handshake", "expected"),
    [
        ({}, False, "missing"),
        ({"authorization": "Bearer abc"}, False, "abc"),
        ({"authorization": "bEARER   abc "}, False, "abc"),
        ({"authorization": "Bearer"}, False, "malformed"),
        ({"authorization": "Token abc"}, False, "malformed"),
        ({"authorization": ""}, True, "malformed"),
        ({"sec-websocket-protocol": "zerostate.v1, bearer.abc"}, False, "missing"),
        ({"sec-websocket-protocol": "zerostate.v1, bearer.abc"}, True, "abc"),
        ({"sec-websocket-protocol": "bearer.abc,zerostate.v1"}, True, "abc"),
        ({"sec-websocket-protocol": "bearer.abc"}, True, "missing"),
        ({"sec-websocket-protocol": "zerostate.v1, bearer."}, True, "malformed"),
        ({"authorization": "Bearer abc", "sec-websocket-protocol": "zerostate.v1, bearer.other"}, True, "abc"),
    ],
)
def test_the_first_place_that_has_a_token_decides(headers: dict[str, str], handshake: bool, expected: str) -> None:
    assert admission.credential(sent(headers), handshake=handshake) == expected


@pytest.mark.parametrize("fault", TOKEN_FAULTS)
def test_a_401_says_unauthorized_and_which_it_is(fault: str) -> None:
    answer = admission.unauthorized(fault)

    assert isinstance(answer.body, ErrorBody)
    assert (answer.status, answer.body.error) == (401, "unauthorized")
    assert [known for known in TOKEN_FAULTS if known in answer.body.message] == [fault]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, None),
        ({"connection": "close"}, 400),
        ({"upgrade": "h2c"}, 400),
        ({"upgrade": "foo, WebSocket"}, None),
        ({"host": ""}, 400),
        ({"host": "a, b"}, 400),
        ({"host": "a:80"}, None),
        ({"content-length": "3"}, 400),
        ({"content-length": "0"}, None),
        ({"transfer-encoding": "chunked"}, 400),
        ({"sec-websocket-key": "c2hvcnQ="}, 400),
        ({"sec-websocket-key": "é"}, 400),
        ({"sec-websocket-version": "12"}, 426),
        ({"sec-websocket-version": "13, 8"}, 426),
    ],
)
def test_what_is_no_upgrade_is_400_and_another_version_426(changes: dict[str, str], status: int | None) -> None:
    fault = admission.upgrade_fault(Head("GET", "/", "", {**UPGRADE, **changes}, "192.0.2.1"))

    assert (None if fault is None else fault.status) == status


@pytest.mark.parametrize("version", ["1.0", "0.9", "2"])
def test_an_upgrade_over_another_http_is_400(version: str) -> None:
    fault = admission.upgrade_fault(Head("GET", "/", "", UPGRADE, "192.0.2.1", version=version))

    assert fault is not None
    assert fault.status == 400


def test_an_upgrade_without_host_is_400() -> None:
    headers = {name: value for name, value in UPGRADE.items() if name != "host"}
    fault = admission.upgrade_fault(Head("GET", "/", "", headers, "192.0.2.1"))

    assert fault is not None
    assert fault.status == 400


@pytest.mark.parametrize(
    ("origin", "loopback", "allowed"),
    [
        (None, False, True),
        ("https://shop.example", False, True),
        ("https://zerostate.example:8443", False, True),
        ("http://zerostate.example:8443", False, False),
        ("https://evil.example", True, False),
        ("null", True, False),
        ("file://", True, False),
        ("http://127.0.0.1:3000", True, True),
        ("http://[::1]:3000", True, True),
        ("http://localhost", False, False),
        ("http://localhost.evil.example", True, False),
        ("http://[", True, False),
        ("http://localhost:3000, http://evil.example", True, False),
        ("http://localhost:99999", True, False),
        ("http://localhost:", True, False),
        ("http://localhost/", True, False),
        ("http://user@localhost", True, False),
        ("http://127.0.0.2:80", True, True),
        ("http://127.0.0.2.example", True, False),
        ("http://[::2]", True, False),
        ("http://[::1", True, False),
        ("https://shop.example:443", False, True),
        ("https://shop.example:444", False, False),
    ],
)
def test_only_allowed_origins_may_shake_hands(origin: str | None, loopback: bool, allowed: bool) -> None:
    head = sent({"host": "zerostate.example:8443"} | ({} if origin is None else {"origin": origin}), "https")

    assert (admission.origin_fault(Origins(("https://shop.example",), loopback), head) is None) == allowed


@pytest.mark.parametrize(
    ("scheme", "peer", "forwarded", "origin", "same"),
    [
        ("http", "192.0.2.1", "", "http://x", True),
        ("http", "192.0.2.1", "", "https://x", False),
        ("https", "192.0.2.1", "", "https://x", True),
        ("https", "192.0.2.1", "", "http://x", False),
        ("http", "192.0.2.1", "https", "https://x", False),
        ("http", "10.0.0.1", "https", "https://x", True),
        ("http", "10.0.0.1", "https", "http://x", False),
    ],
)
def test_the_scheme_is_part_of_an_origin_as_a_configured_proxy_tells_it(
    scheme: str, peer: str, forwarded: str, origin: str, same: bool
) -> None:
    head = sent({"host": "x", "origin": origin, "x-forwarded-proto": forwarded}, scheme, peer)

    assert Origins(loopback=False, proxies=(ip_network("10.0.0.0/30"),)).allow(head) == same


@pytest.mark.parametrize(
    ("peer", "forwarded", "scheme"),
    [
        ("192.0.2.1", "https", "http"),
        ("10.0.0.1", "https", "https"),
        ("10.0.0.1", " HTTPS ", "https"),
        ("10.0.0.1", "", "http"),
        ("10.0.0.1", "https, http", "http"),
        ("10.0.0.1", "javascript", "http"),
    ],
)
def test_a_forwarded_scheme_counts_from_configured_proxies_only(peer: str, forwarded: str, scheme: str) -> None:
    asked = Head("GET", "/", "", {"x-forwarded-proto": forwarded}, peer)

    assert admission.client_scheme(asked, (ip_network("10.0.0.0/30"),)) == scheme


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.7, fd00::5", "203.0.113.7"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("", "203.0.113.7", ""),
    ],
)
def test_a_forwarded_address_counts_from_configured_proxies_only(peer: str, forwarded: str, address: str) -> None:
    headers = {"x-forwarded-for": forwarded}

    proxies = (ip_network("10.0.0.0/30"), ip_network("fd00::/8"))

    assert admission.client_address(peer, headers, proxies) == address
