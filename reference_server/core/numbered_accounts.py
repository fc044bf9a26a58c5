"""The accounts of `--accounts N`: numbered, the same ones after every start, each with the claims of a fresh token."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from reference_server.core.accounts import email_key, new_account
from reference_server.core.calls import Context
from reference_server.core.rows import AccountRow, replaced_account
from reference_server.core.tokens import issued_at, make_claims
from reference_server.core.transaction import Transaction

_EMAIL: Final = "account-{number:05}@accounts.zerostate.local"
_NAME: Final = "Account {number}"


@dataclass(frozen=True, slots=True)
class Numbered:
    """An account, and the claims of its token; the shell signs them."""

    id: str
    email: str
    claims: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AccountToken:
    """An account with a token that acts for it."""

    id: str
    email: str
    token: str


def numbered_accounts(
    tx: Transaction, context: Context, numbers: Iterable[int], password_hash: str
) -> tuple[Numbered, ...]:
    """Make the accounts of these numbers where there are none, and issue a token for each."""
    return tuple(_numbered(tx, context, number, password_hash) for number in numbers)


def _numbered(tx: Transaction, context: Context, number: int, password_hash: str) -> Numbered:
    email = _EMAIL.format(number=number)
    account = tx.account_by_email(email_key(email))
    if account is None:
        account = new_account(context, email, _NAME.format(number=number), password_hash)
        tx.insert_account(_issued(account, context))
    else:
        tx.update_account(_issued(account, context))
    return Numbered(account.id, account.email, make_claims(account, context))


def _issued(account: AccountRow, context: Context) -> AccountRow:
    """Remember when a token was issued, so that logging out everywhere reaches it (contract §2 token)."""
    issued_ns = max(account.issued_until_ns, issued_at(account, context.now_ns))
    return replaced_account(account, issued_until_ns=issued_ns)
