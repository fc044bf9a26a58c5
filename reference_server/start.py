"""What happens once before the first request: agents, admin, interrupted tasks, stray blobs (contract §§2, 4, 9)."""

from collections.abc import Callable, Sequence

from reference_server.core import agents, executor
from reference_server.core.accounts import email_key, hash_outdated, new_account
from reference_server.core.calls import Context
from reference_server.core.rows import AccountRow, replaced_account
from reference_server.core.transaction import Transaction
from reference_server.environment import Environment
from reference_server.store.base import Store

ADMIN_NAME = "Administrator"


class Start:
    """The start of one process; `sweep` removes every blob but those it is given.

    Raises StoreError and BlobError when rows or blobs can't be used.
    """

    def __init__(
        self,
        environment: Environment,
        store: Store,
        context: Callable[[], Context],
        sweep: Callable[[Sequence[str]], None],
    ) -> None:
        self._environment = environment
        self._store = store
        self._context = context
        self._sweep = sweep

    def run(self, admin_email: str, admin_password: str | None, done: Callable[[], None]) -> None:
        """Prepare the store, then `done`; without a password no admin account is made."""
        admin = self._store.transact(lambda tx: self._prepare(tx, admin_email))
        # A file is kept before its row is committed, and deleted after: a crash between the two leaves it to nobody.
        self._sweep(self._store.transact(lambda tx: tx.blobs()))
        if admin_password is None:
            self._environment.call_soon(done)
        elif admin is None:
            self._hash_admin(admin_email, admin_password, done)
        else:
            self._check_admin(admin, admin_password, done)

    def _prepare(self, tx: Transaction, admin_email: str) -> AccountRow | None:
        now_ns = self._context().now_ns
        agents.seed(tx, now_ns)
        # Nobody is connected yet, so what recovery would push has no audience.
        executor.recover(tx, now_ns, self._context().process)
        return tx.account_by_email(email_key(admin_email))

    def _check_admin(self, admin: AccountRow, password: str, done: Callable[[], None]) -> None:
        def verified(matches: bool | None) -> None:
            if matches and admin.role == "admin" and not hash_outdated(admin.password_hash):
                done()
            else:
                self._hash_admin(admin.email, password, done)

        self._environment.verify_password(admin.password_hash, password, verified)

    def _hash_admin(self, email: str, password: str, done: Callable[[], None]) -> None:
        def hashed(password_hash: str | None) -> None:
            self._store.transact(lambda tx: self._put_admin(tx, email, password_hash or ""))
            done()

        self._environment.hash_password(password, hashed)

    def _put_admin(self, tx: Transaction, email: str, password_hash: str) -> None:
        """Add the account, or let the settings win over what it was."""
        account = tx.account_by_email(email_key(email))
        if account is None:
            tx.insert_account(new_account(self._context(), email, ADMIN_NAME, password_hash, "admin"))
        else:
            tx.update_account(replaced_account(account, password_hash=password_hash, role="admin"))
