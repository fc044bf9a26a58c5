"""One real process: how it starts, what it refuses, how it ends, what it keeps (contract §5, design command line)."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from reference_server.tests.process import ADMIN, DEADLINE_S, SYSTEM, ServerProcess, read_to_end, upgrade_request


def refused(*arguments: str, **environment: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "reference_server", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env={**os.environ, **environment},
        check=False,
    )
    assert ended.returncode == 3
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    return ended.stderr


def test_a_port_in_use_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused("--port", port, "--db", str(tmp_path / "zerostate.db"))

    assert port in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tap", ["nowhere/tap.jsonl", "."])
def test_a_tap_that_cannot_be_written_leaves_no_database_and_no_secret(tmp_path: Path, tap: str) -> None:
    line = refused("--port", "0", "--db", str(tmp_path / "zerostate.db"), "--tap", str(tmp_path / tap))

    assert "tap" in line
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_refused_leaves_no_tap_and_no_lock(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no database, but long enough to be read as one" * 20)
    refused("--port", "0", "--db", str(notes), "--tap", str(tmp_path / "tap.jsonl"))

    assert list(tmp_path.iterdir()) == [notes]


def test_a_second_process_on_the_database_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    db = str(tmp_path / "zerostate.db")
    with ServerProcess("--db", db, "--limits", "off") as server:
        token = server.register()
        hanging = {"query": "q", "budget": 1, "constraints": {"simulate": {"outcome": "hang"}}}
        task_id = server.call("POST", "/tasks/submit", token, json=hanging).json()["task_id"]
        before = reached(server, token, task_id, "running")

        assert "in use by another server process" in refused("--port", "0", "--db", db)
        assert server.call("GET", f"/tasks/{task_id}", token).json() == before
        server.child.kill()
        server.child.wait(DEADLINE_S)
    with ServerProcess("--db", db) as server:
        assert server.call("GET", "/users/me", token).status_code == 200
        assert server.end() == 0

    assert not (tmp_path / "zerostate.db.lock").exists()


def test_a_second_process_on_another_name_of_the_database_is_refused_and_the_first_serves_on(tmp_path: Path) -> None:
    path, other = tmp_path / "zerostate.db", tmp_path / "other.db"
    with ServerProcess("--db", str(path)) as server:
        token = server.register()
        other.hardlink_to(path)

        assert "has 2 names (hard links)" in refused("--port", "0", "--db", str(other))
        assert server.call("GET", "/users/me", token).status_code == 200
        other.unlink()
        assert server.end() == 0
    with ServerProcess("--db", str(path)) as server:
        assert server.call("GET", "/users/me", token).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--port", "many"], "--port"),
        (["--port", "70000"], "--port"),
        (["--task-ms", "9:1"], "--task-ms"),
        (["--nonsense"], "--nonsense"),
        (["--limits", "maybe"], "--limits"),
        (["--db", "/dev/null/zerostate.db", "--port", "0"], "/dev/null"),
        (["--db", ":memory:", "--port", "0", "--tap", "/dev/null/tap"], "tap"),
        (["--host", "256.256.256.256", "--port", "0"], "256"),
        (["--db", ":memory:", "--port", "0", "--tls-cert", "none.pem", "--tls-key", "none.pem"], "none.pem"),
        (["--settings", "none.toml"], "--settings: can't read none.toml"),
    ],
)
def test_what_it_cannot_start_with_is_one_line(arguments: list[str], word: str) -> None:
    assert word in refused(*arguments)


def test_a_secret_that_is_too_short_is_refused_and_not_shown() -> None:
    line = refused("--db", ":memory:", ZEROSTATE_JWT_SECRET="too short a one")

    assert "ZEROSTATE_JWT_SECRET" in line
    assert "too short a one" not in line


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_warns_closes_with_1001_and_ends_with_0(number: signal.Signals) -> None:
    with ServerProcess("--db", ":memory:") as server, server.connect(server.register()) as opened:
        opened.recv(DEADLINE_S)
        server.child.send_signal(number)
        warning = json.loads(opened.recv(DEADLINE_S))
        with pytest.raises(ConnectionClosed) as closed:
            opened.recv(DEADLINE_S)

        assert warning["data"]["level"] == "warning"
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        assert server.child.wait(DEADLINE_S) == 0


def test_it_ends_when_nobody_answers_its_close() -> None:
    with ServerProcess("--db", ":memory:") as server, server.raw() as silent:
        silent.sendall(upgrade_request(server.register()))
        assert b"101" in silent.recv(65536)

        # The peer stays: a server that waited for it would not end at all.
        assert server.end() == 0


def test_a_body_still_on_its_way_at_the_end_is_503_and_holds_nobody_up() -> None:
    with ServerProcess("--db", ":memory:") as server, server.raw() as opened:
        head = f"POST /api/v1/tasks/submit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.register()}\r\n"
        opened.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{".encode())
        assert server.call("GET", "/users/me").status_code == 401

        # It brings nothing more and is far from stalled: a server that waited for it would miss this deadline.
        assert server.end() == 0
        assert read_to_end(opened).startswith(b"HTTP/1.1 503 ")
        assert server.errors() == ""


def test_the_secret_and_the_database_are_private_and_outlive_the_process(tmp_path: Path) -> None:
    db = str(tmp_path / "zerostate.db")
    with ServerProcess("--db", db) as server:
        token = server.register()
        assert server.end() == 0
    with ServerProcess("--db", db) as server:
        assert server.call("GET", "/users/me", token).status_code == 200

    for path in tmp_path.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert token not in "".join(path.read_text(errors="ignore") for path in kept)


def test_without_a_password_the_admins_is_kept_in_a_private_file(tmp_path: Path) -> None:
    with ServerProcess("--db", str(tmp_path / "zerostate.db"), ZEROSTATE_ADMIN_PASSWORD="") as server:
        kept = tmp_path / "zerostate.db.admin"
        assert kept.stat().st_mode & 0o777 == 0o600
        login = {"email": "admin@example.org", "password": kept.read_text().strip()}

        assert server.call("POST", "/users/login", json=login).status_code == 200


def test_in_memory_without_a_password_there_is_no_admin_and_one_line_says_how_to_have_one() -> None:
    with ServerProcess("--db", ":memory:", ZEROSTATE_ADMIN_PASSWORD="") as server:
        assert server.call("POST", "/users/login", json=ADMIN).status_code == 401
        assert server.call("POST", "/users/register", json=ADMIN | {"full_name": "Nobody's"}).status_code == 201
        assert server.end() == 0

        (line,) = server.errors().splitlines()
        assert "set ZEROSTATE_ADMIN_PASSWORD" in line


@pytest.mark.slow
@pytest.mark.parametrize(("sync", "after_s"), [("normal", "0.31"), ("full", "0.53")])
def test_kill_9_under_writes_loses_nothing_acknowledged_and_every_task_ends(
    tmp_path: Path, sync: str, after_s: str
) -> None:
    arguments = ("--db", str(tmp_path / "zerostate.db"), "--task-ms", "1:20", "--limits", "off", "--sync", sync)
    with ServerProcess(*arguments) as server:
        token = server.register()
        # Somebody else kills, at an instant that the writes know nothing of.
        with subprocess.Popen(["/bin/sh", "-c", f"sleep {after_s}; kill -9 {server.child.pid}"]):
            acknowledged = submitted_until_gone(server, token)
    with ServerProcess(*arguments) as server:
        tasks = {task_id: ended(server, token, task_id) for task_id in acknowledged}

    assert len(tasks) >= 10
    assert set(tasks.values()) == {"completed"}


def submitted_until_gone(server: ServerProcess, token: str) -> list[str]:
    """Submit tasks one after another until the server is gone; return those that were acknowledged."""
    acknowledged = []
    with contextlib.suppress(httpx.TransportError):
        while True:
            answer = server.call("POST", "/tasks/submit", token, json={"query": "q", "budget": 1})
            acknowledged.append(answer.json()["task_id"])
    return acknowledged


def ended(server: ServerProcess, token: str, task_id: str) -> str:
    """Return the task's last state; asks again until it has one."""
    status: str = reached(server, token, task_id, "completed", "failed", "canceled")["status"]
    return status


