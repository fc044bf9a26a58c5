"""API keys: made, listed, revoked, and judged where a token may stand (contract §3 users, §2 where it stands).

Only a key's SHA-256 is kept. It is found by that digest, so what the search's time could tell is about digests, from
which no key follows; 256 bits of chance need neither salt nor a slow hash.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from reference_server.contract import limits
from reference_server.contract.codes import INVALID, MALFORMED, REVOKED, TokenFault
from reference_server.contract.messages import SystemData
from reference_server.contract.models import (
    ApiKey,
    ApiKeyList,
    ApiKeyMade,
    ApiKeyRequest,
    ApiKeyRevoked,
    KeyEnvironment,
)
from reference_server.core.accounts import caller_of
from reference_server.core.answers import Answer, Decision, Only, Publish, Revoke, error
from reference_server.core.calls import Call, Caller, Context
from reference_server.core.envelopes import timestamp
from reference_server.core.ids import is_uuid
from reference_server.core.rows import KeyRow, replaced_key
from reference_server.core.transaction import Transaction
from reference_server.core.units import SECOND_NS, whole_microseconds

PREFIXES: Final[dict[KeyEnvironment, str]] = {"live": "zs_live_", "test": "zs_test_"}
LAST_CHARS: Final = 4
USE_NOTED_NS: Final = 60 * SECOND_NS
"""`last_used_at` is written at most once in this time, so that a busy key costs one write a minute, not one a call."""
FOREVER_NS: Final = 2**63 - 1
"""A key has no instants of a token: it never expires, and no watermark of its account's tokens reaches it."""

_FORM: Final = re.compile(r"zs_(?:live|test)_[A-Za-z0-9_-]{43,128}", re.ASCII)


def is_key(credential: str) -> bool:
    """Say whether a credential means to be an API key; no JWT begins so."""
    return credential.startswith(tuple(PREFIXES.values()))


@dataclass(frozen=True, slots=True)
class KeyProof:
    """What a key is found by."""

    key_hash: str


def proof_of(key: str) -> KeyProof | TokenFault:
    """Return what a key is found by, or that it has not the form of one."""
    return KeyProof(_hash_of(key)) if _FORM.fullmatch(key) else MALFORMED


def _hash_of(key: str) -> str:
    return sha256(key.encode("ascii")).hexdigest()


def judge_key(tx: Transaction, proof: KeyProof) -> Caller | TokenFault:
    """Return whom a key stands for, or why not: invalid when there is no such key, revoked."""
    row = tx.key_by_hash(proof.key_hash)
    account = None if row is None else tx.account(row.account_id)
    if row is None or account is None:
        return INVALID
    if row.status != "active":
        return REVOKED
    return Caller(account.id, account.role, row.id, FOREVER_NS, FOREVER_NS, key_id=row.id)


def note_use(tx: Transaction, key_id: str, now_ns: int) -> None:
    """Write that a key was used, unless it was lately or is revoked by now."""
    row = tx.key(key_id)
    if row is None or row.status != "active":
        return
    if row.last_used_at_ns is None or now_ns - row.last_used_at_ns >= USE_NOTED_NS:
        tx.put_key(replaced_key(row, last_used_at_ns=now_ns))


def list_own(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show the newest `LISTED_MAX` of the caller's keys, the revoked ones too, and how many there are."""
    rows, total = tx.keys_of(caller_of(call).account_id, limits.LISTED_MAX)
    return Decision(Answer(200, ApiKeyList([_view(row) for row in rows], total)))


def make(tx: Transaction, call: Call, context: Context) -> Decision:
    """Make a key: its one showing is the answer; the owner's sockets are warned."""
    if not isinstance(call.body, ApiKeyRequest):
        raise TypeError("an API key needs its body")
    prefix = PREFIXES[call.body.environment]
    key = prefix + context.new_secret()
    row = KeyRow(
        id=context.new_id(),
        account_id=caller_of(call).account_id,
        order=tx.next_row_order(),
        name=call.body.name,
        environment=call.body.environment,
        prefix=prefix,
        last4=key[-LAST_CHARS:],
        key_hash=_hash_of(key),
        status="active",
        created_at_ns=whole_microseconds(context.now_ns),
    )
    tx.put_key(row)
    made = ApiKeyMade(**msgspec.structs.asdict(_view(row)), key=key)
    return Decision(Answer(201, made), (_warning(row, "made"),))


def revoke(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Revoke an own key, again too; its sockets are closed before the owner's are told, so that they hear no more."""
    key_id = call.path["id"]
    row = tx.key(key_id) if is_uuid(key_id) else None
    if row is None or row.account_id != caller_of(call).account_id:
        return Decision(error(404, "there is no such API key"))
    answer = Answer(200, ApiKeyRevoked(row.id, "revoked"))
    if row.status == "revoked":
        return Decision(answer)
    tx.put_key(replaced_key(row, status="revoked"))
    return Decision(answer, (Revoke(row.account_id, jti=row.id), _warning(row, "revoked")))


def _warning(row: KeyRow, done: str) -> Publish:
    text = f'API key "{row.name}" ({row.prefix}…{row.last4}) was {done}'
    return Publish("system", SystemData(text, "warning"), Only(row.account_id))


def _view(row: KeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        environment=row.environment,
        prefix=row.prefix,
        last4=row.last4,
        status=row.status,
        created_at=timestamp(row.created_at_ns),
        last_used_at=None if row.last_used_at_ns is None else timestamp(row.last_used_at_ns),
    )
