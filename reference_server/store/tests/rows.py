"""Rows for the tests of stores."""

from typing import Any
from uuid import UUID

from reference_server.core.rows import (
    AccountRow,
    AgentRow,
    DeploymentRow,
    KeyRow,
    TaskRow,
    VersionRow,
    replaced,
    replaced_account,
    replaced_agent,
    replaced_deployment,
    replaced_key,
)
from reference_server.core.transaction import Transaction
from reference_server.store.base import Store

NOW_NS = 1_800_000_000_000_000_000


def id_of(number: int) -> str:
    """Return a UUID v4 that is the same in every run."""
    return str(UUID(int=number, version=4))


def account(number: int, **changes: Any) -> AccountRow:
    """Return an account; its e-mail follows from its number."""
    email = f"P{number}@example.org"
    row = AccountRow(id_of(number), email, email.casefold(), f"Person {number}", "hash", "user", NOW_NS)
    return replaced_account(row, **changes)


def agent(number: int, **changes: Any) -> AgentRow:
    """Return an active agent whose price is its number."""
    row = AgentRow(
        id=f"agent_{number:03}",
        name=f"Agent {number}",
        description="Does what it says.",
        capabilities=("query-processing", f"skill_{number}"),
        status="active",
        price=float(number),
        tasks_completed=0,
        rating=4.5,
        created_at_ns=NOW_NS,
        updated_at_ns=NOW_NS,
    )
    return replaced_agent(row, **changes)


def task(number: int, **changes: Any) -> TaskRow:
    """Return a queued task of account 1, due at once, whose order is its number."""
    row = TaskRow(
        id=id_of(1000 + number),
        user_id=id_of(1),
        order=number,
        created_at_ns=NOW_NS + number,
        updated_at_ns=NOW_NS + number,
        query=f"q{number} ä\U0001f600",
        constraints={"a": [1, {"b": None}], "ü": 0.1},
        priority="normal",
        status="queued",
        timeout_s=30.0,
        budget=1.5,
        due_at_ns=NOW_NS,
    )
    return replaced(row, **changes)


def put(store: Store, *rows: AccountRow | AgentRow | TaskRow | KeyRow | VersionRow | DeploymentRow) -> None:
    """Write new rows in one transaction."""

    def work(tx: Transaction) -> None:
        for row in rows:
            match row:
                case AccountRow():
                    tx.insert_account(row)
                case AgentRow():
                    tx.put_agent(row)
                case TaskRow():
                    tx.put_task(row)
                case KeyRow():
                    tx.put_key(row)
                case VersionRow():
                    tx.insert_version(row)
                case DeploymentRow():
                    tx.put_deployment(row)

    store.transact(work)


def key(number: int, **changes: Any) -> KeyRow:
    """Return an active API key of account 1 whose order is its number."""
    row = KeyRow(
        id=id_of(2000 + number),
        account_id=id_of(1),
        order=number,
        name=f"key {number}",
        environment="live",
        prefix="zs_live_",
        last4=f"{number:04}",
        key_hash=f"{number:064x}",
        status="active",
        created_at_ns=NOW_NS,
    )
    return replaced_key(row, **changes)


def version(number: int, agent_number: int = 1) -> VersionRow:
    """Return a binary of an agent whose order is its number."""
    return VersionRow(f"agent_{agent_number:03}", f"1.0.{number}", number, f"blob{number}", "ab" * 32, 2048, NOW_NS)


def deployment(number: int, **changes: Any) -> DeploymentRow:
    """Return account 1's deployment of agent 1 whose order is its number."""
    row = DeploymentRow(
        id=id_of(3000 + number),
        user_id=id_of(1),
        agent_id="agent_001",
        order=number,
        status="deployed",
        environment="staging",
        config='{"ü": 1}',
        created_at_ns=NOW_NS,
        updated_at_ns=NOW_NS,
    )
    return replaced_deployment(row, **changes)
