"""Which heads are served, and what a shell hands on of them: the path before decoding, HTTP's version, protocols."""

import asyncio
from collections.abc import Iterator

import pytest

from reference_server.http.request_heads import HEAD_BYTES_MAX, HeadError, check_head, in_origin_form
from reference_server.tests.process import ServerProcess, read_to_end, upgrade_request
from reference_server.tests.unplugged import fed

HOST = (b"host", b"x:80")
CHUNKED = (b"transfer-encoding", b"chunked")
LINE = b"GET /health HTTP/1.1\r\n"


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


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("1.1", [HOST]),
        ("1.1", [(b"host", b"")]),
        ("1.1", [(b"host", b"[::1]:8000")]),
        ("1.1", [HOST, (b"transfer-encoding", b"Chunked ")]),
        ("1.0", []),
        ("1.0", [HOST]),
    ],
)
def test_a_head_as_http_wants_it_passes(version: str, fields: list[tuple[bytes, bytes]]) -> None:
    check_head(b"GET", b"/", version, fields)


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("1.1", []),
        ("1.1", [HOST, HOST]),
        ("1.0", [HOST, HOST]),
        ("1.1", [(b"host", b"a b")]),
        ("1.1", [(b"host", b"a/b")]),
        ("1.1", [(b"host", b"user@a")]),
        ("1.1", [(b"host", b"a:b")]),
        ("1.1", [(b"host", b"\xff")]),
        ("1.1", [HOST, (b"transfer-encoding", b"gzip, chunked")]),
        ("1.1", [HOST, (b"transfer-encoding", b"identity")]),
        ("1.1", [HOST, CHUNKED, CHUNKED]),
        ("1.0", [CHUNKED]),
    ],
)
def test_a_head_that_two_readers_may_read_differently_is_refused(
    version: str, fields: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(HeadError):
        check_head(b"GET", b"/", version, fields)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (LINE, b""),
        (LINE + b"Host: x\r\nHost: x\r\n", b""),
        (LINE + b"Host: x y\r\n", b""),
        (LINE + b"Host: x\r\nTransfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
        (LINE.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    ],
)
def test_such_a_head_is_a_400_that_ends_its_connection(server: ServerProcess, head: bytes, body: bytes) -> None:
    with server.raw() as opened:
        opened.sendall(head + b"\r\n" + body)
        read = read_to_end(opened)

    assert read.startswith(b"HTTP/1.1 400 ")
    assert read.count(b"HTTP/1.1 ") == 1


def head_of(size: int, fields: int) -> bytes:
    """Return a head of so many bytes, most of them in so many headers."""
    start = LINE + b"Host: x\r\nConnection: close\r\n"
    left = size - len(start) - len(b"\r\n")
    lines = [b"X: " + b"x" * (left // fields - 5) + b"\r\n" for _ in range(fields - 1)]
    last = b"X: " + b"x" * (left - sum(map(len, lines)) - 5) + b"\r\n"
    return b"".join([start, *lines, last, b"\r\n"])


@pytest.mark.parametrize("fields", [1, 40])
@pytest.mark.parametrize("pieces", [1, 2, 7])
@pytest.mark.parametrize(
    ("size", "status"), [(HEAD_BYTES_MAX, b"200"), (HEAD_BYTES_MAX + 1, b"400"), (66_000, b"400"), (130_000, b"400")]
)
def test_a_head_is_bounded_to_the_byte_however_it_arrives(size: int, status: bytes, pieces: int, fields: int) -> None:
    head = head_of(size, fields)
    step = -(-size // pieces)
    read = asyncio.run(fed([head[place : place + step] for place in range(0, size, step)]))

    assert read.startswith(b"HTTP/1.1 %s " % status)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a?b=http://c/d", b"/a?b=http://c/d"),
        (b"http://host:80/a?b", b"/a?b"),
        (b"HTTPS://host//a", b"//a"),
        (b"http://host", b"/"),
        (b"*", b"*"),
    ],
)
def test_an_absolute_target_is_known_by_its_path_and_query(target: bytes, expected: bytes) -> None:
    assert in_origin_form(target) == expected
