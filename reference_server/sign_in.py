"""The steps of accounts that leave the loop: hashing, comparing, and the same work for e-mails nobody has."""

from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from reference_server.commit import GroupCommit
from reference_server.contract.models import LoginRequest, ProfileRequest, RegisterRequest
from reference_server.core.accounts import account_of, caller_of, email_key
from reference_server.core.answers import Answer, error
from reference_server.core.calls import Call
from reference_server.core.passwords import PasswordCost
from reference_server.core.transaction import Transaction
from reference_server.environment import Environment

RETRY_AFTER_S: Final = 1
NOBODYS_PASSWORD: Final = "the password of nobody"

Decide = Callable[[Call, Callable[[Answer], None]], None]


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

    def register(self, call: Call, body: RegisterRequest, reply: Callable[[Answer], None]) -> None:
        """Hash, then decide; 503 when too many wait (contract §2 login)."""

        def hashed(password_hash: str | None) -> None:
            if password_hash is None:
                reply(_too_many_waiting())
            else:
                self._decide(replace(call, password_hash=password_hash), reply)

        self._environment.hash_password(body.password, hashed)

    def login(
        self,
        call: Call,
        body: LoginRequest,
        reply: Callable[[Answer], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Compare with the account's hash or nobody's, make an outdated one again, then decide."""

        def found(password_hash: str) -> None:
            self._compare(password_hash, body.password, reply, partial(compared, password_hash))

        def compared(password_hash: str, matches: bool) -> None:
            if matches and self._cost.outdates(password_hash):
                self._environment.hash_password(body.password, remade)
            else:
                self._decide(replace(call, password_matches=matches), reply)

        def remade(password_hash: str | None) -> None:
            # When too many wait the old hash stays for now: the password is right all the same.
            self._decide(replace(call, password_matches=True, password_hash=password_hash), reply)

        self._commit.read(lambda tx: self._hash_of(tx, body.email), found, failed)

    def update_me(
        self,
        call: Call,
        body: ProfileRequest,
        reply: Callable[[Answer], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Compare the password with the account's hash when an e-mail is to change, then decide."""
        if body.email is UNSET or body.password is UNSET:
            self._decide(call, reply)
            return
        password = body.password

        def found(password_hash: str) -> None:
            self._compare(password_hash, password, reply, compared)

        def compared(matches: bool) -> None:
            self._decide(replace(call, password_matches=matches), reply)

        self._commit.read(lambda tx: account_of(tx, caller_of(call)).password_hash, found, failed)

    def _compare(
        self, password_hash: str, password: str, reply: Callable[[Answer], None], then: Callable[[bool], None]
    ) -> None:
        def compared(matches: bool | None) -> None:
            if matches is None:
                reply(_too_many_waiting())
            else:
                then(matches)

        self._environment.verify_password(password_hash, password, compared)

    def _hash_of(self, tx: Transaction, email: str) -> str:
        account = tx.account_by_email(email_key(email))
        return self._nobodys_hash if account is None else account.password_hash


def _too_many_waiting() -> Answer:
    return error(503, "too many passwords are being checked; try again", retry_after_s=RETRY_AFTER_S)
