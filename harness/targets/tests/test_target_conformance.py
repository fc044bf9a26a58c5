"""Every kind of target keeps what `targets.base` promises: the same tests for virtual time and for real sockets."""

import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.client.rest import SignInError
from harness.history import Event, Recorder, encode
from harness.seeds import people
from harness.targets.base import Person, Session, Tab, Target
from harness.targets.local import LocalTarget
from harness.targets.simulated import SimulatedTarget
from reference_server.contract.lifecycle import FINAL

DEADLINE_S = 10.0


@dataclass
class Place:
    """A target with the history it writes and a supply of strangers."""

    target: Target
    history: list[Event] = field(default_factory=list)
    known: int = 0

    @property
    def events(self) -> list[Event]:
        return self.target.events if isinstance(self.target, SimulatedTarget) else self.history

    def stranger(self) -> Person:
        self.known += 1
        return people(self.known, [f"guest-{self.known}"])[0]

    def run(self, main: Coroutine[Any, Any, None]) -> list[Event]:
        """Run and give what was recorded meanwhile."""
        before = len(self.events)
        self.target.run(main)
        return self.events[before:]


@pytest.fixture(scope="module", params=["simulated", "local"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "simulated":
        yield Place(SimulatedTarget(1))
        return
    history: list[Event] = []
    target = LocalTarget(Recorder("client", time.monotonic_ns, history.append), seed=1)
    yield Place(target, history)
    target.run(target.close())
    target.end()


async def submitted(session: Session, query: str) -> str:
    answer = await session.call("submit_task", body={"query": query, "budget": 5})
    assert answer.status == 202
    return str(answer.body["task_id"])


async def opened(target: Target, session: Session, name: str) -> Tab:
    tab = await target.open_tab(session, name)
    assert await tab.wait_open(DEADLINE_S)
    return tab


def kinds_of(events: list[Event], connection: str) -> list[str]:
    return [event.kind for event in events if event.connection == connection and event.kind != "client"]


def test_a_call_is_recorded_as_invoke_and_then_its_answer(place: Place) -> None:
    async def main() -> None:
        session = await place.target.sign_up(place.stranger())
        assert (await session.call("get_task", path={"id": "nothing"})).status == 404

    events = place.run(main())

    calls = [event for event in events if event.kind in ("invoke", "ok", "fail")]
    assert [event.kind for event in calls] == ["invoke", "ok", "invoke", "ok", "invoke", "fail"]
    assert [event.op for event in calls[::2]] == [event.op for event in calls[1::2]]
    assert [event.data["role"] for event in events if event.kind == "person"] == ["user"]


def test_signing_up_twice_is_an_error_and_signing_in_gives_another_token(place: Place) -> None:
    person = place.stranger()

    async def main() -> None:
        first = await place.target.sign_up(person)
        second = await place.target.sign_in(person)
        assert first.account_id == second.account_id
        assert first.token != second.token
        with pytest.raises(SignInError, match=r"could not register .* 409"):
            await place.target.sign_up(person)

    place.run(main())


def test_a_tab_reads_its_welcome_then_the_pushes_of_its_person(place: Place) -> None:
    async def main() -> None:
        session = await place.target.sign_up(place.stranger())
        tab = await opened(place.target, session, "reads")
        task_id = await submitted(session, "read me")
        assert await tab.wait_message(lambda it: _is_final(it, task_id), DEADLINE_S)
        assert await tab.wait_message(lambda it: it["type"] == "system", 0.0), "what was read before counts too"

    events = place.run(main())

    assert kinds_of(events, "reads.1")[:3] == ["connecting", "opened", "received"]
    received = [event for event in events if event.kind == "received" and event.connection == "reads.1"]
    assert "client_id" in received[0].data["message"]["data"]
    assert all(len(event.data["digest"]) == 64 and event.data["bytes"] > 0 for event in received)


def _is_final(message: dict[str, Any], task_id: str) -> bool:
    return message["data"].get("task_id") == task_id and message["data"]["status"] in FINAL


def test_waiting_for_what_does_not_come_ends_at_its_deadline(place: Place) -> None:
    async def main() -> None:
        session = await place.target.sign_up(place.stranger())
        tab = await opened(place.target, session, "waits")
        assert not await tab.wait_message(lambda it: it["type"] == "nothing", 0.2)

    place.run(main())


def test_a_cut_ends_the_socket_abnormally_and_the_tab_comes_back(place: Place) -> None:
    async def main() -> None:
        session = await place.target.sign_up(place.stranger())
        tab = await opened(place.target, session, "cut")
        await tab.cut()
        assert await tab.wait_open(DEADLINE_S)

    events = place.run(main())

    assert kinds_of(events, "cut.1")[-1] == "closed"
    (closed,) = [event for event in events if event.kind == "closed" and event.connection == "cut.1"]
    assert (closed.data["code"], closed.data["clean"]) == (1006, False)
    assert kinds_of(events, "cut.2")[:3] == ["connecting", "opened", "received"]
    (wait,) = [event for event in events if event.data.get("effect") == "set_timer" and event.data["tab"] == "cut"]
    assert 1000 <= wait.data["in_ms"] <= 1100


def test_a_tab_that_leaves_closes_cleanly_and_stays_away(place: Place) -> None:
    async def main() -> None:
        session = await place.target.sign_up(place.stranger())
        tab = await opened(place.target, session, "leaves")
        await tab.close()
        await place.target.sleep(1.3)

    events = place.run(main())

    (closed,) = [event for event in events if event.kind == "closed" and event.connection == "leaves.1"]
    assert (closed.data["code"], closed.data["clean"], closed.data["by"]) == (1000, True, "self")
    assert kinds_of(events, "leaves.2") == []


def test_signing_out_ends_the_tabs_of_the_token_and_they_stay_away(place: Place) -> None:
    async def main() -> None:
        session = await place.target.sign_up(place.stranger())
        tab = await opened(place.target, session, "out")
        assert (await session.call("logout")).status == 200
        assert not await tab.wait_message(lambda it: it["type"] == "nothing", 1.3)
        late = await place.target.open_tab(session, "late")
        assert not await late.wait_open(1.3)

    events = place.run(main())

    (closed,) = [event for event in events if event.kind == "closed" and event.connection == "out.1"]
    assert (closed.data["code"], closed.data["by"]) == (4401, "peer")
    (refused,) = [event for event in events if event.kind == "refused"]
    assert (refused.connection, refused.data["status"]) == ("late.1", 401)
    effects = {event.data["tab"]: event.data["effect"] for event in events if event.kind == "client"}
    assert effects == {"out": "signed_out", "late": "signed_out"}
    assert kinds_of(events, "out.2") == kinds_of(events, "late.2") == []


def test_the_admin_can_publish_to_every_tab(place: Place) -> None:
    async def main() -> None:
        tab = await opened(place.target, await place.target.sign_up(place.stranger()), "hears")
        admin = await place.target.admin_session()
        assert admin is not None
        body = {"type": "system", "data": {"message": "to all of you", "level": "info"}}
        assert (await admin.call("ws_broadcast", body=body)).body["recipients"] >= 1
        assert await tab.wait_message(lambda it: it["data"].get("message") == "to all of you", DEADLINE_S)

    place.run(main())


def test_gathered_jobs_run_at_the_same_time(place: Place) -> None:
    ended: list[str] = []

    async def job(name: str, seconds: float) -> None:
        await place.target.sleep(seconds)
        ended.append(name)

    place.run(place.target.gather(job("slow", 0.2), job("fast", 0.01)))

    assert ended == ["fast", "slow"]


def test_no_secret_stands_in_the_history(place: Place) -> None:
    person = place.stranger()
    tokens: list[str] = []

    async def main() -> None:
        session = await place.target.sign_up(person)
        tokens.append(session.token)
        await opened(place.target, session, "secret")

    events = place.run(main())

    text = b"".join(encode(event) for event in events).decode()
    assert person.email in text
    assert person.password not in text
    assert tokens[0] not in text
