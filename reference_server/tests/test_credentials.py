"""Credentials and what is remembered of them: exact under expiry, revocation, other processes (contract §2 token)."""

import base64
import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from reference_server.contract.codes import EXPIRED, INVALID, MALFORMED, REVOKED, TokenFault
from reference_server.core.answers import Answer
from reference_server.core.calls import Caller
from reference_server.core.rows import replaced_account
from reference_server.core.transaction import Transaction
from reference_server.core.units import SECOND_NS
from reference_server.credentials import CREDENTIAL_CHARS_MAX
from reference_server.environment_asyncio import JwtTokens
from reference_server.store import MemoryStore, SqliteStore
from reference_server.store.tests.rows import account, id_of, key, put
from reference_server.tests.gate import (
    NOW_S,
    STORES,
    Gate,
    WatchedStore,
    change_account,
    first_account,
    opened,
)
from reference_server.tests.virtual import SECRET

T = TypeVar("T")
LIFE_S = 3600


@pytest.fixture(params=STORES)
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    with opened(request.param, tmp_path) as made:
        yield made


def claims(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return the claims of a token of account 1 whose jti follows from its number."""
    made = {
        "sub": id_of(1),
        "email": "p1@example.org",
        "role": "user",
        "iat": NOW_S - 10 + number / 1000,
        "nbf": NOW_S - 10,
        "exp": NOW_S + LIFE_S,
        "jti": id_of(9000 + number),
    }
    return made | changes


def token_of(number: int = 1, **changes: Any) -> str:
    return JwtTokens(SECRET).sign(claims(number, **changes))


def test_a_token_that_comes_again_costs_neither_signature_nor_transaction(gate: Gate) -> None:
    judged = [gate.judge(token_of()) for _ in range(5)]

    assert judged == [judged[0]] * 5
    assert isinstance(judged[0], Caller)
    assert (judged[0].account_id, judged[0].role, judged[0].jti) == (id_of(1), "user", id_of(9001))
    assert (gate.tokens.decoded, gate.store.asked) == (1, 1)


def test_what_is_remembered_expires_at_its_exp(gate: Gate) -> None:
    assert gate.accepts(token_of())
    gate.now_ns = (NOW_S + LIFE_S) * SECOND_NS - 1
    assert gate.accepts(token_of())
    gate.now_ns += 1

    assert gate.judge(token_of()) == EXPIRED
    assert len(gate.credentials) == 0
    assert gate.judge(token_of()) == EXPIRED


def test_a_revoked_token_is_refused_at_once_and_no_other(gate: Gate) -> None:
    one, other = token_of(1), token_of(2)
    assert gate.accepts(one)
    assert gate.accepts(other)
    gate.store.transact(lambda tx: tx.revoke_token(id_of(9001), (NOW_S + LIFE_S) * SECOND_NS))

    assert gate.judge(one) == REVOKED
    assert gate.accepts(other)
    assert gate.tokens.decoded == 2


def test_revoking_all_refuses_every_token_issued_up_to_then(gate: Gate) -> None:
    tokens = [token_of(number) for number in (1, 2, 3)]
    assert all(gate.accepts(token) for token in tokens)
    change_account(gate.store, revoked_until_ns=round(claims(2)["iat"] * 1e6) * 1000)

    assert [gate.judge(token) for token in tokens[:2]] == [REVOKED, REVOKED]
    assert gate.accepts(tokens[2])


def test_a_changed_role_counts_from_the_next_call_on(gate: Gate) -> None:
    gate.judge(token_of())
    change_account(gate.store, role="admin")

    judged = gate.judge(token_of())
    assert isinstance(judged, Caller)
    assert judged.role == "admin"


def test_a_rolled_back_revocation_revokes_nothing(gate: Gate) -> None:
    assert gate.accepts(token_of())

    def fails(tx: Transaction) -> None:
        tx.revoke_token(id_of(9001), NOW_S * 2 * SECOND_NS)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gate.store.transact(fails)

    assert gate.accepts(token_of())


@pytest.mark.parametrize(
    "work",
    [
        lambda tx: tx.insert_account(account(3)),
        lambda tx: tx.update_account(replaced_account(first_account(tx), issued_until_ns=NOW_S * SECOND_NS)),
        lambda tx: tx.update_account(
            replaced_account(first_account(tx), email="new@example.org", email_key="new@example.org")
        ),
        lambda tx: tx.update_account(replaced_account(first_account(tx), password_hash="newer", avatar="x")),
        lambda tx: tx.put_key(key(1)),
    ],
)
def test_what_ends_no_credential_costs_nobody_what_is_remembered(
    gate: Gate, work: Callable[[Transaction], None]
) -> None:
    gate.judge(token_of())
    gate.store.transact(work)
    gate.store.asked = 0

    assert gate.accepts(token_of())
    assert gate.store.asked == 0


def test_what_another_process_revoked_is_refused_at_once(tmp_path: Path) -> None:
    ours, theirs = (SqliteStore(tmp_path / "store.db") for _ in range(2))
    put(ours, account(1))
    gate = Gate(WatchedStore(ours))
    for number, revoke in enumerate(
        (
            lambda tx: tx.revoke_token(id_of(9001), NOW_S * 2 * SECOND_NS),
            lambda tx: tx.update_account(replaced_account(first_account(tx), revoked_until_ns=NOW_S * SECOND_NS)),
        ),
        start=1,
    ):
        assert gate.accepts(token_of(number))
        theirs.transact(revoke)
        assert gate.judge(token_of(number)) == REVOKED
    ours.close()
    theirs.close()


def test_a_token_of_an_account_that_vanished_is_refused_at_once(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    put(store, account(1))
    gate = Gate(WatchedStore(store))
    assert gate.accepts(token_of())
    hand = sqlite3.connect(tmp_path / "store.db")
    with hand:
        hand.execute("DELETE FROM accounts")
    hand.close()

    assert gate.judge(token_of()) == INVALID
    assert len(gate.credentials) == 0
    store.close()


def test_a_revocation_between_question_and_answer_is_not_remembered_away() -> None:
    class Interrupted(MemoryStore):
        """Another process revokes the token right after its judgement."""

        def read(self, work: Callable[[Transaction], T]) -> T:
            value = super().read(work)
            if isinstance(value, Caller):
                self.transact(lambda tx: tx.revoke_token(value.jti, NOW_S * 2 * SECOND_NS))
            return value

    store = WatchedStore(Interrupted())
    put(store, account(1))
    gate = Gate(store)
    gate.judge(token_of())

    assert gate.judge(token_of()) == REVOKED


def test_the_number_of_remembered_tokens_is_bounded_and_the_one_unused_longest_goes(gate: Gate) -> None:
    small = Gate(gate.store, remembered_max=2)
    for number in (1, 2, 1, 3):
        assert small.accepts(token_of(number))
    assert len(small.credentials) == 2
    small.tokens.decoded = 0

    assert small.accepts(token_of(1))
    assert small.tokens.decoded == 0
    assert small.accepts(token_of(2))
    assert small.tokens.decoded == 1


def test_refused_tokens_push_out_nothing(gate: Gate) -> None:
    small = Gate(gate.store, remembered_max=1)
    small.accepts(token_of())
    for number in range(5):
        assert not small.accepts(token_of(number, exp=NOW_S))
        assert not small.accepts(f"{token_of(number)}x")

    assert small.accepts(token_of())
    assert len(small.credentials) == 1


def test_no_token_lies_in_what_is_remembered(gate: Gate) -> None:
    token = token_of()
    assert gate.accepts(token)

    assert token not in repr(vars(gate.credentials))
    assert token.rpartition(".")[2] not in repr(vars(gate.credentials))


def test_a_store_that_cannot_tell_is_503_also_for_what_is_remembered(gate: Gate) -> None:
    gate.judge(token_of())
    gate.store.broken = True

    for token in (token_of(), token_of(2)):
        judged = gate.judge(token)
        assert isinstance(judged, Answer)
        assert judged.status == 503
    gate.store.broken = False
    assert gate.accepts(token_of())


# forged, confused and broken tokens


def part(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def forged(header: Any, payload: Any, key: str = SECRET, hash_name: str = "sha256") -> str:
    """Return a token signed with an HMAC, whatever its header says."""
    signed = f"{part(header)}.{part(payload)}"
    mac = hmac.new(key.encode(), signed.encode(), getattr(hashlib, hash_name)).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def otherwise(token: str) -> list[str]:
    """Return a token with another last character that has the same significant bits: three more texts of its bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    first = alphabet.index(token[-1]) & ~3
    return [token[:-1] + last for last in alphabet[first : first + 4] if last != token[-1]]


HS256 = {"alg": "HS256", "typ": "JWT"}


def without(name: str) -> dict[str, Any]:
    return {claim: value for claim, value in claims().items() if claim != name}


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        ("x", MALFORMED),
        ("a.b", MALFORMED),
        ("a.b.c", MALFORMED),
        ("a.b.c.d.e", MALFORMED),
        ("é.é.é", MALFORMED),
        ("x" * (CREDENTIAL_CHARS_MAX + 1), MALFORMED),
        (forged(HS256, claims() | {"pad": "x" * CREDENTIAL_CHARS_MAX}), MALFORMED),
        (forged("[" * 2500, claims()), MALFORMED),
        (forged(HS256, "[" * 2500), MALFORMED),
        (forged(HS256, "[]"), MALFORMED),
        (forged(HS256, "9" * 2500), MALFORMED),
        (forged(HS256, claims(), key="another key, of 32 bytes or more.."), INVALID),
        (f"{part(HS256)}.{part(claims())}.", INVALID),
        (f"{part({'alg': 'none'})}.{part(claims())}.", INVALID),
        (forged({"alg": "none"}, claims()), INVALID),
        (forged({"alg": "HS512"}, claims(), hash_name="sha512"), INVALID),
        (forged({"alg": "RS256"}, claims()), INVALID),
        (forged({"alg": "hs256"}, claims()), INVALID),
        (forged({"typ": "JWT"}, claims()), INVALID),
        (forged({"alg": ["HS256"]}, claims()), INVALID),
        *((forged(HS256, without(name)), INVALID) for name in claims()),
        (forged(HS256, claims(nbf=NOW_S + 1)), INVALID),
        (forged(HS256, claims(iat=NOW_S + 60)), INVALID),
        (forged(HS256, claims(sub=id_of(99))), INVALID),
        (forged(HS256, claims(sub=["x"])), INVALID),
        (forged(HS256, claims(exp="tomorrow")), INVALID),
        (forged(HS256, claims(exp=True)), INVALID),
        (forged(HS256, claims(role="root")), INVALID),
        (forged(HS256, claims(jti="\ud800")), INVALID),
        (forged(HS256, claims(exp=NOW_S)), EXPIRED),
    ],
)
def test_what_is_no_good_token_is_refused_with_its_reason(gate: Gate, token: str, fault: TokenFault) -> None:
    assert gate.judge(token) == fault
    assert len(gate.credentials) == 0


@pytest.mark.parametrize("tail", ["=", "==", "====", "+", "/", "\n."])
def test_a_token_has_one_text_without_padding(gate: Gate, tail: str) -> None:
    token = token_of()
    head, payload, signature = token.split(".")

    assert gate.judge(token + tail) == MALFORMED
    assert gate.judge(f"{head}{tail}.{payload}.{signature}") == MALFORMED
    assert [gate.judge(text) for text in otherwise(token)] == [MALFORMED] * 3
    assert gate.accepts(token)


def test_a_token_signed_by_hand_as_ours_are_is_accepted(gate: Gate) -> None:
    assert gate.accepts(forged(HS256, claims()))
