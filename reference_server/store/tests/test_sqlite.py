"""The file of the SQLite store: what it survives, what it refuses in words, and what it never overwrites."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reference_server.store import SqliteStore, StoreError
from reference_server.store.sqlite_schema import SCHEMA_VERSION
from reference_server.store.tests.rows import account, agent, id_of, key, put, task

PROJECT_ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("acknowledged_min", [1, 7, 50])
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, acknowledged_min: int) -> None:
    path = tmp_path / "store.db"
    acknowledged = 0
    for _ in range(2):
        acknowledged = _write_until_killed(path, acknowledged_min)

    store = SqliteStore(path)
    written = store.transact(lambda tx: tx.next_order() - 1)
    assert written >= acknowledged
    rows = [task(number) for number in range(1, written + 1)]
    assert store.transact(lambda tx: [tx.task(row.id) for row in rows]) == rows
    assert store.transact(lambda tx: tx.tasks_of(id_of(1), None, None, 1, 0))[1] == written
    store.close()


def _write_until_killed(path: Path, lines: int) -> int:
    """Kill the writer in the midst of its work; return the last number that it acknowledged."""
    command = [sys.executable, "-m", "reference_server.store.tests.writer", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT_ROOT) as writer:
        assert writer.stdout is not None
        read = [writer.stdout.readline() for _ in range(lines)]
        os.kill(writer.pid, signal.SIGKILL)
        read += writer.stdout.readlines()
    return int([line for line in read if line.endswith(b"\n")][-1])


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "store.db", synchronous="FULL")
    put(first, account(1), agent(1), task(1))
    first.close()

    again = SqliteStore(tmp_path / "store.db")
    found = again.transact(lambda tx: (tx.account(id_of(1)), tx.agent("agent_001"), tx.task(task(1).id)))
    again.close()
    assert found == (account(1), agent(1), task(1))


def test_two_stores_on_one_file_see_each_others_commits(tmp_path: Path) -> None:
    one, two = (SqliteStore(tmp_path / "store.db") for _ in range(2))
    assert two.transact(lambda tx: (tx.count_tasks("queued"), tx.next_order(), tx.agent("agent_001"))) == (0, 1, None)

    put(one, task(1), agent(1))

    found = two.transact(lambda tx: (tx.count_tasks("queued"), tx.next_order(), tx.agent("agent_001")))
    assert found == (1, 2, agent(1))
    one.close()
    two.close()


def test_what_ends_a_credential_through_one_store_shows_in_the_revision_of_the_other(tmp_path: Path) -> None:
    one, two = (SqliteStore(tmp_path / "store.db") for _ in range(2))
    put(one, account(1))
    for revoke in (
        lambda tx: tx.revoke_token("jti", 10),
        lambda tx: tx.update_account(account(1, revoked_until_ns=5)),
        lambda tx: tx.put_key(key(1, status="revoked")),
    ):
        before = two.revision()
        one.transact(revoke)
        assert two.revision() != before
    one.close()
    two.close()


def test_the_files_are_the_owners_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.transact(lambda tx: tx.put_task(task(1)))

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    store.close()
    assert set(modes.values()) == {0o600}
    assert "store.db-wal" in modes


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    _pragma(path, f"user_version = {SCHEMA_VERSION + 1}")
    before = path.read_bytes()

    with pytest.raises(StoreError, match=f"schema version {SCHEMA_VERSION + 1}"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [0, -1])
def test_our_tables_under_no_schema_version_are_refused_and_left_as_they_are(tmp_path: Path, version: int) -> None:
    path = tmp_path / "store.db"
    SqliteStore(path).close()
    _pragma(path, f"user_version = {version}")
    before = path.read_bytes()

    with pytest.raises(StoreError, match=f"schema version {version}, expected 1 to {SCHEMA_VERSION}.*restore a copy"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="another program"):
        SqliteStore(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be read as one" * 20, b"SQLite f"])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)

    with pytest.raises(StoreError, match="no SQLite database"):
        SqliteStore(path)
    assert path.read_bytes() == content


def test_a_damaged_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    put(store, *(task(n) for n in range(1, 200)))
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:40960] = b"\xa5" * (40960 - 8192)
    path.write_bytes(content)

    with pytest.raises(StoreError, match="damaged"):
        SqliteStore(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("keep", [4096, 8192, 16384])
def test_pages_overwritten_behind_the_first_are_refused_in_one_line(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path)
    put(store, *(task(n) for n in range(1, 200)))
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:keep] + b"\x00" * (len(content) - keep))

    with pytest.raises(StoreError, match="damaged") as refused:
        SqliteStore(path)
    assert len(str(refused.value).splitlines()) == 1


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"can't be used .*; check that the folder exists and is writable"):
        SqliteStore(tmp_path / "nowhere" / "store.db")


def test_a_folder_in_place_of_the_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be used"):
        SqliteStore(tmp_path)


def test_a_store_that_another_process_holds_fails_its_check_in_words(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db", busy_timeout_ms=1)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="locked"):
        store.check()
    with pytest.raises(StoreError, match="locked"):
        store.transact(lambda tx: tx.put_task(task(1)))
    other.execute("ROLLBACK")
    store.check()
    other.close()
    store.close()


def test_a_check_commits_and_changes_nothing_that_is_kept(tmp_path: Path) -> None:
    store, other = SqliteStore(tmp_path / "store.db"), sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    kept, (version,) = list(other.iterdump()), other.execute("PRAGMA data_version").fetchone()
    store.check()

    assert other.execute("PRAGMA data_version").fetchone() != (version,)
    assert list(other.iterdump()) == kept
    other.close()
    store.close()


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT 1 FROM tasks WHERE status = 'queued' AND due_at_ns <= 1 ORDER BY rank DESC, position", "eligible"),
        ("SELECT 1 FROM tasks WHERE user_id = 'x' ORDER BY created_at_ns DESC, id LIMIT 5", "of_user"),
        ("SELECT position FROM tasks WHERE status = 'queued' AND planned_outcome IS NOT NULL", "unfit"),
    ],
)
def test_the_frequent_questions_are_answered_from_an_index(tmp_path: Path, question: str, index: str) -> None:
    SqliteStore(tmp_path / "store.db").close()
    connection = sqlite3.connect(tmp_path / "store.db")
    plan = " ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {question}"))
    connection.close()

    assert f"tasks_{index}" in plan
    assert "TEMP B-TREE" not in plan


def _pragma(path: Path, setting: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA {setting}")
    connection.close()
