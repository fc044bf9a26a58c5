"""The browser client's core: one pure step from (state, event) to (state, effects) (contract §6).

No I/O, no clock, no chance: a shell brings events with their time and a draw, and carries out the effects.
The JavaScript twin is `reference_server/pages/js/client_core.js`; both run `contract/client_vectors.json`.

Time is counted in integer milliseconds, not in the nanoseconds of the other pure code, because the shells
that matter are browsers: their clock and their timers know milliseconds only.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, assert_never

import msgspec

from harness.client import pushes
from harness.client import signals as on
from harness.client.signals import AnyEffect, AnyEvent, State
from reference_server.contract import limits
from reference_server.contract.codes import NO_RECONNECT_CODES, CloseCode

PING_PERIOD_MS: Final = limits.CLIENT_PING_PERIOD_S * 1000
PONG_TIMEOUT_MS: Final = limits.CLIENT_PONG_TIMEOUT_S * 1000
RECONNECT_DELAYS_MS: Final = tuple(delay * 1000 for delay in limits.RECONNECT_DELAYS_S)
RECONNECT_DELAY_MS_MAX: Final = limits.RECONNECT_DELAY_S_MAX * 1000
ATTEMPTS_MAX: Final = limits.RECONNECT_ATTEMPTS_MAX
JITTER_PERCENT: Final = round(limits.RECONNECT_JITTER * 100)
SETTLED_AFTER_MS: Final = limits.RECONNECT_RESET_AFTER_OPEN_S * 1000
STALE_PONG_MS: Final = limits.STALE_PONG_S * 1000
FADE_AFTER_MS: Final = 3000
ERROR_SHOWN_MS: Final = 500
RETRY_AFTER_S_MAX: Final = 3600
DRAW_MAX: Final = 1000

CLOSE_NORMAL: Final = 1000
CLOSE_NO_PONG: Final = 4000
"""Sent when the peer seems gone; a page may send 1000 and 3000 to 4999 only."""

LOST: Final = "Lost connection to server. Please refresh the page."
TOO_MANY: Final = "Too many open pages; this one is paused."
SESSION_ENDED: Final = "You have been signed out. Please sign in again."
SIGNED_OUT: Final = "You have signed out."


def start(url: str, *, visible: bool = True) -> State:
    """Give the state of a page that has not connected yet; `url` is the socket's, without a token."""
    return State(url=url, visible=visible)


def step(state: State, event: AnyEvent) -> tuple[State, tuple[AnyEffect, ...]]:
    """Take one event and give the new state and what the shell shall do, in order (contract §6)."""
    turn = _Turn(state, event)
    if isinstance(event, on.SocketEvent):
        # A late event of an old socket changes nothing (§6 reconnect).
        if event.socket == state.socket:
            _take_socket_event(turn, event)
    elif isinstance(event, on.TimerFired):
        _fire(turn, event.name)
    elif isinstance(event, on.MeAnswered):
        if state.phase == "refused":
            _take_me(turn, event)
    else:
        _take_page_event(turn, event)
    return turn.state, tuple(turn.effects)


class _Turn:
    """One step in the making: the state so far and the effects so far."""

    __slots__ = ("at_ms", "draw", "effects", "state")

    def __init__(self, state: State, event: AnyEvent) -> None:
        self.state = state
        self.at_ms = event.at_ms
        self.draw = event.draw
        self.effects: list[AnyEffect] = []

    def change(self, **fields: Any) -> None:
        self.state = msgspec.structs.replace(self.state, **fields)

    def do(self, effect: AnyEffect) -> None:
        self.effects.append(effect)

    def log(self, line: str) -> None:
        self.do(on.Log(line))

    def set_timer(self, name: on.TimerName, at_ms: int) -> None:
        self.change(timers={**self.state.timers, name: at_ms})
        self.do(on.SetTimer(name, at_ms))

    def cancel(self, names: Sequence[on.TimerName]) -> None:
        for name in names:
            if name in self.state.timers:
                self.forget_timer(name)
                self.do(on.CancelTimer(name))

    def forget_timer(self, name: on.TimerName) -> None:
        self.change(timers={key: due for key, due in self.state.timers.items() if key != name})


def _take_page_event(turn: _Turn, event: on.PageEvent) -> None:
    match event:
        case on.Connect():
            if turn.state.phase in ("idle", "stopped", "given_up"):
                _dial_afresh(turn)
        case on.Disconnect():
            _disconnect(turn)
        case on.LogOut():
            _sign_out(turn, "logout")
        case on.SessionEnded():
            _sign_out(turn, "ended")
        case on.VisibilityChanged(visible=visible):
            _take_visibility(turn, visible)
        case on.WentOnline():
            _doubt(turn)
        case on.PageHidden():
            if turn.state.phase not in ("idle", "stopped", "signed_out"):
                _leave(turn, "away")
        case on.PageShown(persisted=persisted):
            _take_pageshow(turn, persisted)
        case _:
            assert_never(event)


