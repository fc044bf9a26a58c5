"""Accounts, tokens and agents as decisions (contract §§2, 3, 9)."""

from typing import Any

import pytest
from msgspec import convert

from reference_server.contract.codes import EXPIRED, INVALID, REVOKED
from reference_server.contract.models import AgentPage, Me, SessionAnswer
from reference_server.contract.seeded_agents import SEEDED_AGENTS
from reference_server.core import agents
from reference_server.core.answers import Revoke
from reference_server.core.units import SECOND_NS
from reference_server.tests.desk import START_NS, Desk, shown


def test_registering_makes_an_account_that_me_shows() -> None:
    desk = Desk()
    decision = desk.decide(
        "register", body={"email": "Ann@B.c", "password": "12345678", "full_name": "Ann Ä"}, password_hash="h"
    )
    session = convert(shown(decision.answer), SessionAnswer)

    me = convert(shown(desk.decide("me", desk.caller(decision)).answer), Me)
    assert decision.answer.status == 201
    assert (me.email, me.full_name, me.role, me.avatar_url) == ("Ann@B.c", "Ann Ä", "user", None)
    assert (session.user.id, session.user.created_at, session.expires_in) == (me.id, me.created_at, 3600)


def test_an_e_mail_is_taken_without_regard_to_case() -> None:
    desk = Desk()
    desk.register("a@b.c")
    body = {"email": "A@B.C", "password": "12345678", "full_name": "x"}

    assert desk.decide("register", body=body, password_hash="h").answer.status == 409


def test_login_answers_alike_for_unknown_e_mail_and_wrong_password() -> None:
    desk = Desk()
    desk.register("a@b.c")

    assert desk.login("a@b.c", matches=False).answer == desk.login("x@b.c", matches=False).answer
    assert desk.login("x@b.c", matches=True).answer.status == 401
    assert desk.login("A@b.C").answer.status == 200


def test_a_remade_hash_is_kept_at_login() -> None:
    desk = Desk()
    caller = desk.register()
    body = {"email": "a@b.c", "password": "x"}
    desk.decide("login", body=body, comparison=desk.comparison(matches=False), password_hash="wrong")
    desk.decide("login", body=body, comparison=desk.comparison(), password_hash="newer")

    account = desk.store.transact(lambda tx: tx.account(caller.account_id))
    assert account is not None
    assert account.password_hash == "newer"


def test_a_password_proves_nothing_about_who_owns_the_e_mail_by_now() -> None:
    desk = Desk()
    former = desk.register("shared@b.c", "former's")
    compared = desk.comparison("shared@b.c")
    body = {"email": "moved@b.c", "password": "x"}
    assert desk.decide("update_me", former, body, comparison=compared).answer.status == 200
    owner = desk.register("shared@b.c", "owner's")
    login = {"email": "shared@b.c", "password": "x"}
    decision = desk.decide("login", body=login, comparison=compared, password_hash="former's, made again")

    account = desk.store.transact(lambda tx: tx.account(owner.account_id))
    assert (decision.answer.status, decision.claims) == (401, None)
    assert account is not None
    assert account.password_hash == "owner's"


def test_a_shared_hash_proves_only_the_account_it_was_compared_for() -> None:
    desk = Desk()
    for email in ("a@b.c", "b@b.c"):
        desk.register(email, "shared")
    login = {"email": "b@b.c", "password": "x"}

    assert desk.decide("login", body=login, comparison=desk.comparison("a@b.c")).answer.status == 401
    assert desk.decide("login", body=login, comparison=desk.comparison("b@b.c")).answer.status == 200


def test_a_right_password_of_nobody_signs_in_no_account_made_meanwhile() -> None:
    desk = Desk()
    compared = desk.comparison("a@b.c")
    desk.register("a@b.c")
    login = {"email": "a@b.c", "password": "x"}

    assert desk.decide("login", body=login, comparison=compared).answer.status == 401


def test_logout_kills_this_token_alone() -> None:
    desk = Desk()
    caller, other = desk.register(), desk.login()
    mine = desk.login()
    decision = desk.decide("logout", desk.caller(mine))

    assert decision.outgoing == (Revoke(caller.account_id, jti=decision_jti(mine.claims)),)
    assert desk.judge(mine) == REVOKED
    desk.caller(other)


