"""What a blob store is. Every method may block: a shell calls them on worker threads, one at a time for one object."""

import re
from collections.abc import Iterable
from typing import Final, Protocol

CHECKED: Final = b"written by a check"
"""What `Blobs.check` writes and expects to read."""
OWNER: Final = "owner"
"""What the mark of a blob store is called: there lies the identity of the database whose rows name its blobs."""
OWNER_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_IDENTITY: Final = re.compile(rb"[0-9a-f]{32}")


class BlobError(Exception):
    """The blob store can't be used; the sentence says what is wrong and what to do."""


class BlobMissingError(BlobError):
    """There is no such blob: it was deleted, or never kept."""


def is_name(name: str) -> bool:
    """Say whether a blob may be called so: nothing that a path or a URL gives a meaning to."""
    return _NAME.fullmatch(name) is not None


def checked_name(name: str) -> str:
    """Return the name of a blob; raises BlobError for what can be none."""
    if not is_name(name):
        raise BlobError(f"a blob can't be named {name!r}; expected 1 to 128 letters, digits, - and _")
    return name


def identity_in(mark: bytes, where: str) -> str:
    """Return the identity that a mark holds; raises BlobError for what can be none."""
    if _IDENTITY.fullmatch(mark) is None:
        raise BlobError(
            f"the mark {where}/{OWNER} does not say whose blobs those are; restore it, or remove it if nobody uses them"
        )
    return mark.decode()


class StagedBlob(Protocol):
    """A blob that is being written; nobody can read it yet."""

    def write(self, chunk: bytes) -> None:
        """Append; raises BlobError."""

    def keep(self) -> None:
        """Make it durable under its name; raises BlobError, and then nothing is left of it."""

    def discard(self) -> None:
        """Leave nothing of it; repeatable, never raises, does nothing after `keep`."""


class BlobReader(Protocol):
    """An open blob; `size` in bytes."""

    @property
    def size(self) -> int:
        """How many bytes there are in all."""

    def read(self, bytes_max: int) -> bytes:
        """Return the next bytes, none at the end; raises BlobError."""

    def close(self) -> None:
        """Let go of it; repeatable."""


class Blobs(Protocol):
    """Bytes by name; names are chosen by the caller, of letters, digits, `-` and `_`; another is a BlobError."""

    @property
    def where(self) -> str:
        """What people call it: a path, a URL."""

    def owner(self) -> str | None:
        """Return the identity of the database whose blobs these are, None as long as nobody's; raises BlobError."""

    def own(self, identity: str) -> None:
        """Mark it as that database's, for good, unless it is marked already; raises BlobError."""

    def stage(self, name: str) -> StagedBlob:
        """Begin a blob; raises BlobError."""

    def open(self, name: str) -> BlobReader:
        """Open a kept blob; raises BlobMissingError when there is none, BlobError when it can't be read."""

    def delete(self, name: str) -> None:
        """Take a blob away; nothing when there is none. Raises BlobError."""

    def names(self) -> Iterable[str]:
        """Return the name of every kept blob; raises BlobError."""

    def check(self) -> None:
        """Write a little, read it back and take it away; raises BlobError when it does not come back (for /ready)."""

    def sweep(self) -> None:
        """Remove what was staged and never kept, as a crash leaves it; raises BlobError."""
