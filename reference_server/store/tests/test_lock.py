"""The lock of a database: one holder at a time, by whatever name, until it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from reference_server.store.base import StoreError
from reference_server.store.lock import DatabaseLock

HOLD = (
    "import sys; from pathlib import Path; from reference_server.store.lock import DatabaseLock; "
    "lock = DatabaseLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def test_one_holds_it_at_a_time_and_leaves_nothing(tmp_path: Path) -> None:
    database = tmp_path / "z.db"
    lock = DatabaseLock(database)
    with pytest.raises(StoreError, match="in use by another server process"):
        DatabaseLock(database)
    lock.release()
    lock.release()
    assert list(tmp_path.iterdir()) == []

    DatabaseLock(database).release()


def test_another_name_of_the_database_is_the_same_lock(tmp_path: Path) -> None:
    database = tmp_path / "z.db"
    database.touch()
    other = tmp_path / "other.db"
    other.symlink_to(database)
    lock = DatabaseLock(other)

    with pytest.raises(StoreError, match="in use"):
        DatabaseLock(database)
    lock.release()


def test_kill_9_releases_it(tmp_path: Path) -> None:
    database = tmp_path / "z.db"
    command = [sys.executable, "-c", HOLD, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="in use"):
            DatabaseLock(database)
        holder.kill()

    DatabaseLock(database).release()


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"can't be locked .*; check that the folder exists and is writable"):
        DatabaseLock(tmp_path / "nowhere" / "z.db")
