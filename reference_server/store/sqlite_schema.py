"""The tables of the SQLite store, their version, and the mapping between rows and columns.

`user_version` holds the schema's version; a file with a newer one, or one that is not ours, is refused and left as
it is; an older one is brought up to date by `MIGRATIONS`. There are no foreign keys: accounts and tasks are never
deleted, and a task may outlive its agent.
"""

import sqlite3
from typing import Any, Final

import msgspec

from reference_server.core.rows import AccountRow, AgentRow, DeploymentRow, KeyRow, TaskRow, VersionRow
from reference_server.store.ranks import RANK

SCHEMA_VERSION: Final = 3
BLOBS_SINCE: Final = 2
IDENTITY_SINCE: Final = 3
APPLICATION_ID: Final = 0x5A535248
"""Marks a file as ours ("ZSRH"), so that another program's database is not taken for an empty one."""

UNFINISHED: Final = "status IN ('queued', 'assigned', 'running')"

SCHEMA_1: Final = (
    """CREATE TABLE accounts (
        id TEXT PRIMARY KEY, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, full_name TEXT NOT NULL,
        password_hash TEXT NOT NULL, role TEXT NOT NULL, created_at_ns INTEGER NOT NULL,
        revoked_until_ns INTEGER NOT NULL, issued_until_ns INTEGER NOT NULL) WITHOUT ROWID""",
    "CREATE TABLE revoked_tokens (jti TEXT PRIMARY KEY, expires_at_ns INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at_ns)",
    """CREATE TABLE agents (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT NOT NULL, capabilities TEXT NOT NULL,
        status TEXT NOT NULL, price REAL NOT NULL, tasks_completed INTEGER NOT NULL, rating REAL NOT NULL,
        created_at_ns INTEGER NOT NULL, updated_at_ns INTEGER NOT NULL, owner_id TEXT) WITHOUT ROWID""",
    """CREATE TABLE tasks (
        id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL, position INTEGER PRIMARY KEY, created_at_ns INTEGER NOT NULL,
        updated_at_ns INTEGER NOT NULL, query TEXT NOT NULL, constraints TEXT NOT NULL, priority TEXT NOT NULL,
        status TEXT NOT NULL, timeout_s REAL NOT NULL, budget REAL NOT NULL, retry_count INTEGER NOT NULL,
        actual_cost REAL NOT NULL, revision INTEGER NOT NULL, due_at_ns INTEGER NOT NULL, planned_outcome TEXT,
        assigned_to TEXT, result TEXT, error TEXT, started_at_ns INTEGER, attempt_started_at_ns INTEGER,
        completed_at_ns INTEGER, leased_by TEXT, rank INTEGER NOT NULL)""",
    "CREATE INDEX tasks_of_user ON tasks (user_id, created_at_ns DESC, id)",
    "CREATE INDEX tasks_eligible ON tasks (rank DESC, position) WHERE status = 'queued'",
    f"CREATE INDEX tasks_due ON tasks (status, due_at_ns, position) WHERE {UNFINISHED}",
    "CREATE INDEX tasks_unfit ON tasks (position) WHERE status = 'queued' AND planned_outcome IS NOT NULL",
)
"""The statements of an empty database of the first version; columns stand in the order of the rows' fields."""

