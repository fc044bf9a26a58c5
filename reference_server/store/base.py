"""What a store is: the one owner of durable state."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from reference_server.core.transaction import Transaction

T = TypeVar("T")


class StoreError(Exception):
    """The store can't be used; the sentence says what is wrong and what to do."""


class Store(Protocol):
    """Transactions one after another; what `transact` returned is durable."""

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` and commit; raises what it raises, with nothing written, and StoreError when it can't commit."""

    def check(self) -> None:
        """Raise StoreError unless the store can read and write now (for /ready)."""

    def close(self) -> None:
        """Release files; repeatable."""
