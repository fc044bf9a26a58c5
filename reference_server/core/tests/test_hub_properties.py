"""The hub under any sequence of inputs: prefix, isolation, one send a message, bounded outboxes (contract §5)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.contract import limits
from reference_server.core.effects import Effect, FrameIn, Opcode, Revoked, Send
from reference_server.core.tests.hub_world import HubWorld

ACCOUNTS = ("ann", "bob", "cyn")
account = st.sampled_from(ACCOUNTS)
which = st.integers(0, 5)
size = st.sampled_from((1, 10, limits.SERVER_MESSAGE_BYTES_MAX))
step = st.one_of(
    st.tuples(st.just("open"), account),
    st.tuples(st.just("accept"), st.sampled_from((*ACCOUNTS, "*")), size),
    st.tuples(st.just("burst"), st.sampled_from((*ACCOUNTS, "*")), st.integers(1, limits.OUTBOX_MESSAGES_MAX + 5)),
    st.tuples(st.sampled_from(("pause", "drain", "lose", "ping", "binary")), which),
    st.tuples(st.just("drain some"), which, st.integers(1, 20)),
    st.tuples(st.just("revoke"), account),
    st.just(("shrink",)),
    st.tuples(st.just("wait"), st.sampled_from((0.5, 4.0, 30.0))),
)


class Model:
    """What each connection may get, by the contract's own words: everything for it since it joined, in order."""

    def __init__(self) -> None:
        self.world = HubWorld()
        self.account: dict[int, str] = {}
        self.owed: dict[int, list[bytes]] = {}
        self.serial = 0

    def take(self, action: tuple[Any, ...]) -> None:
        match action:
            case ("open", name):
                number = self.world.open(name)
                self.account[number], self.owed[number] = name, []
            case ("accept", audience, length):
                self.accept(audience, length)
            case ("burst", audience, count):
                for _ in range(count):
                    self.accept(audience, 1)
            case ("revoke", name):
                self.world.put(Revoked(name, until_ns=10**30))
            case ("shrink",):
                due_ns = self.world.hub.next_timer_ns()
                self.world.hub.shrink()
                assert self.world.hub.next_timer_ns() == due_ns
            case ("wait", seconds):
                self.world.run_to(self.world.now_ns / 10**9 + seconds)
            case (kind, index, *rest) if self.account:
                self.strike(kind, list(self.account)[index % len(self.account)], *rest)
            case _:
                pass

    def strike(self, kind: str, number: int, most: int = 10**9) -> None:
        match kind:
            case "pause":
                self.world.pause(number)
            case "drain" | "drain some":
                self.world.drain(number, most)
            case "lose":
                self.world.lose(number)
            case "binary":
                self.world.put(FrameIn(number, Opcode.BINARY, b""))
            case _:
                self.world.put(FrameIn(number, Opcode.PING, b""))

    def accept(self, audience: str, length: int) -> None:
        self.serial += 1
        text = f"{self.serial}:".ljust(length, "x")
        for number, name in self.account.items():
            if audience in ("*", name):
                self.owed[number].append(text.encode())
        sent_before = self.world.hub.figures().messages_sent
        effects = self.world.accept(audience, text)
        self.check_one_send(effects, text.encode())
        assert self.world.hub.figures().messages_sent >= sent_before

    @staticmethod
    def check_one_send(effects: list[Effect], payload: bytes) -> None:
        sends = [effect for effect in effects if isinstance(effect, Send)]
        assert len(sends) <= 1
        for send in sends:
            assert send.payload == payload
            assert len(set(send.receivers)) == len(send.receivers)

    def check(self) -> None:
        for number, owed in self.owed.items():
            got = self.world.messages(number)
            assert got == owed[: len(got)], "a prefix of what was accepted for it"
        for connection in self.world.hub._connections.values():
            outbox = connection.outbox
            if outbox is not None:
                assert len(outbox._messages) <= limits.OUTBOX_MESSAGES_MAX
                assert sum(map(len, outbox._messages)) <= limits.OUTBOX_BYTES_MAX
        assert len(self.world.hub._deadlines) <= 2 * len(self.world.hub._connections) + 64


@pytest.mark.property
@given(st.lists(step, max_size=60))
def test_whatever_happens_each_connection_gets_a_prefix_of_its_own_messages(steps: list[tuple[Any, ...]]) -> None:
    model = Model()
    for action in steps:
        model.take(action)
        model.check()


@pytest.mark.property
@given(st.lists(step, max_size=60))
def test_at_the_end_everyone_alive_has_everything(steps: list[tuple[Any, ...]]) -> None:
    model = Model()
    for action in steps:
        model.take(action)
    for number in model.account:
        model.world.drain(number)
    hub = model.world.hub
    alive = [number for number in hub._connections if number not in model.world.closed]
    assert hub.figures().current_connections == len(alive)
    for number in alive:
        assert model.world.messages(number) == model.owed[number]
