"""Whom a request comes from: its credential is judged once and remembered while that is exact (contract §2 token).

A credential is accepted only if it is genuine, in time, not revoked, of an account that exists. What was found is
remembered under its digest, and each part of it stands only as long as it can't have changed:

- the signature and the claims never change;
- the time is compared at every use;
- revocation and account stand while the store's revision is the one that was read *before* they were asked about.
  A revocation is answered after its commit, and the commit changes the revision, whichever process made it; so who
  comes with a token after its logout was answered finds another revision, and the store is asked again.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Final

from reference_server.commit import GroupCommit
from reference_server.contract.codes import EXPIRED, MALFORMED, TokenFault
from reference_server.core import admission, keys
from reference_server.core.admission import Origins
from reference_server.core.answers import Answer, unavailable
from reference_server.core.calls import Caller, Head
from reference_server.core.keys import KeyProof
from reference_server.core.tokens import Claims, judge_claims, read_claims
from reference_server.core.transaction import Transaction
from reference_server.environment import Environment, TokenInvalidError
from reference_server.store.base import Revision, Store, StoreError

REMEMBERED_MAX: Final = 10_000
"""Credentials remembered, under 1 KiB each; over that the one unused longest is judged anew."""
CREDENTIAL_CHARS_MAX: Final = 4096
"""None of ours is a quarter as long; a longer one is refused before any work is done on it."""


_Proof = Claims | KeyProof
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Verified:
    """A credential that was accepted: what it proves, whom it stood for, and at what revision of the store.

    `noted_ns` is when the use of an API key was last noted.
    """

    proof: _Proof
    caller: Caller
    revision: Revision
    noted_ns: int = 0


class Credentials:
    """The judge of one process's credentials."""

    def __init__(
        self,
        environment: Environment,
        store: Store,
        wall_ns: Callable[[], int],
        *,
        origins: Origins | None = None,
        remembered_max: int = REMEMBERED_MAX,
    ) -> None:
        """Take a wall clock that never goes back: a token that had begun to hold must not be ahead of it again.

        `origins` are the pages whose cookies count, none if it is None.
        """
        self._tokens = environment.tokens
        self._store = store
        self._wall_ns = wall_ns
        self._origins = origins
        self._remembered_max = remembered_max
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._notes = GroupCommit(environment, store)

    def __len__(self) -> int:
        return len(self._verified)

    def judge(self, head: Head, *, handshake: bool) -> Caller | TokenFault | Answer:
        """Return whom the request comes from, why its credential is refused, or 503 when the store can't tell."""
        credential = admission.credential(head, handshake=handshake, origins=self._origins)
        if isinstance(credential, TokenFault):
            return credential
        if len(credential) > CREDENTIAL_CHARS_MAX or not credential.isascii():
            return MALFORMED
        try:
            return self._judge(credential)
        except StoreError:
            return unavailable()

    def _judge(self, credential: str) -> Caller | TokenFault:
        digest = sha256(credential.encode("ascii")).digest()
        known, now_ns = self._verified.get(digest), self._wall_ns()
        # Read before the store is asked: what ends the credential meanwhile makes the answer one of the past.
        revision = self._store.revision()
        if known is None or known.revision != revision:
            return self._ask(digest, credential, known, revision, now_ns)
        if now_ns >= known.caller.expires_at_ns:
            del self._verified[digest]
            return EXPIRED
        self._verified.move_to_end(digest)
        return self._used(known, now_ns)

    def _ask(
        self, digest: bytes, credential: str, known: _Verified | None, revision: Revision, now_ns: int
    ) -> Caller | TokenFault:
        proof = self._proof(credential) if known is None else known.proof
        if isinstance(proof, TokenFault):
            return proof
        judged = self._store.read(lambda tx: _judge_proof(tx, proof, now_ns))
        if not isinstance(judged, Caller):
            self._verified.pop(digest, None)
            return judged
        verified = _Verified(proof, judged, revision, 0 if known is None else known.noted_ns)
        self._remember(digest, verified)
        return self._used(verified, now_ns)

    def _proof(self, credential: str) -> _Proof | TokenFault:
        if keys.is_key(credential):
            return keys.proof_of(credential)
        try:
            return read_claims(self._tokens.decode(credential))
        except TokenInvalidError as fault:
            return TokenFault(fault.fault)

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        """Keep what was accepted; a flood of forged tokens pushes nothing out, since refusals are not kept."""
        self._verified[digest] = verified
        self._verified.move_to_end(digest)
        if len(self._verified) > self._remembered_max:
            self._verified.popitem(last=False)

    def _used(self, verified: _Verified, now_ns: int) -> Caller:
        """Note that a key was used, at most once a minute; a note that can't be written spoils no call."""
        caller, key_id = verified.caller, verified.caller.key_id
        if key_id is not None and now_ns - verified.noted_ns >= keys.USE_NOTED_NS:
            verified.noted_ns = now_ns
            self._notes.submit(partial(keys.note_use, key_id=key_id, now_ns=now_ns), _noted, _not_noted)
        return caller


def _judge_proof(tx: Transaction, proof: _Proof, now_ns: int) -> Caller | TokenFault:
    return judge_claims(tx, proof, now_ns) if isinstance(proof, Claims) else keys.judge_key(tx, proof)


def _noted(_: None) -> None:
    pass


def _not_noted(fault: Exception) -> None:
    logger.warning("the use of an API key could not be noted: %s", fault)
