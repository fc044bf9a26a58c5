"""Damaged databases and those that can't be written: refused in words with every byte left as it is."""

import contextlib
import os
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reference_server.store import SqliteStore, StoreError
from reference_server.store.tests.rows import account, id_of, put, task

NOBODY = 65534


def left_open(path: Path, tasks: int = 50) -> None:
    """Leave a database as a killed process does: part of it is in its log alone."""
    store = SqliteStore(path)
    put(store, account(1), *(task(number) for number in range(1, tasks + 1)))
    copies = {name: Path(f"{path}{name}").read_bytes() for name in ("", "-wal")}
    store.close()
    for name, content in copies.items():
        Path(f"{path}{name}").write_bytes(content)


def folded(path: Path) -> Path:
    """Fold the log into the database: as long as it has a page, the file's own is not looked at."""
    SqliteStore(path).close()
    return path


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def refused(path: Path) -> str:
    before = files(path.parent)
    with pytest.raises(StoreError) as raised:
        SqliteStore(path)
    assert files(path.parent) == before
    sentence = str(raised.value)
    assert len(sentence.splitlines()) == 1
    return sentence


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(content)


def execute(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    left_open(tmp_path / "store.db")
    return tmp_path / "store.db"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: overwrite(folded(path), 0, b"\xa5" * 4096), "no SQLite database or is damaged"),
        (lambda path: overwrite(folded(path), 18, b"\xff" * 82), "database"),
        (lambda path: overwrite(folded(path), 8192, b"\xa5" * 8192), "is damaged"),
        (lambda path: overwrite(Path(f"{path}-wal"), 0, b"\xa5" * 32), "-wal of the database is damaged"),
        (lambda path: overwrite(Path(f"{path}-wal"), 9, b"\xa5"), "-wal of the database is damaged"),
        (lambda path: path.write_bytes(b""), "is empty or gone, but its log"),
        (lambda path: path.unlink(), "is empty or gone, but its log"),
    ],
    ids=[
        "garbage",
        "garbled header",
        "garbled pages",
        "garbled log",
        "one byte of the log's header",
        "emptied",
        "gone",
    ],
)
def test_a_damaged_database_is_refused_and_neither_it_nor_its_log_is_touched(
    path: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(path)

    assert said in refused(path)


def garble_id(path: Path, id_: str, followed_by: str) -> None:
    """Change a byte of an id in its row alone: the indexes go on telling the right one."""
    content = path.read_bytes()
    where = content.index((id_ + followed_by).encode())
    overwrite(path, where + 3, b"f")


def test_a_row_that_its_index_no_longer_finds_is_damage(path: Path) -> None:
    garble_id(folded(path), id_of(1), account(1).email)

    assert "is damaged" in refused(path)


def test_a_database_over_the_bound_is_opened_and_what_contradicts_itself_is_found_when_it_is_used(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    garble_id(folded(path), id_of(1), account(1).email)
    monkeypatch.setattr("reference_server.store.sqlite_examination.INTEGRITY_BYTES_MAX", 0)
    store = SqliteStore(path)

    with pytest.raises(StoreError, match=r"belongs to no account, and is taken.*it is damaged; restore a copy"):
        put(store, account(1))
    store.close()


@pytest.mark.parametrize("column", ["constraints", "query"])
def test_a_column_of_other_bytes_is_damage_and_they_are_not_quoted(path: Path, column: str) -> None:
    execute(folded(path), f"UPDATE tasks SET {column} = CAST(x'7B22736563726574223AFF' AS TEXT)")
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="it is damaged; restore a copy") as raised:
        store.read(lambda tx: tx.task(task(1).id))
    store.close()

    assert "secret" not in str(raised.value)


def test_a_column_that_is_no_json_is_damage(path: Path) -> None:
    execute(folded(path), "UPDATE tasks SET constraints = '{'")
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"should hold json does not.*it is damaged"):
        store.read(lambda tx: tx.task(task(1).id))
    store.close()


def test_a_schema_of_bytes_that_are_no_text_is_damage(path: Path) -> None:
    """Python can't even decode what SQLite says of it."""
    content = folded(path).read_bytes()
    overwrite(path, content.index(b"CREATE TABLE agents") + 8, b"\xc1")

    assert "it is damaged" in refused(path)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM identity", "INSERT INTO identity VALUES ('another')"], ids=["none", "two"]
)
def test_a_database_that_has_not_one_identity_is_damaged(path: Path, statement: str) -> None:
    execute(folded(path), statement)

    assert "it is damaged" in refused(path)


