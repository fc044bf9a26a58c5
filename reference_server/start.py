"""What happens once before the first request: agents, accounts, interrupted tasks, stray blobs (contract §§2, 4, 9)."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Protocol

from reference_server.core import agents, executor
from reference_server.core.accounts import email_key, new_account, without_credentials
from reference_server.core.calls import Context
from reference_server.core.numbered_accounts import AccountToken, numbered_accounts
from reference_server.core.passwords import PasswordCost
from reference_server.core.rows import AccountRow, replaced_account
from reference_server.core.transaction import Transaction
from reference_server.environment import Environment
from reference_server.store.base import Store

ADMIN_NAME: Final = "Administrator"
BATCH: Final = 500
"""How many numbered accounts share a transaction and a turn of the loop."""

Done = Callable[[], None]


class Hearer(Protocol):
    """Who is told the tokens of the numbered accounts."""

    def add(self, accounts: Sequence[AccountToken]) -> None:
        """Take some of them."""

    def finish(self) -> None:
        """Take it that these were all."""


class Start:
    """The start of one process; `sweep` removes every blob but those it is given.

    What goes wrong at once is raised: StoreError and BlobError when rows or blobs can't be used. `failed` hears what
    goes wrong in a part that runs later, where nobody could catch it.
    """

    def __init__(
        self,
        environment: Environment,
        store: Store,
        context: Callable[[], Context],
        sweep: Callable[[Sequence[str]], None],
        failed: Callable[[Exception], None],
        cost: PasswordCost,
    ) -> None:
        self._environment = environment
        self._store = store
        self._context = context
        self._sweep = sweep
        self._failed = failed
        self._cost = cost

    def run(self, admin_email: str, admin_password: str | None, done: Done) -> None:
        """Prepare the store, then `done`; without a password no admin account is made."""
        admin = self._store.transact(lambda tx: self._prepare(tx, admin_email))
        # A file is kept before its row is committed, and deleted after: a crash between the two leaves it to nobody.
        self._sweep(self._store.transact(lambda tx: tx.blobs()))
        if admin_password is None:
            self._environment.call_soon(partial(self._guarded, done))
        elif admin is None:
            self._hash_admin(admin_email, admin_password, done)
        else:
            self._check_admin(admin, admin_password, done)

    def number_accounts(self, count: int, hearer: Hearer, done: Done) -> None:
        """Make accounts 1 to `count` where there are none, tell a fresh token of each, then `done`.

        Hashing a password for each would take minutes: they share the hash of one that nobody knows, so that a login
        with any password is as wrong, and takes as long, as with a wrong one.
        """

        def hashed(password_hash: str | None) -> None:
            self._guarded(partial(self._batch, range(1, count + 1), password_hash or "", hearer, done))

        self._environment.hash_password(self._environment.new_secret(), hashed)

    def _batch(self, numbers: range, password_hash: str, hearer: Hearer, done: Done) -> None:
        if not numbers:
            hearer.finish()
            done()
            return
        now, later = numbers[:BATCH], numbers[BATCH:]
        made = self._store.transact(lambda tx: numbered_accounts(tx, self._context(), now, password_hash))
        sign = self._environment.tokens.sign
        hearer.add([AccountToken(one.id, one.email, sign(one.claims)) for one in made])
        # A turn of the loop lies between, so that a signal is heard.
        self._environment.call_soon(partial(self._guarded, partial(self._batch, later, password_hash, hearer, done)))

    def _guarded(self, work: Done) -> None:
        try:
            work()
        except Exception as fault:  # noqa: BLE001 - it runs in the loop's own turn: whoever asked is told
            self._failed(fault)

    def _prepare(self, tx: Transaction, admin_email: str) -> AccountRow | None:
        now_ns = self._context().now_ns
        agents.seed(tx, now_ns)
        # Nobody is connected yet, so what recovery would push has no audience.
        executor.recover(tx, now_ns, self._context().process)
        return tx.account_by_email(email_key(admin_email))

    def _check_admin(self, admin: AccountRow, password: str, done: Done) -> None:
        def verified(matches: bool | None) -> None:
            if matches and admin.role == "admin" and not self._cost.outdates(admin.password_hash):
                self._guarded(done)
            else:
                self._hash_admin(admin.email, password, done)

        self._environment.verify_password(admin.password_hash, password, verified)

    def _hash_admin(self, email: str, password: str, done: Done) -> None:
        def put(password_hash: str) -> None:
            self._store.transact(lambda tx: self._put_admin(tx, email, password_hash))
            done()

        def hashed(password_hash: str | None) -> None:
            self._guarded(partial(put, password_hash or ""))

        self._environment.hash_password(password, hashed)

    def _put_admin(self, tx: Transaction, email: str, password_hash: str) -> None:
        """Add the account, or let the settings win over what it was."""
        account = tx.account_by_email(email_key(email))
        if account is None:
            tx.insert_account(new_account(self._context(), email, ADMIN_NAME, password_hash, "admin"))
        else:
            if account.role != "admin":
                # Whoever had this account before may still hold its credentials, which must not rise with it.
                account = without_credentials(tx, account, self._context().now_ns)
            tx.update_account(replaced_account(account, password_hash=password_hash, role="admin"))
