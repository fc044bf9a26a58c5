"""The database file: made for its owner alone, opened, brought up to date; what SQLite refuses is said in words.

A file that is there already is opened only once it was found whole and ours (sqlite_examination.py).
"""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final, Literal

from reference_server.store.base import StoreError
from reference_server.store.sqlite_schema import APPLICATION_ID, MIGRATIONS, SCHEMA_1, SCHEMA_VERSION

Synchronous = Literal["NORMAL", "FULL"]

FILE_MODE: Final = 0o600
OPEN_TIMEOUT_MS: Final = 5000
"""How long another program may hold the file while we start."""
_STATEMENTS_CACHED: Final = 128
_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "its disk is full or fails; make room, or look at the disk",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_BUSY: "another program holds it; end that one",
    sqlite3.SQLITE_LOCKED: "another program holds it; end that one",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a copy or name another file",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database or is damaged; name another file",
    sqlite3.SQLITE_ERROR: "it is damaged or was changed by hand; restore a copy or name another file",
    sqlite3.SQLITE_CONSTRAINT: "it is damaged or was changed by hand; restore a copy or name another file",
}
_PRIMARY: Final = 0xFF
"""The part of an error code that `_ADVICE` knows; the rest tells the kind of failure apart."""


def opened(path: Path, synchronous: Synchronous, busy_timeout_ms: int) -> sqlite3.Connection:
    """Return a connection to a file that was examined: made when absent, brought up to date when old.

    `busy_timeout_ms` holds from then on: it is how long our one thread waits for another program. Raises StoreError.
    """
    made = False
    connection: sqlite3.Connection | None = None
    try:
        made = _make_private(path)
        connection = connected(str(path), min(busy_timeout_ms, OPEN_TIMEOUT_MS), uri=False)
        _prepare(connection, path, synchronous)
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms}")
    except BaseException as fault:
        if connection is not None:
            connection.close()
        if made:
            _unmake(path)
        if isinstance(fault, OSError | sqlite3.Error):
            raise StoreError(refusal(path, fault)) from fault
        raise
    return connection


def refusal(path: Path, fault: Exception) -> str:
    """Return the sentence on what SQLite or the system says, or Python, of bytes that should be text."""
    code = getattr(fault, "sqlite_errorcode", None)
    if isinstance(fault, OSError):
        said, advice = fault.strerror or str(fault), None
    elif code is None:
        # What it says quotes the bytes, which may be anybody's.
        said, advice = "text that is none", _ADVICE[sqlite3.SQLITE_CORRUPT]
    else:
        said, advice = str(fault), _ADVICE.get(code & _PRIMARY)
    return (
        f"the database {path} can't be used ({one_line(said).lower()}); "
        f"{advice or 'check that the folder exists and is writable'}"
    )


def _make_private(path: Path) -> bool:
    """Make the file for its owner alone before SQLite does; its log and index take over the mode."""
    if path.exists():
        return False
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    return True


def _unmake(path: Path) -> None:
    for made in (path, log_of(path), index_of(path)):
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)


def log_of(path: Path) -> Path:
    """Return where SQLite keeps the log: beside the file itself, not beside a link to it."""
    return Path(f"{path.resolve()}-wal")


def index_of(path: Path) -> Path:
    """Return the file that SQLite keeps beside a log while somebody reads it."""
    return Path(f"{path.resolve()}-shm")


def connected(database: str, timeout_ms: int, *, uri: bool) -> sqlite3.Connection:
    """Return a connection whose transactions are ours to begin and to end; raises sqlite3.Error."""
    return sqlite3.connect(
        database,
        uri=uri,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_CACHED,
        timeout=timeout_ms / 1000,
    )


def _prepare(connection: sqlite3.Connection, path: Path, synchronous: Synchronous) -> None:
    """Set the file up and bring it up to date."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"the database {path} can't keep a write-ahead log ({mode}); put it on a local disk")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("BEGIN IMMEDIATE")
    # Asked again inside the transaction: another process may have made the tables meanwhile.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    apply(connection, version, SCHEMA_VERSION)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    # Written even when it stands there: SQLite opens a file that can't be written all the same, and says so only now.
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def apply(connection: sqlite3.Connection, version: int, target: int) -> None:
    """Make the tables, or change those of an older version, within the caller's transaction."""
    steps = {1: SCHEMA_1, **MIGRATIONS}
    for step in range(version + 1, target + 1):
        for statement in steps[step]:
            connection.execute(statement)


def one_line(text: str) -> str:
    """Join what SQLite says in several lines: a refusal is one."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())
