"""What a shell hands on of a request's head: the path before decoding, HTTP's version, every protocol asked for."""

from collections.abc import Iterator

import pytest

from reference_server.tests.process import ServerProcess, upgrade_request


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--db", ":memory:", "--limits", "off") as running:
        yield running


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.register()


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/users%2fme", 404, "there is nothing at /api/v1/users/me"),
        ("/%75sers/me", 200, None),
        ("/agents/agent_001%2f", 404, "there is no such agent"),
    ],
)
def test_an_encoded_slash_separates_nothing(
    server: ServerProcess, token: str, path: str, status: int, message: str | None
) -> None:
    answer = server.call("GET", path, token)

    assert answer.status_code == status
    assert answer.json().get("message") == message


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ((b"HTTP/1.1", b"HTTP/1.0"), b"400"),
        ((b"Host: localhost\r\n", b""), b"400"),
        ((b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\nabc"), b"400"),
        ((b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), b"400"),
        ((b"Upgrade: websocket", b"Upgrade: foo, websocket"), b"101"),
        ((b"/ws/connect", b"/ws%2fconnect"), b"404"),
    ],
)
def test_a_handshake_is_judged_by_its_whole_head(
    server: ServerProcess, token: str, changes: tuple[bytes, bytes], status: bytes
) -> None:
    with server.raw() as opened:
        opened.sendall(upgrade_request(token).replace(*changes))

        assert opened.recv(65536).split(b" ")[1] == status
