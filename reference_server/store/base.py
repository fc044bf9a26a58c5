"""What a store is: the one owner of durable state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from reference_server.core.transaction import Transaction

T = TypeVar("T")
Revision = tuple[int, ...]


class StoreError(Exception):
    """The store can't be used; the sentence says what is wrong and what to do."""


class ReadWroteError(Exception):
    """Work that was said to read only has written; none of it stands."""


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in the place of a database before anything is written to it.

    `identity` is None when there is nothing yet, or a version that had none; `blobs` are those that its rows name.
    """

    is_new: bool
    identity: str | None = None
    blobs: frozenset[str] = frozenset()


class Store(Protocol):
    """Transactions one after another; what `transact` returned is durable."""

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` and commit; raises what it raises, with nothing written, and StoreError when it can't commit."""

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`, which only reads, over what is committed; raises as `transact` does, and ReadWroteError.

        It waits for no writer and makes none wait.
        """

    def revision(self) -> Revision:
        """Return what differs once a credential may have ended since, by this store or another over the same data.

        It tells of committed changes that can make an accepted credential a refused one, or change its role: tokens
        revoked, one or all of an account; an account's role; an API key that is active no more. What was judged after
        it was read stands while it is the same. To be asked between transactions; raises StoreError.
        """

    def check(self) -> None:
        """Raise StoreError unless the store can read and write now (for /ready)."""

    def close(self) -> None:
        """Release files; repeatable."""
