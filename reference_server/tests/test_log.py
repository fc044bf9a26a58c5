"""The log: a line for each answer and each step of the process's life, no secret in any, and nobody held up by it."""

import json
import logging
import os
import queue
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from websockets.exceptions import InvalidStatus

from reference_server.contract.codes import CloseCode
from reference_server.core.calls import Head
from reference_server.observing.log_lines import TRACEBACK_CHARS_MAX, JsonLines, RequestLines, TextLines, fields
from reference_server.observing.log_writer import BoundedHandler, log_of
from reference_server.settings.values import Settings
from reference_server.tests.process import ADMIN, DEADLINE_S, PERSON, ServerProcess, read_to_end, upgrade_request
from reference_server.websocket.logged import LoggedSockets
from reference_server.websocket.protocol import WebSocketProtocol

JWT_SECRET = "a secret that signs tokens, 32 bytes and more"
OWN_IDS = re.compile(r"[A-Za-z0-9]{8}-[0-9a-f]+")


def record(message: str, **told: Any) -> logging.LogRecord:
    made = logging.LogRecord("reference_server.x", logging.INFO, __file__, 1, message, (), None)
    made.__dict__.update(fields(**told))
    return made


def failed() -> logging.LogRecord:
    made = record("an operation failed")
    try:
        raise ValueError("x" * 2 * TRACEBACK_CHARS_MAX)
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def test_a_json_line_is_one_line_whatever_stands_in_it() -> None:
    line = JsonLines().format(record("request", route="a\nb", status=200))

    said = json.loads(line)
    assert "\n" not in line
    assert (said["event"], said["level"], said["route"], said["status"]) == ("request", "info", "a\nb", 200)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["time"])


def test_a_text_line_is_one_line_whatever_stands_in_it() -> None:
    line = TextLines().format(record("request", route="/x", given='a\nERROR forged "level"=1', status=200))

    assert line.endswith('INFO request logger=reference_server.x route=/x '
                         'given="a\\nERROR forged \\"level\\"=1" status=200')  # fmt: skip


@pytest.mark.parametrize("formatter", [JsonLines(), TextLines()])
def test_a_traceback_stands_in_the_log_and_is_bounded(formatter: logging.Formatter) -> None:
    line = formatter.format(failed())

    assert "x" * 100 in line
    assert len(line) < TRACEBACK_CHARS_MAX + 300


@pytest.mark.parametrize("given", ["", "a" * 65, "a b", "a\nb", "é", "id;drop", "{}", "eyJh.eyJz." + "x" * 60])
def test_an_id_that_is_not_short_and_harmless_is_replaced(given: str) -> None:
    lines = RequestLines(lambda: "-secret_of_the_process-")
    ids = {lines.request_id(Head("GET", "/", "", {"x-request-id": given}, "192.0.2.1")) for _ in range(3)}

    assert len(ids) == 3
    assert all(OWN_IDS.fullmatch(one) for one in ids)


def test_an_id_that_is_short_and_harmless_is_kept() -> None:
    head = Head("GET", "/", "", {"x-request-id": "0af7651916cd43dd:8448eb211c80319c"}, "192.0.2.1")

    assert RequestLines(lambda: "s" * 43).request_id(head) == "0af7651916cd43dd:8448eb211c80319c"


def test_lines_without_room_are_dropped_and_counted_once_there_is_room() -> None:
    lines: queue.Queue[str] = queue.Queue(2)
    handler = BoundedHandler(lines)
    handler.setFormatter(JsonLines())
    for number in range(5):
        handler.emit(record(f"event {number}"))
    kept = [json.loads(lines.get())["event"] for _ in range(2)]
    handler.emit(record("event 5"))
    told, after = (json.loads(lines.get()) for _ in range(2))

    assert kept == ["event 0", "event 1"]
    assert (told["event"], told["lines"], after["event"]) == ("lines were dropped", 3, "event 5")


def test_the_log_is_written_to_its_end_and_logging_is_as_it_was(tmp_path: Path) -> None:
    before = (list(logging.getLogger().handlers), logging.getLogger().level)
    path = tmp_path / "log"
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY)
    with log_of(Settings(log="json", log_level="warning"), descriptor) as requests:
        logger = logging.getLogger("reference_server.tests")
        logger.warning("told")
        logger.info("not told")
        logging.getLogger("another").warning("told too")
    os.close(descriptor)

    assert not requests
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["told", "told too"]
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before


class Wire:
    """What `OpenSockets` asks of a protocol."""

    def __init__(self, *, paused: bool) -> None:
        self.paused = paused
        self.transport = self
        self.ended = ""

    def close(self, code: int, reason: str) -> None:
        self.ended = f"closed with {code}: {reason}"

    def abort(self) -> None:
        self.ended = "aborted"


