"""A foreign target is kept to what it allows: whom it lets in, how many connections, how fast."""

import asyncio
import json
from typing import Any

import pytest

from harness.client.rest import Headers, RawAnswer, RestClient, SignInError
from harness.client.shell import LoopLag
from harness.history import Event, Recorder
from harness.seeds import people
from harness.targets.manners import Connections, PacedTransport, TooManyConnectionsError, retry_after_s
from harness.targets.profiles import read_profile
from harness.targets.remote import RemoteTarget
from harness.verify.plan import plan_of

AWAY = "https://staging.example.org"
LENT = [{"email": f"{name}@example.org", "password": f"long enough {name}"} for name in ("ann", "bob")]
CARL, DORA, EMIL = people(3, ["carl", "dora", "emil"])


class Answering:
    """Carries nothing away: answers the next of a list, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: RawAnswer) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, Any]] = []

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        del method, headers
        self.asked.append((path_and_query, json.loads(body) if body else None))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


SIGNED_IN = RawAnswer(200, {}, b'{"token": "a-token-of-some-length", "user": {"id": "u1"}}')


class Polite(RemoteTarget):
    """A target that is not there: its client's answers are given."""

    carried: Answering

    @property
    def client(self) -> RestClient:
        return RestClient(self.carried, self.recorder)


def target(runner: asyncio.Runner, history: list[Event] | None = None, **fields: Any) -> Polite:
    profile = read_profile({"api": AWAY, **fields}, "staging.toml")
    sink = history.append if history is not None else lambda _: None
    made = Polite(profile, Recorder("client", lambda: 0, sink), runner=runner)
    made.carried = Answering(SIGNED_IN)
    return made


def emails(made: Polite, path: str) -> list[str]:
    return [body["email"] for asked, body in made.carried.asked if asked == f"/api/v1/users/{path}"]


def test_nobody_is_registered_where_accounts_are_not_allowed() -> None:
    with asyncio.Runner() as runner:
        made = target(runner)
        with pytest.raises(SignInError, match="allow accounts"):
            made.run(made.sign_up(CARL))

    assert made.carried.asked == []
    assert "may register nobody and is lent nobody" in "\n".join(plan_of(made.profile))


def test_lent_accounts_are_logged_in_with_and_given_to_the_same_people_again() -> None:
    with asyncio.Runner() as runner:
        made = target(runner, accounts=LENT)
        for person in (CARL, DORA, CARL):
            made.run(made.sign_up(person))
        made.run(made.sign_in(DORA))
        with pytest.raises(SignInError, match="gives 2 accounts, none is left for 'emil'"):
            made.run(made.sign_up(EMIL))

    ann, bob = (account["email"] for account in LENT)
    assert emails(made, "login") == [ann, bob, ann, bob]
    assert emails(made, "register") == []
    assert "accounts" not in made.capabilities.grants
    assert "logs in with the profile's 2 accounts and registers none" in plan_of(made.profile)


def test_lent_accounts_are_left_alone_where_accounts_may_be_made() -> None:
    with asyncio.Runner() as runner:
        made = target(runner, accounts=LENT, allow=["accounts", "tasks"])
        made.run(made.sign_up(CARL))
        made.run(made.sign_in(CARL))

    assert (emails(made, "register"), emails(made, "login")) == ([CARL.email], [CARL.email])
    assert made.left_behind == [f"account {CARL.email}"]
    assert "registers accounts; they can't be removed and are listed at the end" in plan_of(made.profile)


def test_one_connection_more_than_allowed_is_refused_until_one_is_let_go() -> None:
    connections, held = Connections("staging", 2), [object(), object(), object()]
    connections.hold(held[0])
    connections.hold(held[0])
    connections.hold(held[1])

    with pytest.raises(TooManyConnectionsError, match="staging allows 2 connections"):
        connections.hold(held[2])
    connections.let_go(held[0])
    connections.hold(held[2])
    assert len(connections) == 2


def test_a_429_is_waited_out_by_who_keeps_the_pace_and_seen_by_who_does_not() -> None:
    refused, fine = RawAnswer(429, {"retry-after": "0"}, b""), RawAnswer(200, {}, b"")
    paced = asyncio.run(PacedTransport(Answering(refused, fine), None).send("GET", "/", (), None))
    assert paced.status == 200

    with asyncio.Runner() as runner:
        made = RemoteTarget(read_profile({"api": AWAY}, "x"), Recorder("c", lambda: 0, lambda _: None), runner=runner)
        assert not isinstance(made.unpaced.transport, PacedTransport)
        assert isinstance(made.client.transport, PacedTransport)
        runner.run(made.close())


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("7", 7), ("9999", 90), ("", None), ("Wed, 21 Oct 2015 07:28:00 GMT", None), ("nan", None), ("²", None)],
)
def test_retry_after_is_whole_seconds_or_nothing(told: str, seconds: int | None) -> None:
    assert retry_after_s({"retry-after": told}) == seconds


def test_a_stall_of_our_own_loop_is_told_at_the_end_of_a_part() -> None:
    history: list[Event] = []

    async def stalled(made: Polite) -> None:
        await made.sign_up(CARL)
        until = asyncio.get_running_loop().time() + 0.1
        while asyncio.get_running_loop().time() < until:
            pass
        await made.close_tabs()
        await made.close_tabs()

    with asyncio.Runner() as runner:
        made = target(runner, history, allow=["accounts"])
        made.run(stalled(made))

    (sample,) = [event for event in history if event.kind == "sample"]
    assert sample.data.keys() == {"series", "unit", "max"}
    assert (sample.data["series"], sample.data["unit"]) == ("loop_lag", "ms")
    assert 70 < sample.data["max"] < 5000


def test_a_loop_that_was_never_watched_tells_nothing() -> None:
    assert LoopLag().stop() is None


def test_what_was_made_is_removed_last_first_and_what_can_not_be_is_told() -> None:
    with asyncio.Runner() as runner:
        away = target(runner, allow=["accounts", "agents", "keys"])

        async def make_and_leave() -> None:
            session = await away.sign_up(CARL)
            away.left_behind.clear()
            for operation, id_ in (("delete_agent", "a1"), ("revoke_api_key", "k1"), ("stop_deployment", "d1")):
                away.made(session, operation, id_)
            away.carried.answers = [RawAnswer(code, {}, b"{}") for code in (200, 404, 503, 200)]
            away.carried.asked.clear()
            await away.close()

        runner.run(make_and_leave())

    removed = [path for path, _ in away.carried.asked][:3]
    assert removed == ["/api/v1/deployments/d1/stop", "/api/v1/users/me/api-keys/k1", "/api/v1/agents/a1"]
    assert away.left_behind == ["delete_agent a1 was answered 503"]