def decision_jti(claims: dict[str, Any] | None) -> str:
    assert claims is not None
    return str(claims["jti"])


def test_logout_everywhere_kills_exactly_the_tokens_made_before_it_while_the_clock_stands() -> None:
    desk = Desk()
    desk.register()
    for _ in range(3):
        before = [desk.login(), desk.login()]
        caller = desk.caller(before[0])
        (revoke,) = desk.decide("logout", caller, {"all": True}).outgoing
        after = desk.login()

        assert isinstance(revoke, Revoke)
        assert [desk.judge(token) for token in before] == [REVOKED, REVOKED]
        assert desk.caller(after).issued_at_ns > revoke.until_ns >= caller.issued_at_ns


def test_logout_everywhere_reaches_tokens_of_before_the_clock_went_back() -> None:
    desk = Desk()
    desk.register()
    desk.now_ns += 10 * SECOND_NS
    ahead = desk.login()
    desk.now_ns -= 5 * SECOND_NS
    desk.decide("logout", desk.caller(desk.login()), {"all": True})

    desk.now_ns += 10 * SECOND_NS
    assert desk.judge(ahead) == REVOKED


def test_a_token_expires_at_its_exp() -> None:
    desk = Desk()
    desk.register()
    decision = desk.login()
    desk.now_ns = START_NS + 3600 * SECOND_NS - 1
    desk.caller(decision)
    desk.now_ns += 1

    assert desk.judge(decision) == EXPIRED


@pytest.mark.parametrize("claim", ["sub", "email", "role", "iat", "nbf", "exp", "jti"])
@pytest.mark.parametrize("wrong", [None, True, [], float("inf"), float("nan")])
def test_a_claim_that_is_missing_or_of_a_wrong_type_is_invalid(claim: str, wrong: object) -> None:
    desk = Desk()
    desk.register()
    claims = dict(desk.login().claims or {})
    bad = claims | {claim: wrong}
    del claims[claim]

    for given in (claims, bad):
        assert desk.judged(given) == INVALID


def test_a_claim_that_no_store_can_hold_and_an_unknown_role_are_invalid() -> None:
    desk = Desk()
    desk.register()
    claims = desk.login().claims or {}
    for change in ({"sub": "\ud800"}, {"jti": "a\udfff"}, {"email": "\udc00@b.c"}, {"role": "root"}, {"role": ""}):
        assert desk.judged(claims | change) == INVALID


def test_an_unknown_account_and_a_token_of_tomorrow_are_invalid() -> None:
    desk = Desk()
    desk.register()
    claims = desk.login().claims or {}
    tomorrow = START_NS / SECOND_NS + 60
    for change in ({"sub": "someone"}, {"nbf": tomorrow}, {"iat": tomorrow}):
        given = claims | change
        assert desk.judged(given) == INVALID


def test_the_fifteen_agents_are_seeded_once_and_as_listed() -> None:
    desk = Desk()
    desk.now_ns += 86_400 * SECOND_NS
    desk.store.transact(lambda tx: agents.seed(tx, desk.now_ns))
    caller = desk.register()

    page = convert(shown(desk.decide("list_agents", caller, query="sort=name&limit=100").answer), AgentPage)
    assert (page.total, page.total_pages, len(page.agents)) == (15, 1, 15)
    by_id = {agent.id: agent for agent in page.agents}
    for seeded in SEEDED_AGENTS:
        agent = by_id[seeded.id]
        assert agent.capabilities == [*seeded.capabilities, "query-processing"]
        assert (agent.name, agent.price, agent.status) == (seeded.name, seeded.price, seeded.status)
    assert by_id["agent_014"].created_at == "2027-01-10T08:00:00.000000Z"


def test_one_agent_is_what_the_list_shows_and_an_unknown_or_malformed_id_is_404() -> None:
    desk = Desk()
    caller = desk.register()
    listed = shown(desk.decide("list_agents", caller, query="limit=100").answer)["agents"]

    for agent in listed:
        assert shown(desk.decide("get_agent", caller, path={"id": agent["id"]}).answer) == agent
    for unknown in ("agent_999", "AGENT_001", "x", "", "\udc80"):
        assert desk.decide("get_agent", caller, path={"id": unknown}).answer.status == 404
