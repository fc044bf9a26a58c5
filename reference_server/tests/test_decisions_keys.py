"""API keys and the profile as decisions (contract §3 users)."""

import re
from typing import Any

import pytest
from msgspec import convert
from msgspec.structs import replace

from reference_server.contract.codes import REVOKED
from reference_server.contract.models import ApiKeyList, ApiKeyMade, ApiKeyRevoked, Me
from reference_server.core import keys
from reference_server.core.answers import Only, Publish, Revoke
from reference_server.core.calls import Caller
from reference_server.core.units import SECOND_NS
from reference_server.core.wire import RequestError
from reference_server.tests.desk import Desk, encoded, shown


def made(desk: Desk, caller: Caller, name: str = "deploy bot", environment: str = "live") -> ApiKeyMade:
    decision = desk.decide("make_api_key", caller, {"name": name, "environment": environment})
    assert decision.answer.status == 201
    return convert(shown(decision.answer), ApiKeyMade)


def listed(desk: Desk, caller: Caller) -> ApiKeyList:
    return convert(shown(desk.decide("list_api_keys", caller).answer), ApiKeyList)


def judged(desk: Desk, key: str) -> object:
    proof = keys.proof_of(key)
    assert isinstance(proof, keys.KeyProof)
    return desk.store.transact(lambda tx: keys.judge_key(tx, proof))


@pytest.mark.parametrize("environment", ["live", "test"])
def test_a_key_is_shown_once_and_kept_as_a_hash(environment: str) -> None:
    desk = Desk()
    caller = desk.register()
    key = made(desk, caller, environment=environment)
    row = desk.store.transact(lambda tx: tx.key(key.id))

    assert re.fullmatch(f"zs_{environment}_[A-Za-z0-9_-]{{43,}}", key.key)
    assert (key.prefix, key.last4) == (f"zs_{environment}_", key.key[-4:])
    assert key.key not in str(row)
    assert "key" not in encoded(listed(desk, caller).api_keys[0])
    acting = judged(desk, key.key)
    assert isinstance(acting, Caller)
    assert (acting.account_id, acting.key_id) == (caller.account_id, key.id)


def test_two_keys_differ_though_all_else_is_the_same() -> None:
    desk = Desk()
    caller = desk.register()
    one, two = made(desk, caller), made(desk, caller)

    assert one.key != two.key
    assert one.id != two.id


def test_keys_are_listed_newest_first_with_the_revoked_ones_and_nobody_elses() -> None:
    desk = Desk()
    caller, other = desk.register(), desk.register("x@y.z")
    ids = [made(desk, caller, f"key {n}").id for n in range(3)]
    made(desk, other)
    desk.decide("revoke_api_key", caller, path={"id": ids[1]})

    page = listed(desk, caller)
    assert [key.id for key in page.api_keys] == ids[::-1]
    assert [key.status for key in page.api_keys] == ["active", "revoked", "active"]
    assert (page.total, page.api_keys[0].last_used_at) == (3, None)
    assert listed(desk, desk.register("new@y.z")) == ApiKeyList([], 0)


def test_a_noted_use_is_shown() -> None:
    desk = Desk()
    caller = desk.register()
    key = made(desk, caller)
    desk.store.transact(lambda tx: keys.note_use(tx, key.id, desk.now_ns + SECOND_NS))

    assert listed(desk, caller).api_keys[0].last_used_at == "2027-01-15T08:00:01.000000Z"


def test_revoking_ends_the_key_can_be_repeated_and_tells_once() -> None:
    desk = Desk()
    caller = desk.register()
    key = made(desk, caller)
    first, again = (desk.decide("revoke_api_key", caller, path={"id": key.id}) for _ in range(2))

    assert first.answer == again.answer
    assert convert(shown(first.answer), ApiKeyRevoked) == ApiKeyRevoked(key.id, "revoked")
    assert judged(desk, key.key) == REVOKED
    assert first.outgoing[0] == Revoke(caller.account_id, jti=key.id)
    assert again.outgoing == ()


def test_making_and_revoking_warn_the_owner_without_the_key() -> None:
    desk = Desk()
    caller = desk.register()
    key = made(desk, caller)
    desk.decide("revoke_api_key", caller, path={"id": key.id})
    told = [one for one in desk.outgoing if isinstance(one, Publish)]

    assert [one.audience for one in told] == [Only(caller.account_id)] * 2
    assert [(one.type, encoded(one.data)["level"]) for one in told] == [("system", "warning")] * 2
    messages = [encoded(one.data)["message"] for one in told]
    assert messages[0] == f'API key "deploy bot" (zs_live_…{key.last4}) was made'
    assert messages[1].endswith("was revoked")
    assert key.key not in str(desk.outgoing)


