"""Real sockets against a real process: frames, closes, back-pressure, half handshakes (contract §§3, 5)."""

import json
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from reference_server.tests.process import DEADLINE_S, SYSTEM, ServerProcess, read_to_end, upgrade_request

UNREAD = 30
OUTBOX_FULL = 60
FLOOD_BYTES = 64 * 1024 * 1024
SETTLE_S = 1.0
SUBMIT = {"query": "what is up?", "budget": 1}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess(
        "--db", ":memory:", "--limits", "off", "--task-ms", "1:2", "--handshake-timeout", "0.5"
    ) as running:
        yield running


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.register()


def received(opened: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(opened.recv(DEADLINE_S))
    return message


def masked(opcode: Opcode, data: bytes, **flags: bool) -> bytes:
    return Frame(opcode, data, **flags).serialize(mask=True)


def test_a_submit_is_pushed_to_every_connection_of_its_owner_and_no_other(server: ServerProcess, token: str) -> None:
    other = server.register("bob@example.org")
    with server.connect(token) as one, server.connect(token) as two, server.connect(other) as stranger:
        for opened in (one, two, stranger):
            assert received(opened)["data"]["client_id"]
        task_id = server.call("POST", "/tasks/submit", token, json=SUBMIT).json()["task_id"]
        pushes = [[received(opened)["data"] for _ in range(3)] for opened in (one, two)]
        server.call("POST", "/ws/broadcast", server.admin(), json=SYSTEM)

        assert pushes[0] == pushes[1]
        assert [push["status"] for push in pushes[0]] == ["queued", "running", "completed"]
        assert {push["task_id"] for push in pushes[0]} == {task_id}
        assert received(stranger)["type"] == "system"


def test_the_subprotocol_pair_carries_the_token_and_is_not_echoed(server: ServerProcess, token: str) -> None:
    url = f"ws://{server.host}:{server.port}/api/v1/ws/connect"
    offered = [Subprotocol(f"bearer.{token}"), Subprotocol("zerostate.v1")]
    with connect(url, subprotocols=offered, origin=Origin(server.url)) as opened:
        assert opened.subprotocol == "zerostate.v1"
        assert opened.response is not None
        assert opened.response.headers["Vary"] == "Origin"
        assert token not in str(opened.response.headers)
        assert opened.protocol.extensions == []
        assert received(opened)["type"] == "system"


@pytest.mark.parametrize(
    ("credential", "headers", "status"),
    [
        ("none", {}, 401),
        ("none", {"Sec-WebSocket-Protocol": "bearer.x"}, 401),
        ("good", {"Origin": "https://evil.example"}, 403),
        ("good", {"Origin": "null"}, 403),
        ("good", {"Origin": "http://localhost:1"}, 101),
        ("none", {"Origin": "https://evil.example"}, 401),
    ],
)
def test_a_handshake_is_refused_with_json_in_the_contracts_order(
    server: ServerProcess, token: str, credential: str, headers: dict[str, str], status: int
) -> None:
    sent = {"Authorization": f"Bearer {token}", **headers} if credential == "good" else headers
    url = f"ws://{server.host}:{server.port}/api/v1/ws/connect"
    if status == 101:
        with connect(url, additional_headers=sent) as opened:
            assert received(opened)["type"] == "system"
        return
    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers=sent)

    assert refused.value.response.status_code == status
    assert refused.value.response.headers["Content-Type"] == "application/json"
    assert refused.value.response.headers["Vary"] == "Origin"
    assert set(json.loads(refused.value.response.body)) == {"error", "message"}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ((b"Version: 13", b"Version: 12"), b"426"),
        ((b"Version: 13", b"Version: 9\r\nSec-WebSocket-Protocol: zerostate.v1"), b"426"),
        ((b"dGhlIHNhbXBsZSBub25jZQ==", b"short"), b"400"),
        ((b"Connection: Upgrade", b"Connection: close"), b"400"),
        ((b"Upgrade: websocket", b"Upgrade: h2c"), b"400"),
        ((b"GET ", b"POST "), b"405"),
        ((b"/ws/connect", b"/ws/nowhere"), b"404"),
    ],
)
def test_what_is_no_upgrade_is_refused(
    server: ServerProcess, token: str, changes: tuple[bytes, bytes], status: bytes
) -> None:
    with server.raw() as opened:
        opened.sendall(upgrade_request(token).replace(*changes))
        head, _, _ = opened.recv(65536).partition(b"\r\n\r\n")

    assert head.split(b" ")[1] == status
    assert (b"sec-websocket-version: 13" in head.lower()) == (status == b"426")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked(Opcode.BINARY, b"x"), 1003),
        (masked(Opcode.TEXT, b"\xff"), 1007),
        (masked(Opcode.TEXT, b"x" * (64 * 1024 + 1)), 1009),
        (masked(Opcode.TEXT, b"x" * 40_000, fin=False) + masked(Opcode.CONT, b"x" * 40_000), 1009),
        (masked(Opcode.TEXT, b"x", rsv1=False)[:1] + b"\x01x", 1002),
        (masked(Opcode.CONT, b"x"), 1002),
        (masked(Opcode.TEXT, b"{", fin=False) + masked(Opcode.TEXT, b"}"), 1002),
        (b"\xc1\x80\x00\x00\x00\x00", 1002),
        (b"\x83\x80\x00\x00\x00\x00", 1002),
        (b"\x09\x80\x00\x00\x00\x00", 1002),
        (b"\x89\xfe\x00\x7e\x00\x00\x00\x00" + b"x" * 126, 1002),
        (b"\x81\xfe\x00\x05\x00\x00\x00\x00hello", 1002),
        (b"\x81\xff" + struct.pack("!Q", 200) + b"\x00\x00\x00\x00", 1002),
        (masked(Opcode.CLOSE, b"\x03"), 1002),
        *(
            (masked(Opcode.CLOSE, struct.pack("!H", code)), 1002)
            for code in (0, 999, 1004, 1005, 1006, 1015, 5000, 65535)
        ),
        (masked(Opcode.CLOSE, b"\x03\xe8\xff"), 1007),
        (masked(Opcode.CLOSE, struct.pack("!H", 4321) + b"bye"), 4321),
        (masked(Opcode.CLOSE, b""), 1000),
        (masked(Opcode.PONG, b"") * 101, 1008),
        (masked(Opcode.TEXT, b"", fin=False) + masked(Opcode.CONT, b"", fin=False) * 100, 1008),
    ],
    # The bytes hold a mask of chance, and a name must be the same in every process that runs a share of the tests.
    ids=lambda value: str(value) if isinstance(value, int) else "frames",
)
def test_what_a_peer_must_not_send_closes_with_its_code(
    server: ServerProcess, token: str, sent: bytes, code: int
) -> None:
    with server.raw() as opened:
        opened.sendall(upgrade_request(token))
        opened.sendall(sent)
        last = read_to_end(opened)

    assert b"\x88" + bytes([last[last.rindex(b"\x88") + 1]]) + struct.pack("!H", code) in last