def reached(server: ServerProcess, token: str, task_id: str, *statuses: str) -> dict[str, Any]:
    """Return the task once it is in one of these states; asks again until it is."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        answer = server.call("GET", f"/tasks/{task_id}", token)
        assert answer.status_code == 200, answer.text
        task: dict[str, Any] = answer.json()
        if task["status"] in statuses:
            return task
    raise AssertionError(f"task {task_id} did not become {' or '.join(statuses)}")


def test_the_tap_has_a_line_for_each_accepted_message_and_no_payload(tmp_path: Path) -> None:
    tap = tmp_path / "tap.jsonl"
    with ServerProcess("--db", ":memory:", "--tap", str(tap)) as server:
        assert server.call("POST", "/ws/broadcast", server.admin(), json=SYSTEM).status_code == 200
        lines = [json.loads(line) for line in tap.read_text().splitlines()]

    assert [line["data"]["seq"] for line in lines] == [1]
    assert {"recorder", "index", "at_ns", "kind", "data"} == set(lines[0])
    assert (lines[0]["kind"], lines[0]["data"]["audience"]) == ("accepted", "everyone")
    assert "hello" not in tap.read_text()


def test_a_peer_that_reads_nothing_does_not_hold_the_end_up() -> None:
    page = b"GET /dashboard.html HTTP/1.1\r\nHost: x\r\n\r\n"
    with ServerProcess("--db", ":memory:") as server, server.raw() as unread:
        unread.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while unread.send(page * 500):
                assert server.http.get("/health").status_code == 200

        # It reads nothing and stays: a server that waited for it would not end at all.
        assert server.end() == 0
        assert server.errors() == ""
