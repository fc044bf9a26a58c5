"""Pictures of accounts (contract §3 users): one each, served from a URL that nobody can guess.

A picture's name is that of its blob, 256 bits of chance, and ends its URL: whoever was given the URL may look.
"""

from typing import Final

from reference_server.contract.models import AvatarAnswer
from reference_server.core.accounts import account_of, avatar_url, caller_of
from reference_server.core.answers import Answer, BlobBody, Decision, error
from reference_server.core.calls import Call, Context
from reference_server.core.content import kind_of
from reference_server.core.rows import replaced_account
from reference_server.core.transaction import Transaction

HEADERS: Final = (
    # A picture opened by itself runs nothing and is of no origin, whatever its bytes say.
    ("Content-Security-Policy", "sandbox"),
    # What a URL shows never changes; that it was replaced may take a while to be noticed.
    ("Cache-Control", "private, max-age=3600, immutable"),
)


def set_avatar(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show the uploaded picture from now on; the one before is dropped, and its URL with it."""
    if call.upload is None:
        raise TypeError("set_avatar needs its upload")
    account = account_of(tx, caller_of(call))
    replaced = replaced_account(account, avatar=call.upload.blob, avatar_type=kind_of(call.upload.head))
    tx.update_account(replaced)
    answer = Answer(200, AvatarAnswer(avatar_url(replaced) or "", "this is your picture now"))
    return Decision(answer, dropped=() if account.avatar is None else (account.avatar,))


def get_avatar(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Serve a picture to whoever knows its URL."""
    account = tx.account_by_avatar(call.path["id"])
    if account is None or account.avatar is None or account.avatar_type is None:
        return Decision(error(404, "there is no such picture"))
    return Decision(Answer(200, BlobBody(account.avatar), HEADERS, account.avatar_type))
