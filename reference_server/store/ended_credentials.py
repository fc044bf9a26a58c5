"""Which writes end credentials: what the stores count in their revision."""

from reference_server.core.rows import AccountRow, KeyRow


def ends_tokens(before: AccountRow, after: AccountRow) -> bool:
    """Say whether a token that was good for `before` may be none for `after`, or stand for another role.

    Issuing and signing in change accounts too, often, and end nothing: they must not cost every cache its contents.
    """
    return (before.role, before.revoked_until_ns) != (after.role, after.revoked_until_ns)


def ends_key(key: KeyRow) -> bool:
    """Say whether a key that is written so may have been good before."""
    return key.status != "active"
