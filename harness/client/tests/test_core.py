"""Claims on the client core that hold whatever comes: one socket, five attempts, no word on a closed socket."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.client import core
from harness.client import signals as on
from harness.client.signals import AnyEffect, AnyEvent, State
from reference_server.contract.codes import NO_RECONNECT_CODES

URL = "ws://zerostate.test/api/v1/ws/connect"
WELCOME = '{"type":"system","data":{"message":"hello","level":"info","client_id":"c"}}'
CLOSE_CODES = (1000, 1001, 1006, 1008, 1012, 1013, 4401, 4409)


@dataclass
class Shell:
    """Carries out effects on sockets that are only numbers, and checks what must never happen."""

    state: State = field(default_factory=lambda: core.start(URL))
    now_ms: int = 1_000
    live: set[int] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)
    constructed_ms: list[int] = field(default_factory=list)
    effects: list[AnyEffect] = field(default_factory=list)

    def take(self, event: AnyEvent) -> tuple[AnyEffect, ...]:
        if isinstance(event, on.Closed):
            self.live.discard(event.socket)
        if isinstance(event, on.Opened):
            self.opened.add(event.socket)
        self.state, effects = core.step(self.state, event)
        for effect in effects:
            self._carry_out(effect)
        return effects

    def _carry_out(self, effect: AnyEffect) -> None:
        self.effects.append(effect)
        match effect:
            case on.OpenSocket(socket):
                assert not self.live, "two live sockets"
                self.live.add(socket)
                self.constructed_ms.append(self.now_ms)
            case on.CloseSocket(socket):
                assert socket in self.live, "closed what was not live"
                self.live.remove(socket)
            case on.Send(socket):
                assert socket in self.live & self.opened, "sent on a socket that is not open"
            case on.SetTimer(at_ms=at_ms):
                assert at_ms >= self.now_ms, "set a timer in the past"
            case _:
                pass

    def fire_next_timer(self, draw: int = 0) -> tuple[AnyEffect, ...]:
        name = min(self.state.timers, key=lambda name: (self.state.timers[name], name))
        self.now_ms = max(self.now_ms, self.state.timers[name])
        return self.take(on.TimerFired(self.now_ms, draw, name=name))


@pytest.fixture
def shell() -> Shell:
    return Shell()


def connected(shell: Shell) -> int:
    shell.take(on.Connect(shell.now_ms))
    socket = shell.state.sockets
    shell.take(on.Opened(shell.now_ms, socket=socket))
    shell.take(on.Received(shell.now_ms, socket=socket, text=WELCOME))
    return socket


@pytest.mark.parametrize(("draw", "longest"), [(0, 100), (1000, 110)])
def test_attempts_come_after_1_2_4_8_16_seconds_each_up_to_a_tenth_longer(
    shell: Shell, draw: int, longest: int
) -> None:
    socket = connected(shell)
    lost_ms = [shell.now_ms]
    shell.take(on.Closed(shell.now_ms, draw, socket=socket, code=1006))
    while shell.state.phase != "given_up":
        while shell.state.phase == "waiting":
            shell.fire_next_timer(draw)
        lost_ms.append(shell.now_ms)
        shell.take(on.Closed(shell.now_ms, draw, socket=shell.state.sockets, code=1006))
        shell.take(on.MeAnswered(shell.now_ms, draw, status=0))

    waits = [made - lost for made, lost in zip(shell.constructed_ms[1:], lost_ms, strict=False)]
    assert waits == [seconds * 10 * longest for seconds in (1, 2, 4, 8, 16)]
    assert on.Toast("error", "Lost connection to server. Please refresh the page.", "connection") in shell.effects


@pytest.mark.parametrize("code", sorted(NO_RECONNECT_CODES))
def test_codes_that_forbid_it_bring_no_reconnect(shell: Shell, code: int) -> None:
    socket = connected(shell)
    shell.take(on.Closed(shell.now_ms, socket=socket, code=code))
    assert not shell.state.timers
    assert len(shell.constructed_ms) == 1


def test_a_page_that_looks_away_for_a_minute_is_connected_anew(shell: Shell) -> None:
    connected(shell)
    shell.take(on.VisibilityChanged(2_000, visible=False))
    shell.now_ms = 62_000
    shell.take(on.VisibilityChanged(62_000, visible=True))
    assert shell.state.phase == "waiting"
    assert not shell.live


def test_a_ping_is_a_valid_ping_of_the_contract(shell: Shell) -> None:
    connected(shell)
    while not any(isinstance(effect, on.Send) for effect in shell.effects):
        shell.fire_next_timer()
    (ping,) = [effect for effect in shell.effects if isinstance(effect, on.Send)]
    assert json.loads(ping.text) == {"type": "ping", "timestamp": "1970-01-01T00:00:26.000Z"}


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("connect", "disconnect", "hide", "show", "online", "pagehide", "pageshow", "timer", "open"),
                *("welcome", "pong", "error", "close", "late", "me_ok", "me_429", "push", "logout", "ended"),
            )
        ),
        st.integers(0, 40_000),
        st.integers(0, 1000),
        st.sampled_from(CLOSE_CODES),
    ),
    max_size=60,
)


def event_of(shell: Shell, action: str, draw: int, code: int) -> AnyEvent | None:
    """Give the event of an action, as far as a socket that is there allows it."""
    now, socket, old = shell.now_ms, shell.state.sockets, shell.state.sockets - 1
    page: dict[str, AnyEvent] = {
        "connect": on.Connect(now, draw),
        "disconnect": on.Disconnect(now, draw),
        "hide": on.VisibilityChanged(now, draw, visible=False),
        "show": on.VisibilityChanged(now, draw, visible=True),
        "online": on.WentOnline(now, draw),
        "pagehide": on.PageHidden(now, draw),
        "pageshow": on.PageShown(now, draw, persisted=True),
        "logout": on.LogOut(now, draw),
        "ended": on.SessionEnded(now, draw),
        "me_ok": on.MeAnswered(now, draw, status=200),
        "me_429": on.MeAnswered(now, draw, status=429, retry_after=2),
        "late": on.Closed(now, draw, socket=old, code=code),
    }
    live: dict[str, AnyEvent] = {
        "open": on.Opened(now, draw, socket=socket),
        "welcome": on.Received(now, draw, socket=socket, text=WELCOME),
        "pong": on.Received(now, draw, socket=socket, text='{"type":"pong","data":{}}'),
        "push": on.Received(now, draw, socket=socket, text='{"type":"system","data":{"message":"m"}}'),
        "error": on.Failed(now, draw, socket=socket),
        "close": on.Closed(now, draw, socket=socket, code=code),
    }
    return page.get(action) or (live[action] if socket in shell.live else None)


def perform(shell: Shell, action: str, wait_ms: int, draw: int, code: int) -> None:
    due_ms = min(shell.state.timers.values(), default=shell.now_ms + wait_ms)
    if action == "timer":
        if shell.state.timers:
            shell.fire_next_timer(draw)
        return
    # Time goes on, but never past a timer that was set: a shell fires those first.
    shell.now_ms = min(shell.now_ms + wait_ms, max(due_ms, shell.now_ms))
    event = event_of(shell, action, draw, code)
    if event is not None:
        shell.take(event)


@pytest.mark.property
@given(ACTIONS)
def test_whatever_comes_there_is_one_socket_and_at_most_five_attempts(
    actions: list[tuple[str, int, int, int]],
) -> None:
    shell = Shell()
    for action, wait_ms, draw, code in actions:
        perform(shell, action, wait_ms, draw, code)
        state = shell.state
        assert 0 <= state.attempts <= core.ATTEMPTS_MAX
        assert shell.live == (set() if state.socket is None else {state.socket})
        assert (state.socket is not None) == (state.phase in ("connecting", "open"))
        assert ("reconnect" in state.timers) == (state.phase == "waiting")
        assert set(state.timers) & {"ping", "pong", "settled", "fade"} == set() or state.phase == "open"
        assert "ping" not in state.timers or state.visible


@pytest.mark.property
@given(ACTIONS)
def test_between_two_settled_connections_a_page_dials_at_most_five_times(
    actions: list[tuple[str, int, int, int]],
) -> None:
    shell, dialed = Shell(), 0
    uncounted = {"connect", "pageshow", "show"}
    for action, wait_ms, draw, code in actions:
        before = shell.state
        perform(shell, action, wait_ms, draw, code)
        if action in uncounted or action == "me_429" or shell.state.attempts < before.attempts:
            dialed = 0
        elif shell.state.sockets > before.sockets:
            dialed += 1
        assert dialed <= core.ATTEMPTS_MAX


@pytest.mark.property
@given(ACTIONS)
def test_signed_out_is_the_end(actions: list[tuple[str, int, int, int]]) -> None:
    shell = Shell()
    connected(shell)
    shell.take(on.SessionEnded(shell.now_ms))
    while shell.state.timers:
        shell.fire_next_timer()
    made = len(shell.constructed_ms)
    for action, wait_ms, draw, code in actions:
        perform(shell, action, wait_ms, draw, code)
    assert shell.state.phase == "signed_out"
    assert len(shell.constructed_ms) == made
