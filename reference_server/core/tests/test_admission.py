"""Admission's questions one by one, as tables (contract §§1, 2)."""

import pytest

from reference_server.contract.operations import OPERATIONS
from reference_server.core import admission
from reference_server.core.admission import Origins, Route
from reference_server.core.answers import Answer
from reference_server.core.calls import Head

UPGRADE = {
    "connection": "keep-alive, Upgrade",
    "upgrade": "WebSocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


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
    assert admission.credential(headers, handshake=handshake) == expected


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, None),
        ({"connection": "close"}, 400),
        ({"upgrade": "h2c"}, 400),
        ({"sec-websocket-key": "c2hvcnQ="}, 400),
        ({"sec-websocket-key": "é"}, 400),
        ({"sec-websocket-version": "12"}, 426),
        ({"sec-websocket-version": "13, 8"}, 426),
    ],
)
def test_what_is_no_upgrade_is_400_and_another_version_426(changes: dict[str, str], status: int | None) -> None:
    fault = admission.upgrade_fault({**UPGRADE, **changes})

    assert (None if fault is None else fault.status) == status


@pytest.mark.parametrize(
    ("origin", "loopback", "allowed"),
    [
        (None, False, True),
        ("https://shop.example", False, True),
        ("https://zerostate.example:8443", False, True),
        ("https://evil.example", True, False),
        ("null", True, False),
        ("file://", True, False),
        ("http://127.0.0.1:3000", True, True),
        ("http://[::1]:3000", True, True),
        ("http://localhost", False, False),
        ("http://localhost.evil.example", True, False),
        ("http://[", True, False),
    ],
)
def test_only_allowed_origins_may_shake_hands(origin: str | None, loopback: bool, allowed: bool) -> None:
    headers = {"host": "zerostate.example:8443"} | ({} if origin is None else {"origin": origin})

    assert (admission.origin_fault(Origins(("https://shop.example",), loopback), headers) is None) == allowed


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
    ],
)
def test_a_forwarded_address_counts_from_configured_proxies_only(peer: str, forwarded: str, address: str) -> None:
    headers = {"x-forwarded-for": forwarded}

    assert admission.client_address(peer, headers, ("10.0.0.1", "10.0.0.2")) == address
