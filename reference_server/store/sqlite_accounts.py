"""Accounts, revocations and API keys, as SQL over one open transaction."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from reference_server.core.rows import AccountRow, KeyRow
from reference_server.core.transaction import EmailTakenError
from reference_server.store.ended_credentials import ends_key, ends_tokens
from reference_server.store.sqlite_schema import DamagedError, newest, values_of

_ACCOUNT_UPDATES: Final = ", ".join(f"{name} = ?" for name in AccountRow.__struct_fields__)
_ACCOUNT_PLACES: Final = ", ".join("?" * len(AccountRow.__struct_fields__))
_KEY_PLACES: Final = ", ".join("?" * len(KeyRow.__struct_fields__))


class SqliteAccounts:
    """The accounts' part of a transaction; `ended` counts the writes that end credentials, rolled back ones too."""

    _connection: sqlite3.Connection
    ended: int

    # accounts and revocations

    def account(self, account_id: str) -> AccountRow | None:
        return self._account("id", account_id)

    def account_by_email(self, email_key: str) -> AccountRow | None:
        return self._account("email_key", email_key)

    def _account(self, column: str, value: str) -> AccountRow | None:
        found = self._connection.execute(f"SELECT * FROM accounts WHERE {column} = ?", (value,)).fetchone()
        return None if found is None else AccountRow(*found)

    def insert_account(self, account: AccountRow) -> None:
        self._write_account(f"INSERT INTO accounts VALUES ({_ACCOUNT_PLACES})", account)

    def update_account(self, account: AccountRow) -> None:
        before = self.account(account.id)
        self.ended += before is not None and ends_tokens(before, account)
        self._write_account(f"UPDATE accounts SET {_ACCOUNT_UPDATES} WHERE id = ?", account, account.id)

    def _write_account(self, statement: str, account: AccountRow, *rest: str) -> None:
        try:
            self._connection.execute(statement, [*values_of(account), *rest])
        except sqlite3.IntegrityError as fault:
            if "accounts.email_key" not in str(fault):
                raise
            if self.account_by_email(account.email_key) is None:
                raise DamagedError("an e-mail belongs to no account, and is taken") from fault
            raise EmailTakenError from fault

    def revoke_token(self, jti: str, expires_at_ns: int) -> None:
        self.ended += 1
        self._connection.execute("INSERT OR REPLACE INTO revoked_tokens VALUES (?, ?)", (jti, expires_at_ns))

    def token_revoked(self, jti: str) -> bool:
        found = self._connection.execute("SELECT 1 FROM revoked_tokens WHERE jti = ?", (jti,)).fetchone()
        return found is not None

    def forget_revocations(self, now_ns: int) -> None:
        self._connection.execute("DELETE FROM revoked_tokens WHERE expires_at_ns <= ?", (now_ns,))

    def account_by_avatar(self, avatar: str) -> AccountRow | None:
        return self._account("avatar", avatar)

    # API keys

    def key(self, key_id: str) -> KeyRow | None:
        return self._key("id", key_id)

    def key_by_hash(self, key_hash: str) -> KeyRow | None:
        return self._key("key_hash", key_hash)

    def _key(self, column: str, value: str) -> KeyRow | None:
        found = self._connection.execute(f"SELECT * FROM api_keys WHERE {column} = ?", (value,)).fetchone()
        return None if found is None else KeyRow(*found)

    def put_key(self, key: KeyRow) -> None:
        self.ended += ends_key(key)
        self._connection.execute(f"INSERT OR REPLACE INTO api_keys VALUES ({_KEY_PLACES})", values_of(key))

    def keys_of(self, account_id: str, limit: int) -> tuple[Sequence[KeyRow], int]:
        rows, total = newest(self._connection, "api_keys", "account_id", account_id, limit)
        return [KeyRow(*row) for row in rows], total
