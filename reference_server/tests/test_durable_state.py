"""A database meets its own blobs and no others; whatever does not fit is refused with every byte left as it is."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from reference_server.blobs import BlobError, Blobs, FolderBlobs, MemoryBlobs, S3Blobs
from reference_server.durable_state import check_fits, claim, open_durable_state
from reference_server.settings.values import Settings
from reference_server.store import SqliteStore, StoreError
from reference_server.store.base import Found
from reference_server.store.tests.rows import put, version

OURS, THEIRS = "a" * 32, "b" * 32
DB = Path("z.db")


def keep(blobs: Blobs, *names: str) -> None:
    for name in names:
        staged = blobs.stage(name)
        staged.write(name.encode())
        staged.keep()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def settings(folder: Path, db: str = "z.db", blobs: str | None = None) -> Settings:
    return Settings(db=str(folder / db), blobs=blobs and str(folder / blobs))


def served(chosen: Settings) -> str:
    """Begin as a server does, keep one blob with its row, end; return the database's identity."""
    store, blobs = open_durable_state(chosen)
    assert isinstance(store, SqliteStore)
    keep(blobs, version(1).blob)
    put(store, version(1))
    identity = store.identity
    store.close()
    return identity


def refused(chosen: Settings, folder: Path) -> str:
    before = files(folder)
    with pytest.raises(BlobError) as raised:
        open_durable_state(chosen)
    assert files(folder) == before
    return str(raised.value)


NEW, OLDER, FITTING = (
    Found(is_new=True),
    Found(False, None, frozenset({"x", "y"})),
    Found(False, OURS, frozenset({"x"})),
)


@pytest.mark.parametrize(
    ("owner", "kept", "found", "fits"),
    [
        (None, (), NEW, True),
        (None, (), OLDER, True),
        (None, (), FITTING, True),
        (None, ("x",), NEW, False),
        (None, ("x", "stray"), OLDER, True),
        (None, ("x", "stray"), FITTING, True),
        (None, ("stray",), OLDER, False),
        (None, ("stray",), FITTING, False),
        (OURS, (), NEW, False),
        (OURS, ("x",), NEW, False),
        (OURS, ("x",), OLDER, False),
        (OURS, ("x", "stray"), FITTING, True),
        (OURS, ("stray",), FITTING, True),
        (THEIRS, (), FITTING, False),
        (THEIRS, ("x",), FITTING, False),
    ],
)
def test_blobs_fit_a_database_that_owns_them_or_names_one_of_those_that_nobody_owns(
    owner: str | None, kept: tuple[str, ...], found: Found, fits: bool
) -> None:
    blobs = MemoryBlobs()
    keep(blobs, *kept)
    if owner is not None:
        blobs.own(owner)
    if fits:
        check_fits(blobs, DB, found)
    else:
        with pytest.raises(BlobError, match="memory"):
            check_fits(blobs, DB, found)


def test_of_two_databases_that_claim_a_blob_store_at_once_one_is_refused() -> None:
    blobs = MemoryBlobs()
    claim(blobs, DB, OURS)
    claim(blobs, DB, OURS)

    with pytest.raises(BlobError, match=r"belongs to another database than z\.db"):
        claim(blobs, DB, THEIRS)


def test_a_database_finds_its_blobs_again(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    identity = served(chosen)
    store, blobs = open_durable_state(chosen)
    store.close()

    assert (blobs.owner(), list(blobs.names())) == (identity, [version(1).blob])


@pytest.mark.parametrize("lose", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["gone", "emptied"])
@pytest.mark.parametrize("blobs", [None, "elsewhere"])
def test_a_database_that_is_gone_or_empty_beside_its_blobs_is_no_new_one(
    tmp_path: Path, blobs: str | None, lose: Callable[[Path], object]
) -> None:
    chosen = settings(tmp_path, blobs=blobs)
    served(chosen)
    lose(tmp_path / "z.db")

    assert "z.db is empty or gone, but the blob store" in refused(chosen, tmp_path)


def test_a_database_whose_name_is_mistyped_is_not_made_beside_anothers_blobs(tmp_path: Path) -> None:
    served(settings(tmp_path, blobs="shared"))

    assert "y.db is empty or gone" in refused(settings(tmp_path, "y.db", "shared"), tmp_path)
    assert not (tmp_path / "y.db").exists()


def test_two_databases_never_share_a_blob_store(tmp_path: Path) -> None:
    served(settings(tmp_path))
    served(settings(tmp_path, "y.db"))

    sentence = refused(settings(tmp_path, "y.db", "z.db.blobs"), tmp_path)
    assert "z.db.blobs belongs to another database than" in sentence


def test_a_folder_of_somebody_elses_files_is_left_alone(tmp_path: Path) -> None:
    served(settings(tmp_path))
    (tmp_path / "photos" / "kept").mkdir(parents=True)
    (tmp_path / "photos" / "kept" / "holiday").write_text("not ours")

    assert "photos belongs to another" in refused(settings(tmp_path, blobs="photos"), tmp_path)


def test_a_database_that_is_refused_makes_no_blob_folder(tmp_path: Path) -> None:
    (tmp_path / "z.db").write_text("no database, but long enough to be read as one" * 20)
    with pytest.raises(StoreError):
        open_durable_state(settings(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["z.db"]


def older(path: Path) -> None:
    """Make it what a version left that knew no identities."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE identity")
        connection.execute("PRAGMA user_version = 2")


def test_a_database_of_an_older_version_takes_its_unmarked_blobs_over(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    served(chosen)
    older(tmp_path / "z.db")
    (tmp_path / "z.db.blobs" / "owner").unlink()
    store, blobs = open_durable_state(chosen)
    assert isinstance(store, SqliteStore)
    assert (blobs.owner(), list(blobs.names())) == (store.identity, [version(1).blob])
    store.close()


def test_a_copy_of_an_older_version_is_not_brought_up_to_date_beside_blobs_that_are_marked(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    served(chosen)
    older(tmp_path / "z.db")

    assert "if they do belong together, remove" in refused(chosen, tmp_path)
    (tmp_path / "z.db.blobs" / "owner").unlink()
    open_durable_state(chosen)[0].close()


def test_a_prefix_in_a_bucket_belongs_to_one_database_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "for tests")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    peer = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    peer.start()
    try:
        endpoint = "http://{}:{}".format(*peer.get_host_and_port())
        # Peers of one process share their buckets: no other test may use this one.
        assert httpx.put(f"{endpoint}/one-bucket").is_success
        one, two, beside = (
            Settings(db=str(tmp_path / db), blobs=f"s3://one-bucket/{prefix}")
            for db, prefix in (("z.db", "files"), ("y.db", "files"), ("y.db", "others"))
        )
        store, blobs = open_durable_state(one, endpoint)
        keep(blobs, "x")
        store.close()
        open_durable_state(one, endpoint)[0].close()

        with pytest.raises(
            BlobError, match=r"y\.db is empty or gone, but the blob store s3://one-bucket/files belongs"
        ):
            open_durable_state(two, endpoint)
        assert not (tmp_path / "y.db").exists()
        open_durable_state(beside, endpoint)[0].close()
        with pytest.raises(BlobError, match="s3://one-bucket/files belongs to another database"):
            open_durable_state(two, endpoint)
        assert list(S3Blobs("one-bucket", "files", endpoint).names()) == ["x"]
    finally:
        peer.stop()


def test_in_memory_there_is_nothing_to_tell_apart() -> None:
    store, blobs = open_durable_state(Settings(db=":memory:"))
    store.close()

    assert blobs.owner() is None
    assert not isinstance(blobs, FolderBlobs)
