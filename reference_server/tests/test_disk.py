"""A disk that fills up under a running server, and databases that it refuses to start on.

The disk is full for one process alone: the kernel is told how large its files may grow.
"""

import re
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from reference_server.store.sqlite_schema import SCHEMA_VERSION
from reference_server.tests.forms import PNG
from reference_server.tests.process import DEADLINE_S, ServerProcess, wait_until
from reference_server.tests.test_process import refused

TASK = {"query": "q" * 2000, "budget": 1, "constraints": {"simulate": {"outcome": "hang"}}}
TASKS_MAX = 500
ROOM_BYTES = 600_000

limited = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")


@contextmanager
def full_disk(server: ServerProcess, bytes_max: int) -> Iterator[None]:
    """Let no file of the server grow over a size."""
    soft, hard = resource.prlimit(server.child.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.child.pid, resource.RLIMIT_FSIZE, (bytes_max, hard))
    try:
        yield
    finally:
        resource.prlimit(server.child.pid, resource.RLIMIT_FSIZE, (soft, hard))


def submitted_until_refused(server: ServerProcess, token: str) -> tuple[list[str], httpx.Response]:
    """Submit tasks until one is refused; return those that were acknowledged, and the refusal."""
    acknowledged: list[str] = []
    for _ in range(TASKS_MAX):
        answer = server.call("POST", "/tasks/submit", token, json=TASK)
        if answer.status_code != 202:
            return acknowledged, answer
        acknowledged.append(answer.json()["task_id"])
    raise AssertionError(f"{TASKS_MAX} tasks fitted on a full disk")


def known(server: ServerProcess, token: str, tasks: list[str]) -> list[str]:
    return [task for task in tasks if server.call("GET", f"/tasks/{task}", token).status_code == 200]


@limited
@pytest.mark.parametrize("sync", ["normal", "full"])
def test_a_full_disk_is_503_until_there_is_room_and_loses_nothing_acknowledged(tmp_path: Path, sync: str) -> None:
    arguments = ("--db", str(tmp_path / "z.db"), "--limits", "off", "--sync", sync, "--workers", "1")
    with ServerProcess(*arguments) as server:
        token = server.register()
        log = tmp_path / "z.db-wal"
        with full_disk(server, log.stat().st_size + ROOM_BYTES):
            acknowledged, answer = submitted_until_refused(server, token)
        with full_disk(server, 1):
            ready = server.http.get("/ready")
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) == answer.json()["retry_after"] >= 1
            assert ready.status_code == 503
            assert "Retry-After" in ready.headers
            assert server.http.get("/health").status_code == 200
            assert server.http.get("/metrics").status_code == 200
            assert server.call("GET", "/users/me", token).status_code == 200
            assert known(server, token, acknowledged) == acknowledged
        after = server.call("POST", "/tasks/submit", token, json=TASK)
        assert after.status_code == 202
        wait_until(lambda: server.http.get("/ready").status_code == 200, "there is room again, but it is not ready")
        acknowledged.append(after.json()["task_id"])
        server.child.kill()
        server.child.wait(DEADLINE_S)
        said = server.errors()
    assert "Traceback" not in said
    assert "can't be used" in said
    with ServerProcess(*arguments) as server:
        assert len(acknowledged) > 5
        assert known(server, token, acknowledged) == acknowledged


@limited
def test_sockets_stay_and_hear_of_what_comes_after_the_disk_was_full(tmp_path: Path) -> None:
    with ServerProcess("--db", str(tmp_path / "z.db"), "--limits", "off") as server:
        token = server.register()
        with server.connect(token) as opened:
            opened.recv(DEADLINE_S)
            with full_disk(server, 1):
                assert server.call("POST", "/tasks/submit", token, json=TASK).status_code == 503
            task = server.call("POST", "/tasks/submit", token, json=TASK).json()["task_id"]

            assert task in str(opened.recv(DEADLINE_S))


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")


def newer(path: Path) -> None:
    with ServerProcess("--db", str(path)) as server:
        assert server.end() == 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def garbled(path: Path) -> None:
    with ServerProcess("--db", str(path)) as server:
        assert server.end() == 0
    content = path.read_bytes()
    path.write_bytes(content[:8192] + bytes(len(content) - 8192))


def with_another_admin(path: Path) -> None:
    """Change one byte of the admin's id in its row, not in the index by e-mail."""
    with ServerProcess("--db", str(path)) as server:
        assert server.end() == 0
    content = bytearray(path.read_bytes())
    row = re.search(rb"[0-9a-f-]{36}admin@example\.org", content)
    assert row is not None
    content[row.start()] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    with ServerProcess("--db", str(path)) as server:
        url = server.call("POST", "/users/me/avatar", server.register(), files={"avatar": PNG}).json()["avatar_url"]
        assert server.end() == 0
    assert (path.with_name("z.db.blobs") / "kept" / url.rpartition("/")[2]).read_bytes() == PNG
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("no database, but long enough to be read as one" * 200), "no SQLite database"),
        (foreign, "belongs to another program"),
        (newer, f"has schema version {SCHEMA_VERSION + 1}, this program reads up to {SCHEMA_VERSION}"),
        (garbled, "is damaged"),
        (with_another_admin, "is damaged"),
        (emptied, "z.db is empty or gone, but the blob store"),
        (lambda path: path.mkdir(), "can't be used"),
    ],
    ids=["no database", "another program's", "newer", "garbled", "another id", "emptied", "a folder"],
)
def test_a_database_that_is_not_whole_and_ours_is_one_line_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], object], said: str
) -> None:
    path = tmp_path / "z.db"
    make(path)
    before = files(tmp_path)

    assert said in refused("--port", "0", "--db", str(path))
    assert files(tmp_path) == before


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
