"""Blobs in memory: durable for as long as the process lives."""

from collections.abc import Iterable

from reference_server.blobs.base import BlobMissingError, checked_name


class MemoryBlobs:
    """`Blobs` in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._owner: str | None = None

    @property
    def where(self) -> str:
        """What people call it."""
        return "memory"

    def owner(self) -> str | None:
        """Return whose blobs these are."""
        return self._owner

    def own(self, identity: str) -> None:
        """Mark it as somebody's, unless it is."""
        self._owner = self._owner or identity

    def stage(self, name: str) -> "_Staged":
        """Begin a blob."""
        return _Staged(self._kept, checked_name(name))

    def open(self, name: str) -> "_Reader":
        """Open a kept blob; raises BlobMissingError when there is none."""
        if checked_name(name) not in self._kept:
            raise BlobMissingError(f"there is no blob {name!r}; it was deleted or never kept")
        return _Reader(self._kept[name])

    def delete(self, name: str) -> None:
        """Take a blob away; nothing when there is none."""
        self._kept.pop(checked_name(name), None)

    def names(self) -> Iterable[str]:
        """Return the name of every kept blob."""
        return tuple(self._kept)

    def check(self) -> None:
        """Do nothing: memory can always be written and read."""

    def sweep(self) -> None:
        """Do nothing: what was staged went with its process."""


class _Staged:
    def __init__(self, kept: dict[str, bytes], name: str) -> None:
        self._kept = kept
        self._name = name
        self._written = bytearray()

    def write(self, chunk: bytes) -> None:
        self._written += chunk

    def keep(self) -> None:
        self._kept[self._name] = bytes(self._written)
        self._written.clear()

    def discard(self) -> None:
        self._written.clear()


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    @property
    def size(self) -> int:
        return len(self._content)

    def read(self, bytes_max: int) -> bytes:
        chunk = self._content[self._at : self._at + bytes_max]
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        self._at = len(self._content)