@pytest.mark.parametrize("key_id", ["x", "", "\udc80", "00000000-0000-4000-8000-000000000000", None])
def test_an_unknown_a_malformed_and_another_accounts_key_are_404(key_id: str | None) -> None:
    desk = Desk()
    caller, other = desk.register(), desk.register("x@y.z")
    key = made(desk, other)
    decision = desk.decide("revoke_api_key", caller, path={"id": key.id if key_id is None else key_id})

    assert decision.answer.status == 404
    assert isinstance(judged(desk, key.key), Caller)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \t"}, "name"),
        ({"name": "ä" * 101}, "name"),
        ({"name": None}, "name"),
        ({"environment": "prod"}, "environment"),
        ({"environment": None}, "environment"),
    ],
)
def test_a_key_needs_a_name_and_an_environment(change: dict[str, Any], field: str) -> None:
    desk = Desk()
    with pytest.raises(RequestError) as wrong:
        desk.decide("make_api_key", desk.register(), {"name": "ä" * 100, "environment": "test"} | change)

    assert [fault.field for fault in wrong.value.faults] == [field]


# the profile


def test_an_empty_change_of_the_profile_changes_nothing() -> None:
    desk = Desk()
    caller = desk.register()
    before = desk.decide("me", caller).answer

    assert desk.decide("update_me", caller, {}).answer == before
    assert desk.decide("update_me", caller, {"password": "ignored", "role": "admin"}).answer == before
    assert desk.decide("me", caller).answer == before


def test_a_name_is_changed_without_the_password() -> None:
    desk = Desk()
    caller = desk.register()
    answer = desk.decide("update_me", caller, {"full_name": "Änn"}).answer

    assert convert(shown(answer), Me).full_name == "Änn"
    assert desk.decide("me", caller).answer == answer


def test_an_e_mail_is_changed_with_the_password_and_tokens_stay_good() -> None:
    desk = Desk()
    before = desk.decide("register", body=PERSON, password_hash="h")
    caller = desk.caller(before)
    body = {"email": "New@B.c", "password": "12345678"}
    answer = desk.decide("update_me", caller, body, comparison=desk.comparison()).answer

    assert convert(shown(answer), Me).email == "New@B.c"
    assert desk.caller(before) == caller
    assert desk.login("a@b.c").answer.status == 401
    assert desk.login("nEW@b.c").answer.status == 200


def test_an_e_mail_without_the_password_is_400_and_names_it() -> None:
    desk = Desk()
    caller = desk.register()
    answer = desk.decide("update_me", caller, {"email": "new@b.c", "full_name": "Other"}).answer

    assert answer.status == 400
    assert [fault["field"] for fault in shown(answer)["details"]] == ["password"]
    assert shown(desk.decide("me", caller).answer)["full_name"] == "Ann"


def test_a_wrong_password_is_401_before_409_and_nothing_changes() -> None:
    desk = Desk()
    caller = desk.register()
    desk.register("taken@b.c")
    before = desk.decide("me", caller).answer
    body = {"email": "TAKEN@b.c", "password": "x", "full_name": "Other"}

    assert desk.decide("update_me", caller, body, comparison=desk.comparison(matches=False)).answer.status == 401
    assert desk.decide("update_me", caller, body, comparison=desk.comparison()).answer.status == 409
    assert desk.decide("me", caller).answer == before


def test_a_password_that_was_right_for_another_hash_or_account_changes_no_e_mail() -> None:
    desk = Desk()
    caller = desk.register()
    desk.register("other@b.c")
    body = {"email": "new@b.c", "password": "x"}
    older = replace(desk.comparison(), password_hash="older")

    for comparison in (older, desk.comparison("other@b.c"), None):
        assert desk.decide("update_me", caller, body, comparison=comparison).answer.status == 401
    assert shown(desk.decide("me", caller).answer)["email"] == "a@b.c"


def test_ones_own_e_mail_in_another_case_is_not_taken() -> None:
    desk = Desk()
    caller = desk.register()
    answer = desk.decide("update_me", caller, {"email": "A@B.C", "password": "x"}, comparison=desk.comparison()).answer

    assert (answer.status, shown(answer)["email"]) == (200, "A@B.C")


def test_an_e_mail_that_was_given_up_can_be_taken() -> None:
    desk = Desk()
    body = {"email": "new@b.c", "password": "x"}
    caller = desk.register()
    desk.decide("update_me", caller, body, comparison=desk.comparison())

    desk.register("a@b.c")


PERSON = {"email": "a@b.c", "password": "12345678", "full_name": "Ann"}


@pytest.mark.parametrize(
    "body", [{"full_name": " "}, {"full_name": None}, {"email": " a@b.c"}, {"email": None}, {"email": 1}]
)
def test_a_change_of_the_profile_is_held_to_what_registering_takes(body: dict[str, Any]) -> None:
    desk = Desk()
    with pytest.raises(RequestError):
        desk.decide("update_me", desk.register(), body)