MIGRATIONS: Final[dict[int, tuple[str, ...]]] = {
    2: (
        "ALTER TABLE accounts ADD COLUMN avatar TEXT",
        "ALTER TABLE accounts ADD COLUMN avatar_type TEXT",
        "ALTER TABLE tasks ADD COLUMN price REAL NOT NULL DEFAULT 0",
        "CREATE UNIQUE INDEX accounts_avatar ON accounts (avatar) WHERE avatar IS NOT NULL",
        "ALTER TABLE agents ADD COLUMN manifest TEXT NOT NULL DEFAULT '{}'",
        """CREATE TABLE api_keys (
            id TEXT PRIMARY KEY, account_id TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL,
            environment TEXT NOT NULL, prefix TEXT NOT NULL, last4 TEXT NOT NULL, key_hash TEXT NOT NULL UNIQUE,
            status TEXT NOT NULL, created_at_ns INTEGER NOT NULL, last_used_at_ns INTEGER) WITHOUT ROWID""",
        "CREATE INDEX api_keys_of_account ON api_keys (account_id, position)",
        "CREATE INDEX api_keys_position ON api_keys (position)",
        """CREATE TABLE versions (
            agent_id TEXT NOT NULL, version TEXT NOT NULL, position INTEGER NOT NULL, blob TEXT NOT NULL,
            binary_hash TEXT NOT NULL, binary_size INTEGER NOT NULL, created_at_ns INTEGER NOT NULL,
            PRIMARY KEY (agent_id, version)) WITHOUT ROWID""",
        "CREATE INDEX versions_position ON versions (position)",
        """CREATE TABLE deployments (
            id TEXT PRIMARY KEY, user_id TEXT NOT NULL, agent_id TEXT NOT NULL, position INTEGER NOT NULL,
            status TEXT NOT NULL, environment TEXT NOT NULL, config TEXT NOT NULL, created_at_ns INTEGER NOT NULL,
            updated_at_ns INTEGER NOT NULL) WITHOUT ROWID""",
        "CREATE INDEX deployments_of_user ON deployments (user_id, position)",
        "CREATE INDEX deployments_of_agent ON deployments (agent_id, position)",
        "CREATE INDEX deployments_position ON deployments (position)",
    ),
    3: (
        "CREATE TABLE identity (id TEXT PRIMARY KEY) WITHOUT ROWID",
        # Drawn by SQLite, so that this stays a list of statements; a copy of the file is the same database.
        "INSERT INTO identity VALUES (lower(hex(randomblob(16))))",
    ),
}
"""What leads from the version before to each version; a database of any age goes through all that are above its own."""


class DamagedError(sqlite3.DatabaseError):
    """Rows or columns contradict what only this program writes; known by its code as SQLite's own finds are."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


TASK_COLUMNS: Final = ", ".join("position" if name == "order" else name for name in TaskRow.__struct_fields__)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def newest(
    connection: sqlite3.Connection, table: str, column: str, value: str, limit: int | None
) -> tuple[list[tuple[Any, ...]], int]:
    """Return the rows with the greatest positions (None: all), greatest first, and how many have the value in all."""
    (total,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (value,)).fetchone()
    statement = f"SELECT * FROM {table} WHERE {column} = ? ORDER BY position DESC LIMIT ?"
    return connection.execute(statement, (value, total if limit is None else limit)).fetchall(), total


def identity_of(connection: sqlite3.Connection) -> str:
    """Return what tells a database from every other that is not a copy of it; raises DamagedError."""
    found = connection.execute("SELECT id FROM identity").fetchall()
    if len(found) != 1:
        raise DamagedError(f"it has {len(found)} identities, expected 1")
    identity: str = found[0][0]
    return identity


def blobs_of(connection: sqlite3.Connection) -> list[str]:
    """Return the name of every blob that a row points at."""
    statement = "SELECT blob FROM versions UNION SELECT avatar FROM accounts WHERE avatar IS NOT NULL"
    return [name for (name,) in connection.execute(statement)]


def values_of(row: AccountRow | AgentRow | KeyRow | VersionRow | DeploymentRow) -> list[Any]:
    """Return a row's fields as SQLite's values, in the order of its columns."""
    return [
        _encode(value).decode() if isinstance(value, tuple | dict) else value for value in msgspec.structs.astuple(row)
    ]


def agent_of(values: tuple[Any, ...]) -> AgentRow:
    """Return the agent in these columns; raises DamagedError."""
    fields = dict(zip(AgentRow.__struct_fields__, values, strict=True))
    return AgentRow(
        **fields | {"capabilities": tuple(_json(fields["capabilities"])), "manifest": _json(fields["manifest"])}
    )


def task_values(row: TaskRow) -> list[Any]:
    """Return a task's columns and its rank."""
    values = list(msgspec.structs.astuple(row))
    values[_CONSTRAINTS] = _encode(row.constraints).decode()
    values[_RESULT] = None if row.result is None else _encode(row.result).decode()
    return [*values, RANK[row.priority]]


def task_of(values: tuple[Any, ...]) -> TaskRow:
    """Return the task in these columns; raises DamagedError."""
    fields = list(values)
    fields[_CONSTRAINTS] = _json(fields[_CONSTRAINTS])
    fields[_RESULT] = None if fields[_RESULT] is None else _json(fields[_RESULT])
    return TaskRow(*fields)


def _json(text: str) -> Any:
    try:
        return _decode(text)
    except msgspec.DecodeError as fault:
        raise DamagedError("a column that should hold JSON does not") from fault


_CONSTRAINTS: Final = TaskRow.__struct_fields__.index("constraints")
_RESULT: Final = TaskRow.__struct_fields__.index("result")