@pytest.mark.parametrize("seed", range(3))
def test_a_byte_that_changed_anywhere_is_found_in_words_or_changes_nothing_but_a_value(path: Path, seed: int) -> None:
    """What no index holds has nothing to be compared with."""
    chance, whole = random.Random(seed), folded(path).read_bytes()
    for _ in range(60):
        where = chance.choice([at for at, byte in enumerate(whole) if byte])
        path.write_bytes(whole[:where] + bytes([whole[where] ^ 1 << chance.randrange(8)]) + whole[where + 1 :])
        with contextlib.suppress(StoreError), contextlib.closing(SqliteStore(path)) as store:
            store.read(lambda tx: (tx.account(id_of(1)), tx.tasks_of(id_of(1), None, None, 100, 0), tx.blobs()))


def test_a_database_of_two_names_is_refused_by_each_and_opened_once_it_has_one(path: Path) -> None:
    other = path.with_name("other.db")
    other.hardlink_to(path)

    for name in (path, other):
        assert "has 2 names (hard links)" in refused(name)
    other.unlink()
    SqliteStore(path).close()


def test_a_link_to_a_database_has_the_log_of_the_database(path: Path) -> None:
    link = path.with_name("link.db")
    link.symlink_to(path)
    overwrite(Path(f"{path}-wal"), 9, b"\xa5")

    assert "-wal of the database is damaged" in refused(link)
    path.write_bytes(b"")
    assert "is empty or gone, but its log" in refused(link)


@pytest.mark.parametrize("pages", [1, 2, 5, 9])
def test_a_database_that_was_cut_off_is_refused(path: Path, pages: int) -> None:
    os.truncate(folded(path), 4096 * pages + 100)

    assert "damaged" in refused(path)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DROP TABLE tasks", "the column tasks."),
        ("DROP INDEX tasks_due", "the index tasks_due"),
        ("ALTER TABLE accounts DROP COLUMN full_name", "the column accounts.full_name"),
        ("ALTER TABLE agents RENAME TO friends", "the column agents."),
    ],
)
def test_a_database_that_lacks_a_part_of_its_schema_is_refused(path: Path, statement: str, named: str) -> None:
    execute(folded(path), statement)

    assert f"lacks {named}" in refused(path)


def test_what_somebody_added_is_no_damage(path: Path) -> None:
    execute(folded(path), "CREATE INDEX theirs ON tasks (query)", "CREATE TABLE notes (text TEXT)")

    SqliteStore(path).close()


@pytest.mark.parametrize("cut", [0, 31, 32, 100, 4152, 4200, 20_000])
def test_a_log_that_breaks_off_gives_what_was_whole_and_never_half_a_transaction(path: Path, cut: int) -> None:
    """As a power cut leaves it: SQLite reads up to the last commit whose checksums are right."""
    os.truncate(f"{path}-wal", cut)
    store = SqliteStore(path)
    found = store.transact(lambda tx: (tx.account(id_of(1)), tx.tasks_of(id_of(1), None, None, 100, 0)[1]))
    store.close()
    assert found in ((None, 0), (account(1), 50))


def test_a_database_that_another_program_writes_to_is_refused_by_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reference_server.store.sqlite_file.OPEN_TIMEOUT_MS", 10)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match=r"locked.*another program holds it; end that one"):
            SqliteStore(path)
        other.execute("ROLLBACK")

    SqliteStore(path).close()


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Let files' modes count: for the superuser they don't."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that anybody can enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o777), (0o444, 0o555), (0o666, 0o555)])
def test_a_database_that_cannot_be_written_is_refused_in_words(
    open_folder: Path, file_mode: int, folder_mode: int
) -> None:
    path = open_folder / "store.db"
    SqliteStore(path).close()
    path.chmod(file_mode)
    open_folder.chmod(folder_mode)
    before = path.read_bytes()

    with without_privileges(), pytest.raises(StoreError, match="writ"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_a_new_database_that_can_not_be_made_leaves_nothing(open_folder: Path) -> None:
    open_folder.chmod(0o555)

    with without_privileges(), pytest.raises(StoreError, match="check that the folder exists and is writable"):
        SqliteStore(open_folder / "store.db")
    assert list(open_folder.iterdir()) == []


def test_a_full_disk_fails_the_check_and_the_commit_and_nothing_that_was_committed_is_lost(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    put(store, task(1))
    connection = store._connection
    assert connection is not None
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match=r"full.*make room on its disk"):
        put(store, *(task(number) for number in range(2, 500)))
    assert store.read(lambda tx: (tx.task(task(1).id), tx.task(task(2).id))) == (task(1), None)

    connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    put(store, *(task(number) for number in range(2, 500)))
    store.check()
    store.close()
