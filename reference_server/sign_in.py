"""The steps of accounts that leave the loop: hashing, comparing, and the same work for e-mails nobody has.

While a password is compared its account may change; the decision judges by the row as it then is, see `Comparison`.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from reference_server.commit import GroupCommit
from reference_server.contract.models import LoginRequest, ProfileRequest, RegisterRequest
from reference_server.core.accounts import account_of, caller_of, email_key
from reference_server.core.answers import Answer, unavailable
from reference_server.core.calls import Call, Comparison
from reference_server.core.passwords import PasswordCost
from reference_server.core.rows import AccountRow
from reference_server.core.transaction import Transaction
from reference_server.environment import Environment

NOBODYS_PASSWORD: Final = "the password of nobody"
COMPARISONS_MAX: Final = 3
"""How often a call compares its password, when the account changes each time that it was right."""

Reply = Callable[[Answer], None]
Failed = Callable[[Exception], None]
Decide = Callable[[Call, Reply], None]


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A call that stands or falls with a password; `find` gives the account that it must be the password of."""

    call: Call
    password: str
    find: Callable[[Transaction], AccountRow | None]
    reply: Reply
    failed: Failed
    remakes: bool
    comparisons: int = 1


class SignIn:
    """Prepares register, login and changes of the profile for their decisions."""

    def __init__(self, environment: Environment, commit: GroupCommit, decide: Decide, cost: PasswordCost) -> None:
        self._environment = environment
        self._commit = commit
        self._decide = decide
        self._cost = cost
        self._nobodys_hash = ""

    def start(self, done: Callable[[], None]) -> None:
        """Make the hash that unknown e-mails are compared with, so that their answer takes as long."""

        def made(password_hash: str | None) -> None:
            self._nobodys_hash = password_hash or ""
            done()

        self._environment.hash_password(NOBODYS_PASSWORD, made)

    def register(self, call: Call, body: RegisterRequest, reply: Reply) -> None:
        """Hash, then decide; 503 when too many wait (contract §2 login)."""

        def hashed(password_hash: str | None) -> None:
            if password_hash is None:
                reply(_too_many_waiting())
            else:
                self._decide(replace(call, password_hash=password_hash), reply)

        self._environment.hash_password(body.password, hashed)

    def login(self, call: Call, body: LoginRequest, reply: Reply, failed: Failed) -> None:
        """Compare with the account's hash or nobody's, make an outdated one again, then decide."""
        key = email_key(body.email)
        self._compare(_Attempt(call, body.password, lambda tx: tx.account_by_email(key), reply, failed, remakes=True))

    def update_me(self, call: Call, body: ProfileRequest, reply: Reply, failed: Failed) -> None:
        """Compare the password with the account's hash when an e-mail is to change, then decide."""
        if body.email is UNSET or body.password is UNSET:
            self._decide(call, reply)
            return
        caller = caller_of(call)
        self._compare(_Attempt(call, body.password, lambda tx: account_of(tx, caller), reply, failed, remakes=False))

    def _compare(self, attempt: _Attempt) -> None:
        def found(account: AccountRow | None) -> None:
            owner, password_hash = ("", self._nobodys_hash) if account is None else (account.id, account.password_hash)
            compared = partial(self._compared, attempt, owner, password_hash)
            self._environment.verify_password(password_hash, attempt.password, compared)

        self._commit.read(attempt.find, found, attempt.failed)

    def _compared(self, attempt: _Attempt, owner: str, password_hash: str, matches: bool | None) -> None:
        if matches is None:
            attempt.reply(_too_many_waiting())
            return
        comparison = Comparison(owner, password_hash, matches)

        def decide(remade: str | None) -> None:
            # When too many wait the old hash stays for now: the password is right all the same.
            call = replace(attempt.call, comparison=comparison, password_hash=remade)
            self._decide(call, partial(self._decided, attempt, matches))

        if matches and attempt.remakes and self._cost.outdates(password_hash):
            self._environment.hash_password(attempt.password, decide)
        else:
            decide(None)

    def _decided(self, attempt: _Attempt, matches: bool, answer: Answer) -> None:
        """Answer, or compare again: a right password met an account that another call had changed meanwhile.

        A login beside this one may have made the same password's hash again, and then 401 would be wrong.
        """
        if matches and answer.status == 401 and attempt.comparisons < COMPARISONS_MAX:
            self._compare(dataclasses.replace(attempt, comparisons=attempt.comparisons + 1))
        else:
            attempt.reply(answer)


def _too_many_waiting() -> Answer:
    return unavailable("too many passwords are being checked; try again")
