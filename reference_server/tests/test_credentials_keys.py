"""API keys as credentials: whom they stand for, how they end, what is noted of their use (contract §§2, 3 users)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_server.contract.codes import INVALID, MALFORMED, REVOKED, TokenFault
from reference_server.core.calls import Caller, Head
from reference_server.core.units import SECOND_NS
from reference_server.store.tests.rows import id_of, key, put
from reference_server.tests.gate import NOW_S, STORES, Gate, change_account, opened

KEY = f"zs_live_{'k' * 43}"
KEY_HASH = hashlib.sha256(KEY.encode()).hexdigest()


@pytest.fixture(params=STORES)
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    with opened(request.param, tmp_path) as made:
        yield made


def last_used_ns(gate: Gate) -> int | None:
    gate.environment.run()
    row = gate.store.transact(lambda tx: tx.key(key(1).id))
    return None if row is None else row.last_used_at_ns


def test_a_key_stands_for_its_account_with_the_accounts_role_and_no_end(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    change_account(gate.store, role="admin")
    judged = gate.judge(KEY)

    assert isinstance(judged, Caller)
    assert (judged.account_id, judged.role, judged.key_id, judged.jti) == (id_of(1), "admin", key(1).id, key(1).id)
    gate.now_ns += 100 * 365 * 86_400 * SECOND_NS
    assert gate.accepts(KEY)


def test_a_key_stands_in_the_subprotocol_pair_too(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    headers = {"sec-websocket-protocol": f"bearer.{KEY}, zerostate.v1"}
    judged = gate.credentials.judge(Head("GET", "/api/v1/ws/connect", "", headers, "192.0.2.1"), handshake=True)

    assert isinstance(judged, Caller)
    assert judged.key_id == key(1).id


def test_a_key_that_comes_again_costs_no_transaction(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    assert gate.accepts(KEY)
    gate.environment.run()
    gate.store.asked = 0

    assert all(gate.accepts(KEY) for _ in range(5))
    gate.environment.run()
    assert gate.store.asked == 0


def test_a_revoked_key_is_refused_at_once_also_after_it_was_remembered(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    assert gate.accepts(KEY)
    gate.store.transact(lambda tx: tx.put_key(key(1, key_hash=KEY_HASH, status="revoked")))

    assert gate.judge(KEY) == REVOKED
    gate.environment.run()
    row = gate.store.transact(lambda tx: tx.key(key(1).id))
    assert row is not None
    assert row.status == "revoked"


def test_revoking_all_tokens_leaves_keys(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    assert gate.accepts(KEY)
    change_account(gate.store, revoked_until_ns=gate.now_ns * 2)

    assert gate.accepts(KEY)


@pytest.mark.parametrize(
    ("credential", "fault"),
    [
        (f"zs_live_{'x' * 43}", INVALID),
        (f"zs_test_{'k' * 43}", INVALID),
        (f"zs_live_{'k' * 42}", MALFORMED),
        (f"zs_live_{'k' * 129}", MALFORMED),
        (f"zs_live_{'k' * 42}!", MALFORMED),
        (f"zs_prod_{'k' * 43}", MALFORMED),
        (KEY.upper(), MALFORMED),
        (KEY_HASH, MALFORMED),
    ],
)
def test_what_is_no_key_of_ours_is_refused_with_its_reason(gate: Gate, credential: str, fault: TokenFault) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))

    assert gate.judge(credential) == fault


def test_a_key_of_nobody_is_invalid(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH, account_id=id_of(99)))

    assert gate.judge(KEY) == INVALID


def test_the_use_of_a_key_is_noted_once_a_minute(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    assert last_used_ns(gate) is None
    noted = []
    for seconds in (0, 59, 1, 10, 60):
        gate.now_ns += seconds * SECOND_NS
        assert gate.accepts(KEY)
        noted.append(last_used_ns(gate))

    start = NOW_S * SECOND_NS
    assert noted == [start + after * SECOND_NS for after in (0, 0, 60, 60, 130)]


def test_a_process_that_starts_again_notes_no_earlier(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    gate.accepts(KEY)
    first = last_used_ns(gate)
    again = Gate(gate.store, now_ns=gate.now_ns + 30 * SECOND_NS)
    assert again.accepts(KEY)

    assert last_used_ns(again) == first


def test_a_note_that_cannot_be_written_spoils_no_call(gate: Gate) -> None:
    put(gate.store, key(1, key_hash=KEY_HASH))
    assert gate.accepts(KEY)
    gate.store.broken = True
    gate.environment.run()
    gate.store.broken = False

    assert gate.accepts(KEY)
    assert last_used_ns(gate) is None
