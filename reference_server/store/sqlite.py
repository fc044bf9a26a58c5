"""The store in one SQLite file: write-ahead log, one transaction at a time, nothing acknowledged is lost by kill -9.

With `synchronous=NORMAL` a commit survives the end of the process; `FULL` makes it survive a power cut too. Agents
and counts of tasks are cached and checked by `data_version`, which changes when another process commits.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from reference_server.core.transaction import Transaction
from reference_server.store.base import Found, ReadWroteError, Revision, StoreError
from reference_server.store.sqlite_examination import examined
from reference_server.store.sqlite_file import Synchronous, opened, refusal
from reference_server.store.sqlite_schema import APPLICATION_ID, identity_of
from reference_server.store.sqlite_transaction import SqliteTransaction

T = TypeVar("T")
BUSY_TIMEOUT_MS: Final = 250
"""It is waited for on the loop: longer, and sockets would notice."""


class SqliteStore:
    """`Store` over a file; made when absent, refused in words when it is not ours to write."""

    def __init__(
        self,
        path: Path,
        *,
        synchronous: Synchronous = "NORMAL",
        busy_timeout_ms: int = BUSY_TIMEOUT_MS,
        found: Found | None = None,
    ) -> None:
        """Open the file; raises StoreError.

        `busy_timeout_ms`: how long a transaction waits for another program; `found`: what `examined` told of the file
        just now, if it was asked already.
        """
        self._path = path
        if found is None:
            examined(path)
        self._connection: sqlite3.Connection | None = opened(path, synchronous, busy_timeout_ms)
        self._tx = SqliteTransaction(self._connection)
        self._revisions = self._connection.cursor()

    @property
    def identity(self) -> str:
        """What tells this database from every other; raises StoreError."""
        connection = self._open()
        try:
            return identity_of(connection)
        except sqlite3.Error as fault:
            raise StoreError(refusal(self._path, fault)) from fault

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` between BEGIN and COMMIT; what raises is rolled back. One thread at a time."""
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._tx.begin()
            result = work(self._tx)
            connection.execute("COMMIT")
        except BaseException as fault:
            self._undo(connection, fault)
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
            self._undo(connection, fault)
            raise
        return result

    def revision(self) -> Revision:
        """Return our own count of ended credentials, and what changes with every commit of another connection.

        `data_version` costs about 2 us and is read from memory that all processes share, so that another's commit
        shows as soon as it is durable; it does not tell what was changed, so any commit of another counts.
        """
        self._open()
        try:
            # One cursor for all: a connection remembers each that it made, and this is asked at every request.
            (version,) = self._revisions.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error as fault:
            raise StoreError(refusal(self._path, fault)) from fault
        return self._tx.ended, version

    def check(self) -> None:
        """Commit something, so that a full or read-only disk shows: only a commit writes.

        What marks the file as ours is written again: the one value that no version and no other process changes.
        """
        connection = self._open()
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        except sqlite3.Error as fault:
            raise StoreError(refusal(self._path, fault)) from fault
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

    def _undo(self, connection: sqlite3.Connection, fault: BaseException) -> None:
        """Roll back; what SQLite refused is raised in words, and anything else is the caller's to raise."""
        self._tx.forget()
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(fault, sqlite3.Error):
            raise StoreError(refusal(self._path, fault)) from fault
