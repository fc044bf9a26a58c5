"""Blobs in a folder: written beside where they will stand, then moved there in one step.

A blob is under `kept/` whole and durable, or not at all; what a crash leaves under `staged/` is nobody's. The file
`owner` says whose they are. Nothing else is ever looked at, so a folder that holds other things too loses none of them.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

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

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
CHECK: Final = "check"
"""The name under which `check` writes; nothing is kept under it."""


class FolderBlobs:
    """`Blobs` in files, readable by their owner alone; the folder is made when it is absent, or raises BlobError."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staged = root / "staged"
        self._kept = root / "kept"
        with self.faults("made"):
            for folder in (root, self._staged, self._kept):
                folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)

    @property
    def where(self) -> str:
        """The folder."""
        return str(self._root)

    def owner(self) -> str | None:
        """Return whose blobs these are."""
        with self.faults("read"):
            try:
                with (self._root / OWNER).open("rb") as file:
                    mark = file.read(OWNER_BYTES + 1)
            except FileNotFoundError:
                return None
        return identity_in(mark, self.where)

    def own(self, identity: str) -> None:
        """Mark it as somebody's; of two that do so at once, one finds the other's mark."""
        mark = self._root / OWNER
        with self.faults("written"), contextlib.suppress(FileExistsError):
            descriptor = os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            try:
                with os.fdopen(descriptor, "wb", buffering=0) as file:
                    file.write(identity.encode())
                    os.fsync(descriptor)
            except OSError:
                mark.unlink(missing_ok=True)
                raise
            _sync_folder(self._root)

    def stage(self, name: str) -> "_Staged":
        """Begin a blob."""
        with self.faults("written"):
            return _Staged(self, checked_name(name))

    def open(self, name: str) -> "_Reader":
        """Open a kept blob; raises BlobMissingError when there is none."""
        with self.faults("read"):
            try:
                file = self.kept_path(name).open("rb")
            except FileNotFoundError as fault:
                raise BlobMissingError(f"there is no blob {name!r} in {self._kept}; it was deleted") from fault
            return _Reader(self, file)

    def delete(self, name: str) -> None:
        """Take a blob away; nothing when there is none."""
        with self.faults("written"):
            self.kept_path(name).unlink(missing_ok=True)

    def names(self) -> Iterable[str]:
        """Return the name of every kept blob."""
        with self.faults("read"):
            return [entry.name for entry in os.scandir(self._kept) if is_name(entry.name)]

    def check(self) -> None:
        """Write a little, read it back and take it away, so that a full, read-only or broken disk shows."""
        staged = self.stage(CHECK)
        try:
            staged.write(CHECKED)
            with self.faults("read"):
                found = self.staged_path(CHECK).read_bytes()
        finally:
            staged.discard()
        if found != CHECKED:
            raise BlobError(f"the blob folder {self._root} gives back other bytes than were written; check its disk")

    def sweep(self) -> None:
        """Remove what was staged and never kept."""
        with self.faults("written"):
            for entry in os.scandir(self._staged):
                if is_name(entry.name):
                    Path(entry.path).unlink(missing_ok=True)

    def staged_path(self, name: str) -> Path:
        """Return where a blob is written."""
        return self._staged / checked_name(name)

    def kept_path(self, name: str) -> Path:
        """Return where a blob stands."""
        return self._kept / checked_name(name)

    @contextlib.contextmanager
    def faults(self, done: str) -> Iterator[None]:
        """Say in words what the operating system refuses."""
        try:
            yield
        except OSError as fault:
            why = (fault.strerror or str(fault)).lower()
            raise BlobError(
                f"the blob folder {self._root} can't be {done} ({why}); make room there, or name another with --blobs"
            ) from fault


class _Staged:
    def __init__(self, blobs: FolderBlobs, name: str) -> None:
        self._blobs = blobs
        self._name = name
        descriptor = os.open(blobs.staged_path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
        self._file: BinaryIO | None = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, chunk: bytes) -> None:
        with self._blobs.faults("written"):
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._open().write(rest) :]

    def keep(self) -> None:
        """Make content and name durable, in this order: a name that is there names a whole blob."""
        kept = self._blobs.kept_path(self._name)
        try:
            with self._blobs.faults("written"):
                os.fsync(self._open().fileno())
                self._close()
                self._blobs.staged_path(self._name).rename(kept)
                _sync_folder(kept.parent)
        except BlobError:
            with contextlib.suppress(OSError):
                kept.unlink(missing_ok=True)
            self._remove()
            raise

    def discard(self) -> None:
        if self._file is not None:
            self._remove()

    def _remove(self) -> None:
        self._close()
        with contextlib.suppress(OSError):
            self._blobs.staged_path(self._name).unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        if self._file is None:
            raise BlobError(f"the blob {self._name!r} was kept or discarded already; begin another")
        return self._file

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


class _Reader:
    def __init__(self, blobs: FolderBlobs, file: BinaryIO) -> None:
        self._blobs = blobs
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    @property
    def size(self) -> int:
        return self._size

    def read(self, bytes_max: int) -> bytes:
        with self._blobs.faults("read"):
            return self._file.read(bytes_max)

    def close(self) -> None:
        self._file.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
