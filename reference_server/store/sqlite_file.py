"""The database file: opened only once it was found whole and ours, refused in words and left as it is otherwise.

It is examined through a connection that can't write, because closing one that can would fold the log into a file that
is damaged. What SQLite takes silently for the end of a log, or deletes, is looked for first.
"""

import contextlib
import os
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from reference_server.store.base import StoreError
from reference_server.store.sqlite_schema import APPLICATION_ID, MIGRATIONS, SCHEMA_1, SCHEMA_VERSION

Synchronous = Literal["NORMAL", "FULL"]

FILE_MODE: Final = 0o600
OPEN_TIMEOUT_MS: Final = 5000
"""How long another program may hold the file while we start."""
_STATEMENTS_CACHED: Final = 128
_LOG_HEADER: Final = struct.Struct(">8I")
_LOG_MAGICS: Final = {0x377F0682: "<", 0x377F0683: ">"}
"""What a log begins with, and the byte order of its checksums (SQLite's file format §4.1)."""
_ADVICE: Final = {
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_IOERR: "its disk is full or fails; make room, or look at the disk",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_BUSY: "another program holds it; end that one",
    sqlite3.SQLITE_LOCKED: "another program holds it; end that one",
    sqlite3.SQLITE_CORRUPT: "it is damaged; restore a copy or name another file",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database or is damaged; name another file",
    sqlite3.SQLITE_ERROR: "it is damaged or was changed by hand; restore a copy or name another file",
}
_PRIMARY: Final = 0xFF
"""The part of an error code that `_ADVICE` knows; the rest tells the kind of failure apart."""


def opened(path: Path, synchronous: Synchronous, busy_timeout_ms: int) -> sqlite3.Connection:
    """Return a connection to the file, made when absent, brought up to date when old; raises StoreError.

    `busy_timeout_ms` holds from then on: it is how long our one thread waits for another program.
    """
    made = False
    connection: sqlite3.Connection | None = None
    try:
        made = _make_private(path)
        if not made:
            _examine(path)
        connection = _connected(str(path), min(busy_timeout_ms, OPEN_TIMEOUT_MS), uri=False)
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
    """Return the sentence on what SQLite or the system says."""
    if isinstance(fault, OSError):
        said, advice = fault.strerror or str(fault), None
    else:
        said, advice = str(fault), _ADVICE.get(getattr(fault, "sqlite_errorcode", 0) & _PRIMARY)
    return (
        f"the database {path} can't be used ({_one_line(said).lower()}); "
        f"{advice or 'check that the folder exists and is writable'}"
    )


def _make_private(path: Path) -> bool:
    """Make the file for its owner alone before SQLite does; its log and index take over the mode."""
    if path.exists() and path.stat().st_size:
        return False
    log = _log_of(path)
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"the database {path} is empty or gone, but its log {log} holds data; "
            "put both back together, or move the log away"
        )
    if path.exists():
        return False
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE))
    return True


def _unmake(path: Path) -> None:
    for made in (path, _log_of(path), _index_of(path)):
        with contextlib.suppress(OSError):
            made.unlink(missing_ok=True)


def _log_of(path: Path) -> Path:
    return Path(f"{path}-wal")


def _index_of(path: Path) -> Path:
    """Return the file that SQLite keeps beside a log while somebody reads it."""
    return Path(f"{path}-shm")


def _connected(database: str, timeout_ms: int, *, uri: bool) -> sqlite3.Connection:
    return sqlite3.connect(
        database,
        uri=uri,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS_CACHED,
        timeout=timeout_ms / 1000,
    )


# before anything is written


def _examine(path: Path) -> None:
    """Find the file whole and ours; raises StoreError, sqlite3.Error, OSError, and leaves it as it is."""
    _check_log(path)
    with _reading(path) as connection:
        _check_ours(connection, path)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    beside = [file for file in (_log_of(path), _index_of(path)) if not file.exists()]
    connection = _connected(f"file:{quote(str(path.resolve()))}?mode=ro", OPEN_TIMEOUT_MS, uri=True)
    try:
        yield connection
    finally:
        connection.close()
        for file in beside:
            # Reading a database in WAL mode makes them, empty.
            file.unlink(missing_ok=True)


def _check_log(path: Path) -> None:
    """Refuse a log whose header is damaged: SQLite would take it for empty and lose all that stands in it."""
    log = _log_of(path)
    if not log.exists():
        return
    with log.open("rb") as file:
        header = file.read(_LOG_HEADER.size)
    if len(header) == _LOG_HEADER.size and any(header) and not _is_log_header(header):
        raise StoreError(f"the log {log} of the database is damaged; restore a copy of both, or name another file")


def _is_log_header(header: bytes) -> bool:
    magic, *_, sum_1, sum_2 = _LOG_HEADER.unpack(header)
    order = _LOG_MAGICS.get(magic)
    if order is None:
        return False
    one = two = 0
    words = struct.unpack(f"{order}6I", header[:24])
    for even, odd in zip(words[::2], words[1::2], strict=True):
        one = (one + even + two) & 0xFFFFFFFF
        two = (two + odd + one) & 0xFFFFFFFF
    return (one, two) == (sum_1, sum_2)


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
        _check_whole(connection, path, version)


def _check_whole(connection: sqlite3.Connection, path: Path, version: int) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreError(f"the database {path} is damaged ({_one_line(found)}); restore a copy or name another file")
    with contextlib.closing(_connected(":memory:", 0, uri=False)) as model:
        _apply(model, 0, version)
        missing = _shape(model) - _shape(connection)
    if missing:
        raise StoreError(
            f"the database {path} lacks {min(missing)} of schema version {version}: it is damaged or was changed by "
            "hand; restore a copy or name another file"
        )


def _shape(connection: sqlite3.Connection) -> set[str]:
    """Return every table, column and index by name."""
    columns = "SELECT 'the column ' || m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
    rows = connection.execute(
        f"SELECT 'the ' || type || ' ' || name FROM sqlite_schema UNION {columns} WHERE m.type = 'table'"
    )
    return {name for (name,) in rows}


# writing


def _prepare(connection: sqlite3.Connection, path: Path, synchronous: Synchronous) -> None:
    """Set the file up and bring it up to date."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"the database {path} can't keep a write-ahead log ({mode}); put it on a local disk")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("BEGIN IMMEDIATE")
    # Asked again inside the transaction: another process may have made the tables meanwhile.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    _apply(connection, version, SCHEMA_VERSION)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    # Written even when it stands there: SQLite opens a file that can't be written all the same, and says so only now.
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _apply(connection: sqlite3.Connection, version: int, target: int) -> None:
    """Make the tables, or change those of an older version, within the caller's transaction."""
    steps = {1: SCHEMA_1, **MIGRATIONS}
    for step in range(version + 1, target + 1):
        for statement in steps[step]:
            connection.execute(statement)


def _one_line(text: str) -> str:
    """Join what SQLite says in several lines: a refusal is one."""
    return "; ".join(line.strip() for line in text.splitlines() if line.strip())
