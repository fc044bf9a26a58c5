"""The store in one SQLite file: write-ahead log, one transaction at a time, nothing acknowledged is lost by kill -9.

With `synchronous=NORMAL` a commit survives the end of the process; `FULL` makes it survive a power cut too. Agents
and counts of tasks are cached and checked by `data_version`, which changes when another process commits.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeVar

from reference_server.core.transaction import Transaction
from reference_server.store.base import ReadWroteError, Revision, StoreError
from reference_server.store.sqlite_schema import APPLICATION_ID, MIGRATIONS, SCHEMA_1, SCHEMA_VERSION
from reference_server.store.sqlite_transaction import SqliteTransaction

T = TypeVar("T")
Synchronous = Literal["NORMAL", "FULL"]

BUSY_TIMEOUT_MS: Final = 5000
FILE_MODE: Final = 0o600
_STATEMENTS_CACHED: Final = 128


class SqliteStore:
    """`Store` over a file; made when absent, refused in words when it is not ours to write."""

    def __init__(
        self, path: Path, *, synchronous: Synchronous = "NORMAL", busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        try:
            _make_private(path)
            self._connection = _connected(path, busy_timeout_ms)
            _prepare(self._connection, path, synchronous)
        except (OSError, sqlite3.Error) as fault:
            self.close()
            raise StoreError(_refusal(path, fault)) from fault
        except StoreError:
            self.close()
            raise
        self._tx = SqliteTransaction(self._connection)

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` between BEGIN and COMMIT; what raises is rolled back. One thread at a time."""
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._tx.begin()
            result = work(self._tx)
            connection.execute("COMMIT")
        except BaseException as fault:
            self._roll_back(connection)
            if isinstance(fault, sqlite3.Error):
                raise StoreError(_refusal(self._path, fault)) from fault
            raise
        return result

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` over one snapshot, and roll back whatever it did: nothing is written, no writer is waited for."""
        connection = self._open()
        changes = connection.total_changes
        try:
            connection.execute("BEGIN")
            self._tx.begin()
            result = work(self._tx)
            if connection.total_changes != changes:
                raise ReadWroteError
            connection.execute("ROLLBACK")
        except BaseException as fault:
            self._roll_back(connection)
            if isinstance(fault, sqlite3.Error):
                raise StoreError(_refusal(self._path, fault)) from fault
            raise
        return result

    def revision(self) -> Revision:
        """Return our own count of ended credentials, and what changes with every commit of another connection.

        `data_version` costs about 2 us and is read from memory that all processes share, so that another's commit
        shows as soon as it is durable; it does not tell what was changed, so any commit of another counts.
        """
        connection = self._open()
        try:
            (version,) = connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as fault:
            raise StoreError(_refusal(self._path, fault)) from fault
        return self._tx.ended, version

    def check(self) -> None:
        """Write and roll back, so that a full or read-only disk shows."""
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT OR REPLACE INTO revoked_tokens VALUES ('check', 0)")
        except sqlite3.Error as fault:
            raise StoreError(_refusal(self._path, fault)) from fault
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Fold the log into the file and release it; repeatable."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"the database {self._path} is closed; open it again")
        return self._connection

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        self._tx.forget()
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _make_private(path: Path) -> None:
    """Make the file for its owner alone before SQLite does; its log and index take over the mode."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))


def _connected(path: Path, busy_timeout_ms: int) -> sqlite3.Connection:
    return sqlite3.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_CACHED,
        timeout=busy_timeout_ms / 1000,
    )


def _prepare(connection: sqlite3.Connection, path: Path, synchronous: Synchronous) -> None:
    """Check that the file is ours before the first write to it, then set it up."""
    _check_ours(connection, path)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"the database {path} can't keep a write-ahead log ({mode}); put it on a local disk")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("BEGIN IMMEDIATE")
    # Asked again inside the transaction: another process may have made the tables meanwhile.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < SCHEMA_VERSION:
        _bring_up_to_date(connection, version)
    connection.execute("COMMIT")


def _bring_up_to_date(connection: sqlite3.Connection, version: int) -> None:
    """Make the tables, or change those of an older version, all within one transaction."""
    steps = {1: SCHEMA_1, **MIGRATIONS}
    for step in range(version + 1, SCHEMA_VERSION + 1):
        for statement in steps[step]:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (application or tables or version) and application != APPLICATION_ID:
        raise StoreError(f"the database {path} belongs to another program; name another file")
    if version < 0 or (tables and version == 0):
        raise StoreError(
            f"the database {path} holds schema version {version}, expected 1 to {SCHEMA_VERSION}: it is damaged or was "
            "changed by hand; restore a copy or name another file"
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the database {path} has schema version {version}, this program reads up to {SCHEMA_VERSION}; "
            "start a newer version or name another file"
        )
    if version:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StoreError(
                f"the database {path} is damaged ({_one_line(found)}); restore a copy or name another file"
            )


def _refusal(path: Path, fault: Exception) -> str:
    said = _one_line(fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault))
    if "not a database" in said or "malformed" in said:
        return f"the database {path} is no SQLite database or is damaged ({said}); name another file"
    return f"the database {path} can't be used ({said.lower()}); check that the folder exists and is writable"


def _one_line(text: str) -> str:
    """Join what SQLite says in several lines: a refusal is one."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())
