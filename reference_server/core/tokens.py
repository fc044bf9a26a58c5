"""The claims of a token: how they are made and when they hold (contract §2 token); signing is the shell's."""

from dataclasses import dataclass
from typing import Any, Final, get_args

from reference_server.contract.codes import EXPIRED, INVALID, REVOKED, TokenFault
from reference_server.contract.models import Role
from reference_server.core.calls import Caller, Context
from reference_server.core.rows import AccountRow
from reference_server.core.transaction import Transaction
from reference_server.core.units import MICROSECOND_NS, SECOND_NS

_NUMBERS: Final = ("iat", "nbf", "exp")
_TEXTS: Final = ("sub", "email", "role", "jti")
_ROLES: Final = get_args(Role)


@dataclass(frozen=True, slots=True)
class Claims:
    """What signed claims say, in nanoseconds: all that is asked about a token once its signature was found good."""

    account_id: str
    jti: str
    issued_at_ns: int
    not_before_ns: int
    expires_at_ns: int


def issued_at(account: AccountRow, now_ns: int) -> int:
    """Return the instant of the account's next token: now, or just behind the last revocation.

    `iat` counts microseconds (RFC 7519 §2 NumericDate may have a fraction), so that revoking all is exact even within
    one second and under a clock that stands still.
    """
    return max(now_ns // MICROSECOND_NS, account.revoked_until_ns // MICROSECOND_NS + 1) * MICROSECOND_NS


def make_claims(account: AccountRow, context: Context) -> dict[str, Any]:
    """Return the claims of a new token; `nbf` is a whole second that has begun, as `iat` may lie ahead of the clock."""
    issued_ns = issued_at(account, context.now_ns)
    return {
        "sub": account.id,
        "email": account.email,
        "role": account.role,
        "iat": issued_ns // MICROSECOND_NS / 1e6,
        "nbf": min(issued_ns, context.now_ns) // SECOND_NS,
        "exp": (context.now_ns + round(context.token_ttl_s * SECOND_NS)) // MICROSECOND_NS / 1e6,
        "jti": context.new_id(),
    }


def read_claims(claims: dict[str, Any]) -> Claims | TokenFault:
    """Return what a signed payload says; invalid when a claim is missing or of a wrong type."""
    if not _complete(claims):
        return INVALID
    return Claims(claims["sub"], claims["jti"], *(_nanoseconds(claims[name]) for name in _NUMBERS))


def judge_claims(tx: Transaction, claims: Claims, now_ns: int) -> Caller | TokenFault:
    """Return whom signed claims stand for, or why they don't hold: invalid, expired, revoked."""
    if now_ns >= claims.expires_at_ns:
        return EXPIRED
    if now_ns < claims.not_before_ns:
        return INVALID
    account = tx.account(claims.account_id)
    # Our own tokens may be issued ahead of the clock (`issued_at`), never ahead of what the account remembers.
    if account is None or claims.issued_at_ns > max(now_ns, account.issued_until_ns):
        return INVALID
    if claims.issued_at_ns <= account.revoked_until_ns or tx.token_revoked(claims.jti):
        return REVOKED
    return Caller(account.id, account.role, claims.jti, claims.issued_at_ns, claims.expires_at_ns)


def _complete(claims: dict[str, Any]) -> bool:
    return (
        all(_is_text(claims.get(name)) for name in _TEXTS)
        and all(_is_instant(claims.get(name)) for name in _NUMBERS)
        and claims["role"] in _ROLES
    )


def _is_text(value: Any) -> bool:
    """Say whether it is a string that a store can hold: JSON's escapes can bring lone surrogates."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_instant(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e11


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e6) * MICROSECOND_NS
