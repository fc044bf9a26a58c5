"""One live client of the hub: carries out the client core's effects and records what it saw.

Written once against `ClientEnvironment`; the simulation and the asyncio shell each lend theirs. Everything that
the core is told stands in the history too, so a judge can check the core's decisions from outside. Callbacks run
on one thread, never inside the call that asked for them.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Protocol, assert_never

import msgspec

from harness.client import core
from harness.client import signals as on
from harness.history import Recorder
from reference_server.contract import limits
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL

ABNORMAL: Final = 1006
"""What a browser reports when no close frame came (RFC 6455 §7.1.5)."""
LEAVE_WITHIN_S: Final = float(limits.ABORT_AFTER_CLOSE_S)
MESSAGES_KEPT_MAX: Final = 10_000
By = Literal["peer", "self"]


class ClientSocket(Protocol):
    """A socket being opened or open, as a shell lends it; calls on one that has ended do nothing."""

    def send_text(self, text: str) -> None:
        """Write one text message."""

    def close(self, code: int) -> None:
        """Start the close handshake; `closed` follows, after an abort at the latest."""

    def abort(self) -> None:
        """End the TCP connection at once; `closed` with 1006 follows (`refused` when it was not open yet)."""


class SocketEvents(Protocol):
    """What a shell reports of one socket: opened or refused, then frames, then closed once."""

    def opened(self, subprotocol: str | None) -> None:
        """The handshake was answered with 101."""

    def refused(self, status: int, body: Any = None, why: str = "") -> None:
        """The handshake failed; `status` 0 when no answer came. Nothing follows."""

    def received(self, payload: bytes) -> None:
        """A text message was read."""

    def frame(self, opcode: str, size: int) -> None:
        """Another frame was read: ping, pong, binary."""

    def closed(self, code: int, reason: str, clean: bool, by: By) -> None:
        """The connection ended; `clean` when close frames went both ways. Nothing follows."""


class Condition(Protocol):
    """Something to wait for; `notify` lets the waiting look again."""

    def notify(self) -> None:
        """Wake whoever waits."""

    async def wait(self, holds: Callable[[], bool], deadline_s: float) -> bool:
        """Wait until `holds()`; False when the deadline came first."""


class Cancelable(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None:
        """Forget the timer; nothing when it already ran."""


class ClientEnvironment(Protocol):
    """What a shell lends to a client: a clock, timers, chance, sockets, one REST call and something to await."""

    def now_ms(self) -> int:
        """Return milliseconds of a clock that never goes back and starts at the Unix epoch."""

    def call_at(self, at_ms: int, callback: Callable[[], None]) -> Cancelable:
        """Run `callback` once that time has come."""

    def draw(self) -> float:
        """Return a number in [0, 1)."""

    def open_socket(self, url: str, subprotocols: Sequence[str], events: SocketEvents) -> ClientSocket:
        """Begin to connect and report to `events`."""

    def ask_me(self, done: Callable[[int, int | None], None]) -> None:
        """Ask `GET /users/me` once, then `done(status, retry_after)`; status 0 when no answer came."""

    def condition(self) -> Condition:
        """Make something to wait for."""


class LiveTab:
    """A live client with its reconnect machine; it is the `Tab` of harness.targets.base.

    `token` goes into the subprotocol pair only; `account` names the person in the history. Its sockets are called
    `<name>.1`, `<name>.2` …; `client` events carry `tab`, so that one machine's decisions can be told from
    another's.
    """

    def __init__(
        self, name: str, account: str, url: str, token: str, environment: ClientEnvironment, recorder: Recorder
    ) -> None:
        self.name = name
        self.account = account
        self._token = token
        self._environment = environment
        self._recorder = recorder
        self._state = core.start(url)
        self._timers: dict[on.TimerName, Cancelable] = {}
        self._sockets: dict[int, _Socket] = {}
        self._messages: list[dict[str, Any]] = []
        self._forgotten = 0
        self._condition = environment.condition()
        recorder.mask(token)

    @property
    def state(self) -> on.State:
        """What the core remembers now."""
        return self._state

    def connect(self) -> None:
        """Want a live socket, from now on (contract §6, row `connects`)."""
        self.take(on.Connect(self._environment.now_ms()))

    async def wait_open(self, deadline_s: float) -> bool:
        """Wait until the welcome was read; False when the deadline came first."""
        return await self._condition.wait(lambda: self._state.welcomed, deadline_s)

    async def wait_message(self, matches: Callable[[dict[str, Any]], bool], deadline_s: float) -> bool:
        """Wait until a message that matches was read since the tab opened; False when the deadline came first."""
        seen = 0

        def found() -> bool:
            nonlocal seen
            fresh = self._messages[max(seen - self._forgotten, 0) :]
            seen = self._forgotten + len(self._messages)
            return any(matches(message) for message in fresh)

        return await self._condition.wait(found, deadline_s)

    async def cut(self) -> None:
        """Abort the transport, as a lost network would, and return once the client knows; nothing without one."""
        number = self._state.socket or 0
        if number in self._sockets:
            self._sockets[number].link.abort()
            await self._condition.wait(lambda: number not in self._sockets, LEAVE_WITHIN_S)

    async def close(self) -> None:
        """Leave deliberately and wait for the close handshake; abort when it takes too long."""
        self.take(on.Disconnect(self._environment.now_ms()))
        if not await self._condition.wait(lambda: not self._sockets, LEAVE_WITHIN_S):
            for socket in list(self._sockets.values()):
                socket.link.abort()
            await self._condition.wait(lambda: not self._sockets, LEAVE_WITHIN_S)

    def take(self, event: on.AnyEvent) -> None:
        """Give the core an event, carry out what it decides, and let waiters look again."""
        self._state, effects = core.step(self._state, event)
        for effect in effects:
            self._carry_out(effect)
        self._condition.notify()

    def _carry_out(self, effect: on.AnyEffect) -> None:
        match effect:
            case on.OpenSocket(socket=number):
                self._open(number)
            case on.Send(socket=number, text=text):
                self._send(number, text)
            case on.CloseSocket(socket=number, code=code):
                self._note(effect)
                if number in self._sockets:
                    self._sockets[number].leave(code)
            case on.SetTimer(name=name, at_ms=at_ms):
                self._set_timer(name, at_ms)
            case on.CancelTimer(name=name):
                self._cancel_timer(name)
            case on.AskMe():
                self._note(effect)
                self._environment.ask_me(self._me_answered)
            case on.Toast() | on.Reload() | on.SignedOut():
                self._note(effect)
            case on.Indicator() | on.Badge() | on.Log():
                # They follow from what was received and from the effects above: nothing new for a judge.
                pass
            case _:
                assert_never(effect)

    def _note(self, effect: on.Effect, **more: Any) -> None:
        fields = msgspec.to_builtins(effect)
        kind = fields.pop("type")
        number = fields.pop("socket", self._state.socket)
        name = f"{self.name}.{number}" if number else None
        self._recorder.record(
            "client", connection=name, account=self.account, tab=self.name, effect=kind, **{**fields, **more}
        )

    def _open(self, number: int) -> None:
        socket = _Socket(self, number, self._recorder, self._environment)
        self._recorder.record(
            "connecting",
            connection=socket.name,
            account=self.account,
            tab=self.name,
            url=self._state.url,
            attempt=self._state.attempts,
        )
        self._sockets[number] = socket
        subprotocols = (SUBPROTOCOL, BEARER_SUBPROTOCOL_PREFIX + self._token)
        socket.link = self._environment.open_socket(self._state.url, subprotocols, socket)

    def _send(self, number: int, text: str) -> None:
        socket = self._sockets.get(number)
        if socket is not None:
            message = msgspec.json.decode(text)
            self._recorder.record("sent", connection=socket.name, account=self.account, message=message)
            socket.link.send_text(text)

    def _set_timer(self, name: on.TimerName, at_ms: int) -> None:
        self._cancel_timer(name)
        if name == "reconnect":
            in_ms = at_ms - self._environment.now_ms()
            self._note(on.SetTimer(name, at_ms), in_ms=in_ms, attempt=self._state.attempts)
        self._timers[name] = self._environment.call_at(at_ms, lambda: self._timer_fired(name))

    def _cancel_timer(self, name: on.TimerName) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _timer_fired(self, name: on.TimerName) -> None:
        self._timers.pop(name, None)
        self.take(on.TimerFired(self._environment.now_ms(), self.draw(), name=name))

    def _me_answered(self, status: int, retry_after: int | None) -> None:
        self.take(on.MeAnswered(self._environment.now_ms(), self.draw(), status=status, retry_after=retry_after))

    def draw(self) -> int:
        """Return the core's kind of chance: 0 to 1000."""
        return int(self._environment.draw() * (core.DRAW_MAX + 1))

    def keep(self, message: Any) -> None:
        """Remember a message for those who wait for one; the older half is forgotten past a bound."""
        if isinstance(message, dict):
            self._messages.append(message)
        if len(self._messages) > MESSAGES_KEPT_MAX:
            del self._messages[: MESSAGES_KEPT_MAX // 2]
            self._forgotten += MESSAGES_KEPT_MAX // 2

    def forget(self, number: int) -> None:
        """Let go of a socket that has ended."""
        self._sockets.pop(number, None)


class _Socket:
    """One socket of a tab, as the shell reports it: into the history first, then into the core."""

    link: ClientSocket

    def __init__(self, tab: LiveTab, number: int, recorder: Recorder, environment: ClientEnvironment) -> None:
        self.name = f"{tab.name}.{number}"
        self._tab = tab
        self._number = number
        self._recorder = recorder
        self._environment = environment
        self._opened_ms: int | None = None

    def leave(self, code: int) -> None:
        self.link.close(code)

    def opened(self, subprotocol: str | None) -> None:
        self._opened_ms = self._environment.now_ms()
        self._record("opened", subprotocol=subprotocol)
        self._tab.take(on.Opened(self._opened_ms, socket=self._number))

    def refused(self, status: int, body: Any = None, why: str = "") -> None:
        told = {"body": body} if body is not None else {}
        self._record("refused", status=status, **told, **({"why": why} if why else {}))
        self._tab.forget(self._number)
        now = self._environment.now_ms()
        # Browsers hide the status: an error, then an abnormal close, whatever the reason was.
        self._tab.take(on.Failed(now, socket=self._number))
        self._tab.take(on.Closed(now, self._tab.draw(), socket=self._number, code=ABNORMAL))

    def received(self, payload: bytes) -> None:
        message, told = _read(payload)
        self._record("received", **told, bytes=len(payload), digest=hashlib.sha256(payload).hexdigest())
        self._tab.keep(message)
        text = payload.decode("utf-8", errors="replace")
        self._tab.take(on.Received(self._environment.now_ms(), socket=self._number, text=text))

    def frame(self, opcode: str, size: int) -> None:
        self._record("frame", opcode=opcode, bytes=size)

    def closed(self, code: int, reason: str, clean: bool, by: By) -> None:
        now = self._environment.now_ms()
        after_ms = now - (now if self._opened_ms is None else self._opened_ms)
        self._record("closed", code=code, reason=reason, clean=clean, by=by, after_ms=after_ms)
        self._tab.forget(self._number)
        self._tab.take(on.Closed(now, self._tab.draw(), socket=self._number, code=code))

    def _record(self, kind: Any, **data: Any) -> None:
        self._recorder.record(kind, connection=self.name, account=self._tab.account, tab=self._tab.name, **data)


def _read(payload: bytes) -> tuple[Any, dict[str, Any]]:
    """Give the message and what the history tells of it; text that is no JSON is told as it came."""
    try:
        message = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, {"message": None, "text": payload[:1000].decode("utf-8", errors="replace")}
    return message, {"message": message}
