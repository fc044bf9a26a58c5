"""`--accounts N`: the same accounts after every start, fresh tokens in a private file, all or nothing."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from reference_server.core.calls import Caller
from reference_server.core.numbered_accounts import AccountToken, Numbered, numbered_accounts
from reference_server.core.passwords import PasswordCost
from reference_server.settings.secrets_file import AccountsFile
from reference_server.settings.values import Settings, SettingsError
from reference_server.start import BATCH, Start
from reference_server.store import MemoryStore
from reference_server.tests.desk import Desk, shown
from reference_server.tests.process import ServerProcess
from reference_server.tests.test_process import refused
from reference_server.tests.virtual import VirtualEnvironment


def made(desk: Desk, numbers: Sequence[int]) -> tuple[Numbered, ...]:
    return desk.store.transact(lambda tx: numbered_accounts(tx, desk.context(), numbers, "nobody's hash"))


def test_the_same_numbers_are_the_same_accounts_with_other_tokens() -> None:
    desk = Desk()
    first, again = made(desk, [1, 2]), made(desk, [2, 3])

    assert first[1].id == again[0].id
    assert first[1].claims["jti"] != again[0].claims["jti"]
    assert len({one.id for one in (*first, *again)}) == 3


def test_a_token_acts_until_its_account_logs_out_everywhere() -> None:
    desk = Desk()
    (one,) = made(desk, [7])
    caller = desk.judged(one.claims)
    assert isinstance(caller, Caller)
    assert shown(desk.decide("me", caller).answer)["email"] == "account-00007@accounts.zerostate.local"

    desk.decide("logout", caller, {"all": True})
    assert desk.judged(one.claims) == "revoked"


class Heard:
    def __init__(self, fail_at: int = 0) -> None:
        self.batches: list[int] = []
        self.finished = False
        self.fail_at = fail_at

    def add(self, accounts: Sequence[AccountToken]) -> None:
        self.batches.append(len(accounts))
        if len(self.batches) == self.fail_at:
            raise OSError(28, "No space left on device")

    def finish(self) -> None:
        self.finished = True


def started(heard: Heard, count: int) -> tuple[list[str], list[Exception]]:
    environment, desk = VirtualEnvironment(), Desk()
    done: list[str] = []
    failed: list[Exception] = []
    start = Start(environment, MemoryStore(), desk.context, lambda _: None, failed.append, PasswordCost())
    start.number_accounts(count, heard, lambda: done.append("done"))
    environment.run()
    return done, failed


def test_they_are_made_in_batches_and_told_before_the_start_is_done() -> None:
    heard = Heard()

    assert started(heard, 2 * BATCH + 1) == (["done"], [])
    assert (heard.batches, heard.finished) == ([BATCH, BATCH, 1], True)


def test_a_disk_that_fills_up_on_the_way_fails_the_start() -> None:
    heard = Heard(fail_at=2)
    done, failed = started(heard, 3 * BATCH)

    assert (done, heard.finished) == ([], False)
    assert [str(fault) for fault in failed] == ["[Errno 28] No space left on device"]


def told(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_file_only_we_can_read_holds_tokens_that_work_and_outlive_a_restart(tmp_path: Path) -> None:
    arguments = ("--db", str(tmp_path / "z.db"), "--limits", "off", "--accounts", "3")
    file = tmp_path / "z.db.accounts"
    with ServerProcess(*arguments) as server:
        first = told(file)
        assert [set(line) for line in first] == [{"id", "email", "token"}] * 3
        assert file.stat().st_mode & 0o777 == 0o600
        assert [server.call("GET", "/users/me", line["token"]).json()["id"] for line in first] == [
            line["id"] for line in first
        ]
        login = {"email": first[0]["email"], "password": "any password"}
        assert server.call("POST", "/users/login", json=login).status_code == 401
        assert server.end() == 0
    with ServerProcess(*arguments) as server:
        again = told(file)
        assert [line["id"] for line in again] == [line["id"] for line in first]
        assert {line["token"] for line in again}.isdisjoint(line["token"] for line in first)
        for line in (*first, *again):
            assert server.call("GET", "/users/me", line["token"]).status_code == 200
        assert not Path(f"{file}.new").exists()


def test_a_place_that_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    line = refused(
        "--port", "0", "--db", str(tmp_path / "z.db"), "--accounts", "1", "--accounts-file", str(tmp_path / "no/where")
    )

    assert "can't write the accounts to" in line
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_or_a_device_is_refused_and_left_where_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "accounts"
    os.mkfifo(pipe)
    with pytest.raises(SettingsError, match="it is there and no file; choose another --accounts-file"):
        AccountsFile(pipe)

    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize(
    ("file", "path"), [(None, Path("z.db.accounts")), (Path("elsewhere.jsonl"), Path("elsewhere.jsonl"))]
)
def test_the_file_lies_beside_the_database_or_where_it_is_named(file: Path | None, path: Path) -> None:
    assert Settings(db="z.db", accounts_file=file).accounts_path == path