def _disconnect(turn: _Turn) -> None:
    if turn.state.phase != "signed_out":
        _leave(turn, "stopped")
        _rest(turn, "Disconnected")


def _take_pageshow(turn: _Turn, persisted: bool) -> None:
    if persisted and turn.state.phase == "away":
        _dial_afresh(turn)
        # What was cached may be hours old: read again even if the socket should not come back.
        turn.do(on.Reload("all"))


def _dial_afresh(turn: _Turn) -> None:
    turn.change(attempts=0)
    _dial(turn)


def _dial(turn: _Turn) -> None:
    turn.cancel(("reconnect", "error"))
    number = turn.state.sockets + 1
    turn.change(phase="connecting", socket=number, sockets=number, welcomed=False, lost_ms=None)
    turn.log(f"connecting {turn.state.url}")
    turn.do(on.Indicator("connecting", "Connecting..."))
    turn.do(on.OpenSocket(number))


def _leave(turn: _Turn, phase: on.Phase, code: int = CLOSE_NORMAL) -> None:
    """Close what is live, forget every wait, and stay in `phase`."""
    socket = turn.state.socket
    _drop_socket(turn)
    turn.cancel(("reconnect", "error"))
    turn.change(phase=phase, lost_ms=None)
    if socket is not None:
        turn.log("disconnected")
        turn.do(on.CloseSocket(socket, code))


def _drop_socket(turn: _Turn) -> None:
    turn.cancel(("ping", "pong", "settled", "fade"))
    turn.change(socket=None, welcomed=False, opened_ms=None, pinged_ms=None, ponged_ms=None)


def _rest(turn: _Turn, text: str) -> None:
    """Show `disconnected` with words, but let a connection error be seen for its time first."""
    turn.change(rest_text=text)
    if "error" not in turn.state.timers:
        turn.do(on.Indicator("disconnected", text))


def _sign_out(turn: _Turn, reason: Any) -> None:
    if turn.state.phase == "signed_out":
        return
    _leave(turn, "signed_out")
    _rest(turn, "Signed out")
    ended = reason == "ended"
    turn.do(on.Toast("warning" if ended else "info", SESSION_ENDED if ended else SIGNED_OUT, "session"))
    turn.do(on.SignedOut(reason))


def _take_visibility(turn: _Turn, visible: bool) -> None:
    came = visible and not turn.state.visible
    turn.change(visible=visible)
    if not visible:
        turn.cancel(("ping",))
    elif came and turn.state.phase == "paused":
        _dial(turn)
    elif came and not _doubt(turn) and turn.state.phase == "open":
        turn.set_timer("ping", max(turn.at_ms, _last_ping(turn.state) + PING_PERIOD_MS))


def _last_ping(state: State) -> int:
    last = state.opened_ms if state.pinged_ms is None else state.pinged_ms
    return 0 if last is None else last


def _doubt(turn: _Turn) -> bool:
    """Treat the socket as lost when its last pong is too old; tell whether it was."""
    ponged_ms = turn.state.ponged_ms
    stale = ponged_ms is not None and turn.at_ms - ponged_ms > STALE_PONG_MS
    if stale:
        _lose(turn)
    return stale


def _lose(turn: _Turn) -> None:
    _leave(turn, "waiting", CLOSE_NO_PONG)
    _schedule(turn, turn.at_ms)


def _schedule(turn: _Turn, since_ms: int) -> None:
    """Give the next attempt its time, counted from the loss, or give up."""
    attempt = turn.state.attempts + 1
    if attempt > ATTEMPTS_MAX:
        turn.change(phase="given_up", lost_ms=None)
        _rest(turn, "Disconnected. Please refresh the page.")
        turn.do(on.Toast("error", LOST, "connection"))
        return
    base = RECONNECT_DELAYS_MS[attempt - 1]
    longer = base * JITTER_PERCENT * turn.draw // (100 * DRAW_MAX)
    delay = min(base + longer, RECONNECT_DELAY_MS_MAX)
    turn.change(phase="waiting", attempts=attempt, lost_ms=None)
    turn.log(f"attempt {attempt}/{ATTEMPTS_MAX}")
    _rest(turn, f"Disconnected. Attempt {attempt}/{ATTEMPTS_MAX} in {base // 1000} s")
    turn.set_timer("reconnect", max(turn.at_ms, since_ms + delay))


