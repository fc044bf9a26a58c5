"""Credentials over a store in which two accounts exist, with what they cost counted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from reference_server.contract.codes import TokenFault
from reference_server.core.answers import Answer
from reference_server.core.calls import Caller, Head
from reference_server.core.rows import AccountRow, replaced_account
from reference_server.core.transaction import Transaction
from reference_server.core.units import SECOND_NS
from reference_server.credentials import Credentials
from reference_server.environment_asyncio import JwtTokens
from reference_server.store import MemoryStore, SqliteStore, Store
from reference_server.store.base import Revision, StoreError
from reference_server.store.tests.rows import account, id_of, put
from reference_server.tests.virtual import SECRET, VirtualEnvironment

T = TypeVar("T")
NOW_S = 1_800_000_000
STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "store.db"),
}


class WatchedStore:
    """A store that counts the transactions asked of it, and can be out of order."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.asked = 0
        self.broken = False

    def transact(self, work: Callable[[Transaction], T]) -> T:
        self.asked += 1
        if self.broken:
            raise StoreError("the disk is gone")
        return self._inner.transact(work)

    def read(self, work: Callable[[Transaction], T]) -> T:
        self.asked += 1
        if self.broken:
            raise StoreError("the disk is gone")
        return self._inner.read(work)

    def revision(self) -> Revision:
        if self.broken:
            raise StoreError("the disk is gone")
        return self._inner.revision()

    def check(self) -> None:
        self._inner.check()

    def close(self) -> None:
        self._inner.close()


class WatchedTokens(JwtTokens):
    """Tokens that count how often a signature was checked."""

    def __init__(self) -> None:
        super().__init__(SECRET)
        self.decoded = 0

    def decode(self, token: str) -> dict[str, Any]:
        self.decoded += 1
        return super().decode(token)


@dataclass
class Gate:
    """Credentials over a store in which account 1 exists, at a clock that stands until it is moved."""

    store: WatchedStore
    now_ns: int = NOW_S * SECOND_NS
    tokens: WatchedTokens = field(default_factory=WatchedTokens)
    remembered_max: int = 100

    def __post_init__(self) -> None:
        self.environment = VirtualEnvironment()
        self.environment.tokens = self.tokens
        self.credentials = Credentials(
            self.environment, self.store, lambda: self.now_ns, remembered_max=self.remembered_max
        )

    def judge(self, token: str) -> Caller | TokenFault | Answer:
        headers = {"authorization": f"Bearer {token}"}
        return self.credentials.judge(Head("GET", "/api/v1/users/me", "", headers, "192.0.2.1"), handshake=False)

    def accepts(self, token: str) -> bool:
        return isinstance(self.judge(token), Caller)


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Gate]:
    """Give a gate over a store of that kind."""
    store = WatchedStore(STORES[kind](folder))
    put(store, account(1), account(2))
    store.asked = 0
    yield Gate(store)
    store.close()


def change_account(store: Store, **changes: Any) -> None:
    """Change account 1."""
    store.transact(lambda tx: tx.update_account(replaced_account(first_account(tx), **changes)))


def first_account(tx: Transaction) -> AccountRow:
    row = tx.account(id_of(1))
    assert row is not None
    return row
