"""Hashes over the years: one made at another cost is made again when its password comes by (contract §2 login)."""

import asyncio
import sqlite3
from pathlib import Path
from queue import SimpleQueue

import argon2
import pytest

from reference_server.contract import limits
from reference_server.core.passwords import PasswordCost
from reference_server.environment_asyncio import PasswordHasher
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

    assert PasswordCost().outdates(made) == outdated


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
        assert remade.startswith(PasswordCost().prefix)
        assert server.call("POST", "/users/login", json=login).status_code == 200
        assert stored_hash(db) == remade


def test_hashes_cost_what_the_settings_say(tmp_path: Path) -> None:
    db = tmp_path / "zerostate.db"
    with ServerProcess("--db", str(db), "--password-cost", "64:1:1") as server:
        server.register(EMAIL)

    assert stored_hash(db).startswith("$argon2id$v=19$m=64,t=1,p=1$")


class Blocked:
    """A password that keeps its thread at work until it is let go; tells how many were at work at once."""

    def __init__(self) -> None:
        self.go: SimpleQueue[None] = SimpleQueue()
        self.at_work: list[None] = []
        self.at_work_max = 0

    def encode(self, *_: object) -> bytes:
        self.at_work.append(None)
        self.at_work_max = max(self.at_work_max, len(self.at_work))
        self.go.get(timeout=20)
        self.at_work.pop()
        return b"a password"


def test_2_threads_hash_and_64_wait_and_the_next_is_refused_at_once() -> None:
    password = Blocked()
    places = limits.HASH_THREADS_MAX + limits.HASH_WAITING_MAX

    async def run() -> tuple[list[str | None], list[str | None]]:
        hasher = PasswordHasher(asyncio.get_running_loop(), PasswordCost(8, 1, 1))
        made: list[str | None] = []
        all_made = asyncio.Event()

        def done(made_hash: str | None) -> None:
            made.append(made_hash)
            if len(made) > places:
                all_made.set()

        for _ in range(places + 1):
            hasher.hash(password, done)  # type: ignore[arg-type]
        await asyncio.sleep(0)
        refused = list(made)
        for _ in range(places):
            password.go.put(None)
        await asyncio.wait_for(all_made.wait(), 20)
        hasher.close()
        return refused, made

    refused, made = asyncio.run(run())
    assert refused == [None]
    assert len([one for one in made if one is not None]) == places
    assert password.at_work_max <= limits.HASH_THREADS_MAX
