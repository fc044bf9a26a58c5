"""Accounts: register, login, logout, me (contract §3 users)."""

from typing import Final

from msgspec import UNSET

from reference_server.contract.models import (
    FieldFault,
    LoginRequest,
    LogoutRequest,
    Me,
    Message,
    ProfileRequest,
    RegisterRequest,
    Role,
    SessionAnswer,
    SessionUser,
)
from reference_server.contract.operations import BASE
from reference_server.core.answers import Answer, Decision, Revoke, error
from reference_server.core.calls import Call, Caller, Context
from reference_server.core.envelopes import timestamp
from reference_server.core.rows import AccountRow, replaced_account, replaced_key
from reference_server.core.tokens import issued_at, make_claims
from reference_server.core.transaction import EmailTakenError, Transaction
from reference_server.core.units import whole_microseconds

WRONG_LOGIN: Final = "e-mail or password is wrong"


def email_key(email: str) -> str:
    """Return what e-mails are compared by (contract §3: case-insensitively)."""
    return email.casefold()


def new_account(context: Context, email: str, full_name: str, password_hash: str, role: Role = "user") -> AccountRow:
    """Return the row of an account that does not exist yet."""
    created_ns = whole_microseconds(context.now_ns)
    return AccountRow(context.new_id(), email, email_key(email), full_name, password_hash, role, created_ns)


def register(tx: Transaction, call: Call, context: Context) -> Decision:
    """Make an account and its first token; 409 when the e-mail has one."""
    if not isinstance(call.body, RegisterRequest) or call.password_hash is None:
        raise TypeError("register needs its body and a password hash")
    account = new_account(context, call.body.email, call.body.full_name, call.password_hash)
    try:
        tx.insert_account(account)
    except EmailTakenError:
        return Decision(error(409, "an account with this e-mail exists already; log in instead"))
    return _session(tx, account, context, 201)


def login(tx: Transaction, call: Call, context: Context) -> Decision:
    """Sign in; unknown e-mail and wrong password get the same answer (contract §2 login).

    A `password_hash` that comes along replaces the stored one (remade because its cost is outdated). The e-mail may
    have another owner, or the account another hash, than when the password was compared: then it proves nothing.
    """
    if not isinstance(call.body, LoginRequest):
        raise TypeError("login needs its body")
    account = tx.account_by_email(email_key(call.body.email))
    if account is None or not _proven(call, account):
        return Decision(error(401, WRONG_LOGIN))
    if call.password_hash is not None:
        account = replaced_account(account, password_hash=call.password_hash)
    return _session(tx, account, context, 200)


def logout(tx: Transaction, call: Call, context: Context) -> Decision:
    """Revoke the token of the call, or all of its account's; their sockets close with 4401."""
    caller = caller_of(call)
    tx.forget_revocations(context.now_ns)
    everything = isinstance(call.body, LogoutRequest) and call.body.all
    if not everything:
        tx.revoke_token(caller.jti, caller.expires_at_ns)
        answer = Answer(200, Message("signed out"))
        return Decision(answer, (Revoke(caller.account_id, jti=caller.jti),))
    account = account_of(tx, caller)
    until_ns = _issued_until_ns(account, max(context.now_ns, caller.issued_at_ns))
    tx.update_account(replaced_account(account, revoked_until_ns=until_ns))
    return Decision(Answer(200, Message("signed out everywhere")), (Revoke(account.id, until_ns=until_ns),))


def without_credentials(tx: Transaction, account: AccountRow, now_ns: int) -> AccountRow:
    """Revoke the account's tokens and API keys, and return its row; for a start, when it has no socket yet."""
    _, total = tx.keys_of(account.id, 0)
    for key in tx.keys_of(account.id, total)[0]:
        tx.put_key(replaced_key(key, status="revoked"))
    account = replaced_account(account, revoked_until_ns=_issued_until_ns(account, now_ns))
    tx.update_account(account)
    return account


def _issued_until_ns(account: AccountRow, now_ns: int) -> int:
    """Return an instant after which no token of the account was issued.

    One may have been issued ahead of the clock: after a revocation in the same microsecond, or before the clock was
    set back.
    """
    return max(now_ns, account.issued_until_ns, account.revoked_until_ns)


def me(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show the account of the credential."""
    return Decision(Answer(200, _me(account_of(tx, caller_of(call)))))


def update_me(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Change what the body names, nothing if it names nothing; tokens name accounts by id and stay good.

    A new e-mail needs the password: 400 without one, 401 when it is wrong, and only then 409 when it is taken.
    """
    if not isinstance(call.body, ProfileRequest):
        raise TypeError("a change of profile needs its body")
    body, account = call.body, account_of(tx, caller_of(call))
    if body.full_name is not UNSET:
        account = replaced_account(account, full_name=body.full_name)
    if body.email is not UNSET:
        if body.password is UNSET:
            fault = FieldFault("password", "is required to change the e-mail")
            return Decision(error(400, f"{fault.field} {fault.reason}", details=[fault]))
        if not _proven(call, account):
            return Decision(error(401, "the password is wrong; nothing was changed"))
        account = replaced_account(account, email=body.email, email_key=email_key(body.email))
    try:
        tx.update_account(account)
    except EmailTakenError:
        return Decision(error(409, "another account has this e-mail; nothing was changed"))
    return Decision(Answer(200, _me(account)))


def _proven(call: Call, account: AccountRow) -> bool:
    return call.comparison is not None and call.comparison.proves(account.id, account.password_hash)


def _me(account: AccountRow) -> Me:
    created_at, avatar = timestamp(account.created_at_ns), avatar_url(account)
    return Me(account.id, account.email, account.full_name, created_at, avatar, account.role)


def avatar_url(account: AccountRow) -> str | None:
    """Return the path on our origin that shows the account's picture; None without one."""
    return None if account.avatar is None else f"{BASE}/avatars/{account.avatar}"


def caller_of(call: Call) -> Caller:
    """Return the caller of an operation that admission lets only callers reach."""
    if call.caller is None:
        raise TypeError(f"{call.operation.name} needs a caller")
    return call.caller


def account_of(tx: Transaction, caller: Caller) -> AccountRow:
    """Return the caller's account; accounts are never deleted."""
    account = tx.account(caller.account_id)
    if account is None:
        raise LookupError(f"account {caller.account_id} is gone")
    return account


def _session(tx: Transaction, account: AccountRow, context: Context, status: int) -> Decision:
    """Answer with the account and the claims of a new token; the shell signs them.

    When it was issued is remembered, so that `all` reaches every token also when the wall clock goes back.
    """
    issued_ns = max(account.issued_until_ns, issued_at(account, context.now_ns))
    tx.update_account(replaced_account(account, issued_until_ns=issued_ns))
    user = SessionUser(account.id, account.email, account.full_name, timestamp(account.created_at_ns))
    expires_in = max(1, int(context.token_ttl_s))
    return Decision(Answer(status, SessionAnswer("", user, expires_in)), claims=make_claims(account, context))
