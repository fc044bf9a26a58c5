"""Hashes over the years: one made at another cost is made again when its password comes by (contract §2 login)."""

import sqlite3
from pathlib import Path

import argon2
import pytest

from reference_server.contract import limits
from reference_server.core.accounts import CURRENT_HASH, hash_outdated
from reference_server.tests.process import PERSON, ServerProcess

EMAIL = "ann@example.org"


def stored_hash(db: Path) -> str:
    connection = sqlite3.connect(db)
    (found,) = connection.execute("SELECT password_hash FROM accounts WHERE email = ?", (EMAIL,)).fetchone()
    connection.close()
    return str(found)


def store_hash(db: Path, password_hash: str) -> None:
    connection = sqlite3.connect(db)
    with connection:
        connection.execute("UPDATE accounts SET password_hash = ? WHERE email = ?", (password_hash, EMAIL))
    connection.close()


@pytest.mark.parametrize(
    ("time_cost", "memory_kib", "kind", "outdated"),
    [
        (limits.ARGON2_TIME_COST, limits.ARGON2_MEMORY_KIB, argon2.Type.ID, False),
        (1, limits.ARGON2_MEMORY_KIB, argon2.Type.ID, True),
        (limits.ARGON2_TIME_COST, 64, argon2.Type.ID, True),
        (limits.ARGON2_TIME_COST, limits.ARGON2_MEMORY_KIB, argon2.Type.I, True),
    ],
)
def test_a_hash_of_another_cost_is_outdated(time_cost: int, memory_kib: int, kind: argon2.Type, outdated: bool) -> None:
    made = argon2.PasswordHasher(time_cost, memory_kib, limits.ARGON2_PARALLELISM, type=kind).hash("x")

    assert hash_outdated(made) == outdated


def test_an_outdated_hash_is_made_again_at_login_and_only_by_the_right_password(tmp_path: Path) -> None:
    db = tmp_path / "zerostate.db"
    login = {"email": EMAIL, "password": PERSON["password"]}
    with ServerProcess("--db", str(db)) as server:
        server.register(EMAIL)
        old = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PERSON["password"])
        store_hash(db, old)

        assert server.call("POST", "/users/login", json=login | {"password": "a wrong one"}).status_code == 401
        assert stored_hash(db) == old
        assert server.call("POST", "/users/login", json=login).status_code == 200
        remade = stored_hash(db)
        assert remade.startswith(CURRENT_HASH)
        assert server.call("POST", "/users/login", json=login).status_code == 200
        assert stored_hash(db) == remade
