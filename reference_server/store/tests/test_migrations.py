"""Older databases: brought up to date with all that they hold, or left as they were."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from reference_server.core.rows import AccountRow, AgentRow
from reference_server.store import SqliteStore, StoreError
from reference_server.store.sqlite_file import apply
from reference_server.store.sqlite_schema import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    TASK_COLUMNS,
    task_values,
    values_of,
)
from reference_server.store.tests.rows import account, agent, deployment, id_of, key, task
from reference_server.store.tests.rows import version as binary


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    """Insert what the table has columns for."""
    columns = [name for (name,) in connection.execute(f"SELECT name FROM pragma_table_info('{table}')")]
    places = ", ".join("?" * len(columns))
    connection.execute(f"INSERT INTO {table} VALUES ({places})", [row[name] for name in columns])


def database_of(version: int, path: Path) -> None:
    """Make what an older version left: its tables, accounts, an agent, tasks, and a row of each that version 2 adds."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        apply(connection, 0, version)
        for number in (1, 2):
            insert(
                connection, "accounts", dict(zip(AccountRow.__struct_fields__, values_of(account(number)), strict=True))
            )
        insert(connection, "agents", dict(zip(AgentRow.__struct_fields__, values_of(agent(1)), strict=True)))
        for number in range(1, 8):
            columns = [*TASK_COLUMNS.split(", "), "rank"]
            insert(connection, "tasks", dict(zip(columns, task_values(task(number)), strict=True)))
        connection.execute("INSERT INTO revoked_tokens VALUES ('a token', 9)")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        if version > 1:
            rows = (("api_keys", key(1)), ("versions", binary(1)), ("deployments", deployment(1)))
            for table, row in rows:
                values = values_of(row)
                connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(values))})", values)


@pytest.mark.parametrize("version", [1, 2])
def test_a_database_of_an_older_version_is_brought_up_to_date_with_all_that_it_holds(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "store.db"
    database_of(version, path)
    wanted = [task(number) for number in range(1, 8)]
    identities = set()
    for _ in range(2):
        store = SqliteStore(path)
        assert store.transact(lambda tx: [tx.account(id_of(number)) for number in (1, 2)]) == [account(1), account(2)]
        assert store.transact(lambda tx: tx.agent("agent_001")) == agent(1)
        assert store.transact(lambda tx: [tx.task(row.id) for row in wanted]) == wanted
        assert store.transact(lambda tx: tx.token_revoked("a token"))
        found = store.transact(lambda tx: (tx.key(key(1).id), tx.version("agent_001", binary(1).version)))
        assert found == ((None, None) if version == 1 else (key(1), binary(1)))
        assert store.transact(lambda tx: tx.deployment(deployment(1).id)) == (deployment(1) if version > 1 else None)
        identities.add(store.identity)
        store.close()
    assert len(identities) == 1

    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_migration_that_fails_leaves_the_older_version_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    database_of(1, path)
    # In the way of a table that the second version brings.
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE deployments (theirs TEXT)")
        before = connection.execute("SELECT name, sql FROM sqlite_schema").fetchall()

    with pytest.raises(StoreError, match="already exists"):
        SqliteStore(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name, sql FROM sqlite_schema").fetchall() == before
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
