"""Blobs in a bucket of anything that speaks S3, through obstore: a blob shows when its last part is there.

Memory is bounded: parts go out as they fill, pieces come in as they are read. Every request has a deadline and few
retries, so that a peer that does not answer is a BlobError soon. What a crash leaves of an unfinished multipart upload
no client of S3 can see; a bucket's lifecycle rule removes it.
"""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reference_server.blobs.base import (
    CHECKED,
    OWNER,
    OWNER_BYTES,
    BlobError,
    BlobMissingError,
    checked_name,
    identity_in,
    is_name,
)

if TYPE_CHECKING:
    from obstore import ReadableFile, WritableFile

PART_BYTES: Final = 5 * 1024 * 1024
"""What is held of a blob on its way out: the least that S3 takes as a part."""
PIECE_BYTES: Final = 1024 * 1024
"""What is held of a blob on its way in."""
CONNECT_S_MAX: Final = 3
REQUEST_S_MAX: Final = 20
RETRIES_MAX: Final = 2
RETRYING_S_MAX: Final = 10
KEPT: Final = "kept"
CHECK: Final = "check"
"""The key under which `check` writes, beside what is kept."""


class S3Blobs:
    """`Blobs` in a bucket, under `prefix`; credentials and region come from the AWS_* environment variables.

    `endpoint` is the URL of another peer than Amazon's. Raises BlobError when the extra `s3` is not installed.
    """

    def __init__(self, bucket: str, prefix: str = "", endpoint: str | None = None) -> None:
        try:
            import obstore
            from obstore.store import S3Store
        except ImportError as fault:
            raise BlobError(
                "blobs in S3 need the extra s3; install zerostate-harness[s3], or name a folder with --blobs"
            ) from fault
        self._obstore = obstore
        self._where = f"s3://{bucket}/{prefix}".rstrip("/")
        with self.faults():
            self._store = S3Store(
                bucket,
                prefix=prefix or None,
                config={} if endpoint is None else {"endpoint": endpoint},
                client_options={
                    "allow_http": endpoint is not None and endpoint.startswith("http://"),
                    "connect_timeout": timedelta(seconds=CONNECT_S_MAX),
                    "timeout": timedelta(seconds=REQUEST_S_MAX),
                },
                retry_config={"max_retries": RETRIES_MAX, "retry_timeout": timedelta(seconds=RETRYING_S_MAX)},
            )

    @property
    def where(self) -> str:
        """The URL of bucket and prefix."""
        return self._where

    def owner(self) -> str | None:
        """Return whose blobs these are."""
        with self.faults():
            try:
                mark = self._obstore.get_range(self._store, OWNER, start=0, length=OWNER_BYTES + 1)
            except FileNotFoundError:
                return None
        return identity_in(bytes(mark), self._where)

    def own(self, identity: str) -> None:
        """Mark it as somebody's; of two that do so at once, one finds the other's mark."""
        with self.faults(), contextlib.suppress(self._obstore.exceptions.AlreadyExistsError):
            self._obstore.put(self._store, OWNER, identity.encode(), mode="create")

    def stage(self, name: str) -> "_Staged":
        """Begin a blob; nothing is sent before a part is full."""
        return _Staged(self, checked_name(name))

    def open(self, name: str) -> "_Reader":
        """Open a kept blob; raises BlobMissingError when there is none."""
        with self.faults():
            return _Reader(self, self._obstore.open_reader(self._store, _key(name), buffer_size=PIECE_BYTES))

    def delete(self, name: str) -> None:
        """Take a blob away; nothing when there is none."""
        with self.faults(), contextlib.suppress(FileNotFoundError):
            self._obstore.delete(self._store, _key(name))

    def names(self) -> Iterable[str]:
        """Return the name of every kept blob."""
        with self.faults():
            keys = [found["path"] for batch in self._obstore.list(self._store, KEPT) for found in batch]
        return [name for name in (key.rpartition("/")[2] for key in keys) if is_name(name)]

    def check(self) -> None:
        """Write a little, read it back and take it away."""
        with self.faults():
            self._obstore.put(self._store, CHECK, CHECKED)
            found = bytes(self._obstore.get(self._store, CHECK).bytes())
            self._obstore.delete(self._store, CHECK)
        if found != CHECKED:
            raise BlobError(f"the blob store {self._where} gives back other bytes than were written; check the peer")

    def sweep(self) -> None:
        """Do nothing: what was staged and never kept can't be seen."""

    def writer(self, name: str) -> "WritableFile":
        """Return what sends a blob part by part, one at a time."""
        return self._obstore.open_writer(self._store, _key(name), buffer_size=PART_BYTES, max_concurrency=1)

    @contextlib.contextmanager
    def faults(self) -> Iterator[None]:
        """Say in words what the peer refuses, or that it does not answer; its own words go with the cause."""
        exceptions = self._obstore.exceptions
        try:
            yield
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as fault:
            why = "refuses our credentials; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise BlobError(f"the blob store {self._where} {why}") from fault
        except FileNotFoundError as fault:
            why = "has no such blob, or there is no such bucket"
            raise BlobMissingError(f"the blob store {self._where} {why}") from fault
        except (exceptions.BaseError, OSError, ValueError) as fault:
            why = "can't be used now; check AWS_ENDPOINT_URL, AWS_REGION and that the bucket exists"
            raise BlobError(f"the blob store {self._where} {why}") from fault


def _key(name: str) -> str:
    return f"{KEPT}/{checked_name(name)}"


class _Staged:
    def __init__(self, blobs: S3Blobs, name: str) -> None:
        self._blobs = blobs
        self._name = name
        self._writer: WritableFile | None = None
        self._written = 0
        self._ended = False

    def write(self, chunk: bytes) -> None:
        with self._ending():
            if self._writer is None:
                self._writer = self._blobs.writer(self._name)
            self._writer.write(chunk)
            self._written += len(chunk)

    def keep(self) -> None:
        with self._ending():
            (self._writer or self._blobs.writer(self._name)).close()
            self._ended = True
        self._writer = None

    def discard(self) -> None:
        """Leave nothing: parts that were sent are put together and deleted, since S3 has no word for a lone part."""
        if self._ended:
            return
        self._ended = True
        writer, self._writer = self._writer, None
        if writer is not None and self._written >= PART_BYTES:
            with contextlib.suppress(BlobError), self._blobs.faults():
                writer.close()
                self._blobs.delete(self._name)

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        """Touch the writer no more once it failed: it would put what it holds under another key."""
        if self._ended:
            raise BlobError(f"the blob {self._name!r} was kept or discarded already; begin another")
        try:
            with self._blobs.faults():
                yield
        except BlobError:
            self._ended, self._writer = True, None
            raise


class _Reader:
    def __init__(self, blobs: S3Blobs, reader: "ReadableFile") -> None:
        self._blobs = blobs
        self._reader = reader
        self._size = reader.size
        self._left = self._size

    @property
    def size(self) -> int:
        return self._size

    def read(self, bytes_max: int) -> bytes:
        wanted = min(bytes_max, self._left)
        if not wanted:
            return b""
        with self._blobs.faults():
            chunk = bytes(self._reader.read(wanted))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._left = 0