def test_nothing_is_read_any_more_of_a_peer_that_floods_after_its_close(server: ServerProcess, token: str) -> None:
    flood = masked(Opcode.PING, b"") * 10_000
    with server.raw() as opened:
        opened.sendall(upgrade_request(token) + masked(Opcode.PING, b"") * 101)
        assert struct.pack("!H", 1008) in read_to_end(opened)
        opened.setblocking(False)
        sent = 0
        # What two kernels hold is some MiB; a server that read on would take all of it.
        while sent < FLOOD_BYTES and select.select([], [opened], [], SETTLE_S)[1]:
            sent += opened.send(flood)

    assert sent < FLOOD_BYTES


def test_a_fragmented_ping_is_answered(server: ServerProcess, token: str) -> None:
    with server.connect(token) as opened:
        received(opened)
        opened.send(['{"type":', '"ping"', "}"])

        assert received(opened)["type"] == "pong"


def test_logout_closes_with_4401_and_the_token_is_revoked(server: ServerProcess) -> None:
    token = server.register("leaver@example.org")
    with server.connect(token) as opened:
        received(opened)
        assert server.call("POST", "/users/logout", token).status_code == 200
        with pytest.raises(ConnectionClosed) as closed:
            opened.recv(DEADLINE_S)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
    assert "revoked" in server.call("GET", "/users/me", token).json()["message"]


def test_a_half_sent_handshake_is_ended(server: ServerProcess, token: str) -> None:
    with server.raw() as opened:
        opened.sendall(upgrade_request(token)[:-20])

        assert read_to_end(opened) == b""


def test_a_peer_that_stops_reading_is_ended_and_delays_nobody(server: ServerProcess, token: str) -> None:
    admin = server.admin()
    big = {"type": "system", "data": {"message": "x" * 60_000, "level": "info"}}
    before = server.call("GET", "/ws/stats", token).json()["stats"]["slow_consumers_closed"]
    with server.raw() as slow, server.connect(token, max_queue=None) as quick:
        slow.sendall(upgrade_request(token))
        received(quick)
        for number in range(150):
            message = {**big, "data": {**big["data"], "n": number}}  # type: ignore[dict-item]
            assert server.call("POST", "/ws/broadcast", admin, json=message).status_code == 200
            assert received(quick)["data"]["n"] == number
        stats = server.call("GET", "/ws/stats", token).json()["stats"]
        assert stats["slow_consumers_closed"] == before + 1

        read = read_to_end(slow)
    numbers = [int(part.partition(b"}")[0]) for part in read.split(b'"n":')[1:] if b"}" in part]
    assert numbers == list(range(len(numbers)))
    assert 0 < len(numbers) < 150


def test_a_peer_that_left_answers_unread_before_its_upgrade_is_ended_too(server: ServerProcess, token: str) -> None:
    admin = server.admin()
    big = {"type": "system", "data": {"message": "x" * 60_000, "level": "info"}}
    before = server.call("GET", "/ws/stats", token).json()["stats"]["slow_consumers_closed"]
    with closing(socket.socket()) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.settimeout(DEADLINE_S)
        slow.connect((server.host, server.port))
        for _ in range(UNREAD):
            slow.sendall(b"GET /login.html HTTP/1.1\r\nHost: h\r\n\r\n")
            # One at a time: what is pipelined in one piece would wait for the answer before it.
            server.call("GET", "/users/me", token)
        slow.sendall(upgrade_request(token))
        recipients = [
            server.call("POST", "/ws/broadcast", admin, json=big).json()["recipients"] for _ in range(OUTBOX_FULL)
        ]

    assert 1 in recipients
    assert recipients[-1] == 0
    assert server.call("GET", "/ws/stats", token).json()["stats"]["slow_consumers_closed"] == before + 1