@pytest.mark.parametrize(
    ("paused", "code", "warnings"),
    [
        (False, CloseCode.SLOW_CONSUMER, ["socket closed"]),
        (False, CloseCode.GOING_AWAY, []),
        (True, None, ["socket aborted"]),
        (False, None, []),
    ],
)
def test_who_read_too_slowly_is_a_warning(
    paused: bool, code: int | None, warnings: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    sockets, wire = LoggedSockets(), Wire(paused=paused)
    sockets.add(7, cast("WebSocketProtocol", wire))
    with caplog.at_level(logging.WARNING):
        if code is None:
            sockets.abort(7)
        else:
            sockets.close(7, code, "why")
        sockets.abort(8)

    assert [one.getMessage() for one in caplog.records] == warnings
    assert wire.ended == ("aborted" if code is None else f"closed with {code}: why")


class Session:
    """A process that kept a log of all that a session can ask, and the secrets that were used in it."""

    def __init__(self, form: str) -> None:
        self.secrets = [ADMIN["password"], PERSON["password"], JWT_SECRET]
        arguments = ("--db", ":memory:", "--limits", "off", "--log", form, "--log-level", "debug")
        with ServerProcess(*arguments, ZEROSTATE_JWT_SECRET=JWT_SECRET) as server:
            self._ask(server)
            self.code = server.end()
            self.text = server.errors()

    def _ask(self, server: ServerProcess) -> None:
        token, admin = server.register(), server.admin()
        key = server.call("POST", "/users/me/api-keys", token, json={"name": "n", "environment": "live"})
        assert key.status_code == 201
        self.secrets += [token, admin, key.json()["key"]]
        self.id = server.call("GET", "/users/me", token, headers={"X-Request-Id": "mine-1"}).headers["X-Request-Id"]
        self.account = server.call("GET", "/users/me", token).json()["id"]
        assert server.call("GET", "/users/me", key.json()["key"]).status_code == 200
        with server.connect(token) as opened:
            opened.recv(DEADLINE_S)
        with pytest.raises(InvalidStatus), server.connect("a-token-of-nobody"):
            pass
        # Where a secret should never stand: a path, a query, a header, a body that is refused.
        for path in (
            f"/api/v1/tasks/{token}",
            f"/api/v1/users/me?token={token}",
            f"/{token}",
            f"/login.html?t={token}",
        ):
            server.http.get(path, headers={"X-Request-Id": token, "Cookie": f"zerostate_session={token}"})
        server.call("POST", "/users/login", content=json.dumps({"email": token}).encode())
        with server.raw() as opened_raw:
            opened_raw.sendall(f"NONSENSE {token}\r\n\r\n".encode())
            read_to_end(opened_raw)


@pytest.fixture(scope="module", params=["json", "text"])
def session(request: pytest.FixtureRequest) -> Session:
    return Session(request.param)


def test_no_secret_stands_in_it(session: Session) -> None:
    assert session.code == 0
    assert len(session.text.splitlines()) > 15
    assert [secret for secret in session.secrets if secret in session.text] == []
    assert "Traceback" not in session.text


def test_the_life_of_the_process_and_every_answer_have_their_lines() -> None:
    session = Session("json")
    lines = [json.loads(line) for line in session.text.splitlines()]
    events = [line["event"] for line in lines]
    requests = [line for line in lines if line["event"] == "request"]

    assert (events[0], events[1], events[-2], events[-1]) == ("starting", "ready", "ending", "ended")
    (mine,) = [line for line in requests if line["request_id"] == "mine-1"]
    assert session.id == "mine-1"
    assert mine == {
        **mine,
        "level": "info",
        "method": "GET",
        "route": "/api/v1/users/me",
        "operation": "me",
        "status": 200,
        "account_id": session.account,
    }
    assert mine["bytes"] > 100
    assert mine["duration_ms"] > 0
    shapes = {(line["operation"], line["route"], line["status"]) for line in requests}
    assert {
        ("get_task", "/api/v1/tasks/{id}", 401),
        ("ws_connect", "/api/v1/ws/connect", 101),
        ("ws_connect", "/api/v1/ws/connect", 401),
        ("page", "/{page}", 200),
        ("unknown", "unknown", 404),
        ("unknown", "unknown", 400),
    } <= shapes


@pytest.fixture(scope="module")
def logging_server() -> Iterator[ServerProcess]:
    with ServerProcess("--db", ":memory:", "--log", "json") as running:
        yield running


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", 200),
        (b"GET /login.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", 200),
        (upgrade_request("a-token-of-nobody").removesuffix(b"\r\n"), 401),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nno header\r\n", 400),
    ],
)
def test_every_answer_says_how_its_line_is_found(logging_server: ServerProcess, head: bytes, status: int) -> None:
    # A header of ours comes first: of a head that can't be read, what came before the fault is known.
    first, _, rest = head.partition(b"\r\n")
    with logging_server.raw() as opened:
        opened.sendall(first + b"\r\nX-Request-Id: mine-1\r\n" + rest + b"\r\n")
        answer = read_to_end(opened)

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nx-request-id: mine-1\r\n" in answer


def test_a_handshake_that_is_accepted_says_how_its_line_is_found(logging_server: ServerProcess) -> None:
    with logging_server.connect(logging_server.register(), {"X-Request-Id": "mine-1"}) as opened:
        assert opened.response is not None
        assert opened.response.headers["X-Request-Id"] == "mine-1"


def test_without_a_log_there_is_no_id_and_no_line() -> None:
    with ServerProcess("--db", ":memory:") as server:
        assert "X-Request-Id" not in server.http.get("/health", headers={"X-Request-Id": "mine-1"}).headers
        assert server.end() == 0
        assert server.errors() == ""


def test_a_reader_of_the_log_who_stalls_holds_nobody_up() -> None:
    """A pipe takes 64 KiB; nobody reads it here, and what is asked would fill it several times."""
    with ServerProcess("--db", ":memory:", "--log", "json") as server:
        for _ in range(1500):
            assert server.http.get("/health").status_code == 200

        assert server.end() == 0


def test_a_reader_of_the_log_who_leaves_ends_nobody() -> None:
    with ServerProcess("--db", ":memory:", "--log", "json") as server:
        assert server.child.stderr is not None
        server.child.stderr.close()
        for _ in range(10):
            assert server.http.get("/health").status_code == 200
        assert server.child.poll() is None
        server.child.terminate()

        assert server.child.wait(DEADLINE_S) == 0
        server.child.stderr = None