def _take_me(turn: _Turn, event: on.MeAnswered) -> None:
    """Act on why a handshake may have been refused; browsers hide its status (§6 refused before open)."""
    if event.status == 401:
        _sign_out(turn, "ended")
    elif event.status == 429:
        wait_s = min(max(event.retry_after or 1, 1), RETRY_AFTER_S_MAX)
        turn.change(phase="waiting", lost_ms=None)
        _rest(turn, f"Disconnected. Trying again in {wait_s} s")
        turn.set_timer("reconnect", turn.at_ms + wait_s * 1000)
    else:
        _schedule(turn, turn.at_ms if turn.state.lost_ms is None else turn.state.lost_ms)


def _fire(turn: _Turn, name: on.TimerName) -> None:
    due_ms = turn.state.timers.get(name)
    if due_ms is None:
        return
    if turn.at_ms < due_ms:
        # Clocks and timers disagree by a millisecond now and then; a timer dropped for that would never come.
        turn.do(on.SetTimer(name, due_ms))
        return
    turn.forget_timer(name)
    _take_timer(turn, name)


def _take_timer(turn: _Turn, name: on.TimerName) -> None:
    match name:
        case "ping":
            _ping(turn)
        case "pong":
            _lose(turn)
        case "reconnect":
            _dial(turn)
        case "settled":
            if turn.state.welcomed:
                turn.change(attempts=0)
        case "fade":
            turn.do(on.Indicator("connected", "Connected", faded=True))
        case "error":
            turn.do(on.Indicator("disconnected", turn.state.rest_text))
        case _:
            assert_never(name)


def _ping(turn: _Turn) -> None:
    socket = turn.state.socket
    if socket is None:
        return
    turn.change(pinged_ms=turn.at_ms)
    turn.do(on.Send(socket, f'{{"type":"ping","timestamp":"{_rfc3339(turn.at_ms)}"}}'))
    turn.set_timer("ping", turn.at_ms + PING_PERIOD_MS)
    if "pong" not in turn.state.timers:
        turn.set_timer("pong", turn.at_ms + PONG_TIMEOUT_MS)


def _rfc3339(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def _take_socket_event(turn: _Turn, event: on.SocketEvent) -> None:
    match event:
        case on.Opened():
            if turn.state.phase == "connecting":
                _open(turn)
        case on.Received(text=text):
            if turn.state.phase == "open":
                _receive(turn, text)
        case on.Failed():
            turn.cancel(("fade",))
            turn.change(rest_text="Disconnected")
            turn.do(on.Indicator("error", "Connection Error"))
            turn.set_timer("error", turn.at_ms + ERROR_SHOWN_MS)
        case on.Closed(code=code):
            _closed(turn, code)
        case _:
            assert_never(event)


def _open(turn: _Turn) -> None:
    # Being open counts as the first sign of life, so that a page hidden at once is not found stale at once.
    turn.change(phase="open", opened_ms=turn.at_ms, ponged_ms=turn.at_ms)
    turn.log("connected")
    turn.do(on.Indicator("connected", "Connected"))
    turn.set_timer("fade", turn.at_ms + FADE_AFTER_MS)
    turn.set_timer("settled", turn.at_ms + SETTLED_AFTER_MS)
    if turn.state.visible:
        turn.set_timer("ping", turn.at_ms + PING_PERIOD_MS)


def _receive(turn: _Turn, text: str) -> None:
    message = pushes.parse(text)
    if message is None:
        return
    turn.log(f"message {message.type}" if message.type in pushes.KNOWN_TYPES else "message of an unknown type")
    if message.type == "pong":
        turn.change(ponged_ms=turn.at_ms)
        turn.cancel(("pong",))
    elif pushes.is_welcome(message) and not turn.state.welcomed:
        _welcome(turn)
    else:
        for effect in pushes.effects_of(message):
            turn.do(effect)


def _welcome(turn: _Turn) -> None:
    turn.change(welcomed=True)
    if "settled" not in turn.state.timers:
        turn.change(attempts=0)
    # The connection joined when its welcome was queued (§5 a): only what is read from now on misses nothing.
    turn.do(on.Reload("all"))


def _closed(turn: _Turn, code: int) -> None:
    was_open = turn.state.phase == "open"
    _drop_socket(turn)
    turn.log(f"disconnected {code}")
    if not was_open:
        turn.change(phase="refused", lost_ms=turn.at_ms)
        _rest(turn, "Disconnected")
        turn.do(on.AskMe())
    elif code == CloseCode.TOKEN_ENDED:
        _sign_out(turn, "ended")
    elif code == CloseCode.TOO_MANY_SOCKETS:
        turn.change(phase="paused")
        _rest(turn, TOO_MANY)
        turn.do(on.Toast("warning", TOO_MANY, "connection"))
    elif code in NO_RECONNECT_CODES:
        turn.change(phase="stopped")
        _rest(turn, "Disconnected. Please refresh the page.")
        turn.do(on.Toast("error", f"The server ended the connection ({code}). Please refresh the page.", "connection"))
    else:
        _schedule(turn, turn.at_ms)
