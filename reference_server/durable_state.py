"""The durable state of one process: a database, and the blob store that belongs to it and to no other.

What no row names is swept at start, so a database must never meet the blobs of another: each has an identity, and its
blob store bears that as a mark. Whatever does not fit is refused before anything is made, changed or swept.
"""

from pathlib import Path

from reference_server.blobs import BlobError, Blobs, FolderBlobs, MemoryBlobs, S3Blobs
from reference_server.blobs.base import OWNER
from reference_server.settings.table import S3
from reference_server.settings.values import Settings
from reference_server.store import MemoryStore, SqliteStore
from reference_server.store.base import Found, Store
from reference_server.store.sqlite_examination import examined


def open_durable_state(settings: Settings, endpoint: str | None = None) -> tuple[Store, Blobs]:
    """Open what the settings name, the blob store by default a folder beside the database.

    `endpoint` is the URL of another S3 peer than Amazon's. Raises StoreError, BlobError.
    """
    if settings.in_memory:
        return MemoryStore(), MemoryBlobs()
    database = Path(settings.db)
    found = examined(database)
    blobs = _open_blobs(settings, endpoint)
    check_fits(blobs, database, found)
    store = SqliteStore(database, synchronous="FULL" if settings.sync == "full" else "NORMAL", found=found)
    try:
        claim(blobs, database, store.identity)
    except BaseException:
        store.close()
        raise
    return store, blobs


def check_fits(blobs: Blobs, database: Path, found: Found) -> None:
    """Raise BlobError unless these blobs are the database's, or nobody's yet.

    Without a mark they are its own when a row of it names one of them, as after an update from a version that made no
    marks. Any others are somebody's, whoever that is. A new database names none: it begins with an empty store.
    """
    owner = blobs.owner()
    if owner is not None:
        fits = owner == found.identity
    else:
        names = set(blobs.names())
        fits = not names or not names.isdisjoint(found.blobs)
    if not fits:
        raise BlobError(_refusal(blobs, database, found, marked=owner is not None))


def claim(blobs: Blobs, database: Path, identity: str) -> None:
    """Mark a blob store as the database's; raises BlobError when another was faster."""
    blobs.own(identity)
    check_fits(blobs, database, Found(is_new=False, identity=identity))


def _refusal(blobs: Blobs, database: Path, found: Found, *, marked: bool) -> str:
    if found.is_new:
        return (
            f"the database {database} is empty or gone, but the blob store {blobs.where} belongs to one; "
            "put it back, or name another blob store with --blobs"
        )
    together = f"; if they do belong together, remove {blobs.where}/{OWNER}" if marked and not found.identity else ""
    return (
        f"the blob store {blobs.where} belongs to another database than {database}; "
        f"name that one with --db, or another blob store with --blobs{together}"
    )


def _open_blobs(settings: Settings, endpoint: str | None) -> Blobs:
    where = settings.blobs or f"{settings.db}.blobs"
    if not where.startswith(S3):
        return FolderBlobs(Path(where))
    bucket, _, prefix = where.removeprefix(S3).strip("/").partition("/")
    return S3Blobs(bucket, prefix, endpoint)
