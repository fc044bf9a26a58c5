"""Looks at a database file before anything is written to it: whole and ours, or refused in words and left as it is.

It is read through a connection that can't write, because closing one that can would fold the log into a file that is
damaged. What SQLite takes silently for the end of a log, or deletes, is looked for first.
"""

import contextlib
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from reference_server.store.base import Found, StoreError
from reference_server.store.sqlite_file import OPEN_TIMEOUT_MS, apply, connected, index_of, log_of, one_line, refusal
from reference_server.store.sqlite_schema import (
    APPLICATION_ID,
    BLOBS_SINCE,
    IDENTITY_SINCE,
    SCHEMA_VERSION,
    blobs_of,
    identity_of,
)

INTEGRITY_BYTES_MAX: Final = 64 * 1024 * 1024
"""How large a database may be for its indexes to be held against its rows at every start.

That takes some 10 ms a MiB (0.35 s for 100,000 tasks in 48 MB), so that a start stays under a second; a larger one is
looked at page by page, five times as fast, and what contradicts itself is found when it is used.
"""
_LOG_HEADER: Final = struct.Struct(">8I")
_LOG_MAGICS: Final = {0x377F0682: "<", 0x377F0683: ">"}
"""What a log begins with, and the byte order of its checksums (SQLite's file format §4.1)."""


def examined(path: Path) -> Found:
    """Find the file whole and ours, or nothing there yet; raises StoreError and leaves everything as it is."""
    try:
        _check_one_name(path)
        if _is_new(path):
            return Found(is_new=True)
        _check_log(path)
        with _reading(path) as connection:
            return _check_ours(connection, path)
    except (OSError, sqlite3.Error, UnicodeDecodeError) as fault:
        raise StoreError(refusal(path, fault)) from fault


def _is_new(path: Path) -> bool:
    if path.exists() and path.stat().st_size:
        return False
    log = log_of(path)
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"the database {path} is empty or gone, but its log {log} holds data; "
            "put both back together, or move the log away"
        )
    return True


def _check_one_name(path: Path) -> None:
    """Refuse a hard link: each name would have a lock and a log of its own, and two servers would destroy the file."""
    if path.is_file() and (names := path.stat().st_nlink) > 1:
        raise StoreError(
            f"the database {path} has {names} names (hard links), and its log belongs to one of them; "
            "remove the others, or make copies of them"
        )


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    beside = [file for file in (log_of(path), index_of(path)) if not file.exists()]
    connection = connected(f"file:{quote(str(path.resolve()))}?mode=ro", OPEN_TIMEOUT_MS, uri=True)
    try:
        yield connection
    finally:
        connection.close()
        for file in beside:
            # Reading a database in WAL mode makes them, empty.
            file.unlink(missing_ok=True)


def _check_log(path: Path) -> None:
    """Refuse a log whose header is damaged: SQLite would take it for empty and lose all that stands in it."""
    log = log_of(path)
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


def _check_ours(connection: sqlite3.Connection, path: Path) -> Found:
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
    return Found(
        is_new=version == 0,
        identity=identity_of(connection) if version >= IDENTITY_SINCE else None,
        blobs=frozenset(blobs_of(connection)) if version >= BLOBS_SINCE else frozenset(),
    )


def _check_whole(connection: sqlite3.Connection, path: Path, version: int) -> None:
    (found,) = connection.execute(f"PRAGMA {_check_of(connection)}(1)").fetchone()
    if found != "ok":
        raise StoreError(f"the database {path} is damaged ({one_line(found)}); restore a copy or name another file")
    with contextlib.closing(connected(":memory:", 0, uri=False)) as model:
        apply(model, 0, version)
        missing = _shape(model) - _shape(connection)
    if missing:
        raise StoreError(
            f"the database {path} lacks {min(missing)} of schema version {version}: it is damaged or was changed by "
            "hand; restore a copy or name another file"
        )


def _check_of(connection: sqlite3.Connection) -> str:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return "integrity_check" if pages * page_bytes <= INTEGRITY_BYTES_MAX else "quick_check"


def _shape(connection: sqlite3.Connection) -> set[str]:
    """Return every table, column and index by name."""
    columns = "SELECT 'the column ' || m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c"
    rows = connection.execute(
        f"SELECT 'the ' || type || ' ' || name FROM sqlite_schema UNION {columns} WHERE m.type = 'table'"
    )
    return {name for (name,) in rows}
