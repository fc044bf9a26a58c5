"""Whom a request comes from: its credential is judged once and remembered while that is exact (contract §2 token).

A token is accepted only if it is signed, in time, not revoked, of an account that exists. What was found is
remembered under the token's digest, and each part of it stands only as long as it can't have changed:

- the signature and the claims never change;
- the time is compared at every use;
- revocation and account stand while the store's revision is the one that was read *before* they were asked about.
  A revocation is answered after its commit, and the commit changes the revision, whichever process made it; so who
  comes with a token after its logout was answered finds another revision, and the store is asked again.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from reference_server.contract.codes import EXPIRED, MALFORMED, TokenFault
from reference_server.core import admission
from reference_server.core.answers import Answer, unavailable
from reference_server.core.calls import Caller, Head
from reference_server.core.tokens import Claims, judge_claims, read_claims
from reference_server.environment import TokenInvalidError, Tokens
from reference_server.store.base import Revision, Store, StoreError

REMEMBERED_MAX: Final = 10_000
"""Tokens remembered, about half a KiB each; over that the one unused longest is judged anew."""
TOKEN_CHARS_MAX: Final = 4096
"""No token of ours is a quarter as long; a longer one is refused before any work is done on it."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was accepted: what it says, whom it stood for, and at what revision of the store."""

    claims: Claims
    caller: Caller
    revision: Revision


class Credentials:
    """The judge of one process's credentials."""

    def __init__(
        self, tokens: Tokens, store: Store, wall_ns: Callable[[], int], *, remembered_max: int = REMEMBERED_MAX
    ) -> None:
        """Take a wall clock that never goes back: a token that had begun to hold must not be ahead of it again."""
        self._tokens = tokens
        self._store = store
        self._wall_ns = wall_ns
        self._remembered_max = remembered_max
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    def __len__(self) -> int:
        return len(self._verified)

    def judge(self, head: Head, *, handshake: bool) -> Caller | TokenFault | Answer:
        """Return whom the request comes from, why its credential is refused, or 503 when the store can't tell."""
        token = admission.credential(head.headers, handshake=handshake)
        if isinstance(token, TokenFault):
            return token
        if len(token) > TOKEN_CHARS_MAX or not token.isascii():
            return MALFORMED
        try:
            return self._judge(token)
        except StoreError:
            return unavailable()

    def _judge(self, token: str) -> Caller | TokenFault:
        digest = sha256(token.encode("ascii")).digest()
        known = self._verified.get(digest)
        revision = self._store.revision()
        if known is None or known.revision != revision:
            return self._ask(digest, token, known, revision)
        if self._wall_ns() >= known.caller.expires_at_ns:
            del self._verified[digest]
            return EXPIRED
        self._verified.move_to_end(digest)
        return known.caller

    def _ask(self, digest: bytes, token: str, known: _Verified | None, revision: Revision) -> Caller | TokenFault:
        claims = self._claims(token) if known is None else known.claims
        if isinstance(claims, TokenFault):
            return claims
        judged = self._store.transact(lambda tx: judge_claims(tx, claims, self._wall_ns()))
        if isinstance(judged, Caller):
            self._remember(digest, _Verified(claims, judged, revision))
        else:
            self._verified.pop(digest, None)
        return judged

    def _claims(self, token: str) -> Claims | TokenFault:
        try:
            return read_claims(self._tokens.decode(token))
        except TokenInvalidError as fault:
            return TokenFault(fault.fault)

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        """Keep what was accepted; a flood of forged tokens pushes nothing out, since refusals are not kept."""
        self._verified[digest] = verified
        self._verified.move_to_end(digest)
        if len(self._verified) > self._remembered_max:
            self._verified.popitem(last=False)
