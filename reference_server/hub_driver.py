"""Feeds the hub and carries out its effects; the half of the driver that sees frames (contract §5).

Sockets may report something (paused, lost) while they are being written to; such inputs wait until the effects of
the one before are done, so the hub sees one input at a time.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol, assert_never

from reference_server.contract.models import SocketFigures
from reference_server.core.answers import Audience
from reference_server.core.effects import (
    Abort,
    Accepted,
    Close,
    Drained,
    Effect,
    HubInput,
    Revoked,
    Send,
    SendPing,
    SendPong,
    Shutdown,
    Timer,
)
from reference_server.core.units import SECOND_NS
from reference_server.environment import Cancelable, Environment, Sockets

TIMER_LATE_NS_MAX = 5 * SECOND_NS


class HubMachine(Protocol):
    """What is driven: `core.hub.Hub`, or one that was broken on purpose."""

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Take one input at its time; return what is to be done, in order."""

    def next_timer_ns(self) -> int | None:
        """Return the monotonic time at which `Timer` is to come."""

    def backlogged(self, number: int) -> bool:
        """Say whether `Drained` would write something."""

    def is_empty(self) -> bool:
        """Say whether no connection is left, those that are closing included."""

    def shrink(self) -> None:
        """Keep no room for connections that are gone."""

    def hears(self, audience: Audience) -> bool:
        """Say whether a message for it would reach anybody."""

    def figures(self) -> SocketFigures:
        """Return the figures of this instant."""


class HubDriver:
    """One hub with its sockets and its timer."""

    def __init__(self, environment: Environment, sockets: Sockets, hub: HubMachine, wall_ns: Callable[[], int]) -> None:
        self._environment = environment
        self._sockets = sockets
        self._hub = hub
        self._wall_ns = wall_ns
        self._waiting: deque[HubInput] = deque()
        self._busy = False
        self._timer: Cancelable | None = None
        self._timer_at_ns = 0
        self._emptied: Callable[[], None] | None = None

    def feed(self, item: HubInput) -> None:
        """Take one input, now or right after the one that is being handled."""
        self._waiting.append(item)
        if not self._busy:
            self._run()

    def deliver(self, item: Accepted | Revoked) -> int:
        """Take what the bus accepted; return to how many connections it was (contract §3, `recipients`)."""
        before = self._hub.figures().messages_sent
        self.feed(item)
        return self._hub.figures().messages_sent - before

    def hears(self, audience: Audience) -> bool:
        """Say whether a message for it may reach anybody: what waits to be handled may be a connection that joins."""
        return self._busy or self._hub.hears(audience)

    def figures(self) -> SocketFigures:
        """Return the figures of this instant."""
        return self._hub.figures()

    def healthy(self) -> bool:
        """Say whether the hub's timer runs: nothing is overdue by seconds (for /ready)."""
        due_ns = self._hub.next_timer_ns()
        return due_ns is None or due_ns + TIMER_LATE_NS_MAX > self._environment.monotonic_ns()

    def shrink(self) -> None:
        """Keep no room for connections that are gone."""
        self._hub.shrink()

    def shutdown(self, done: Callable[[], None]) -> None:
        """Warn and close everyone; `done` once the last connection is gone."""
        self._emptied = done
        self.feed(Shutdown())

    def _run(self) -> None:
        self._busy = True
        try:
            while self._waiting:
                self._step(self._waiting.popleft())
        finally:
            self._busy = False
        self._set_timer()
        if self._emptied is not None and self._hub.is_empty():
            self._environment.call_soon(self._emptied)
            self._emptied = None

    def _step(self, item: HubInput) -> None:
        for effect in self._hub.handle(item, self._environment.monotonic_ns(), self._wall_ns()):
            self._carry_out(effect)
        if isinstance(item, Drained) and self._more(item.connection):
            self._waiting.append(item)

    def _more(self, connection: int) -> bool:
        return self._hub.backlogged(connection) and self._sockets.writable(connection)

    def _carry_out(self, effect: Effect) -> None:
        # By attribute: `case Send(payload, receivers)` makes a list, a set and a tuple for every message.
        match effect:
            case Send():
                self._sockets.send_text(effect.payload, effect.receivers)
            case SendPing():
                self._sockets.send_ping(effect.receivers)
            case SendPong():
                self._sockets.send_pong(effect.connection, effect.payload)
            case Close():
                self._sockets.close(effect.connection, effect.code, effect.reason)
            case Abort():
                self._sockets.abort(effect.connection)
            case _:
                assert_never(effect)

    def _set_timer(self) -> None:
        """Arm the timer for the next deadline; as one that fires early does no harm, only earlier deadlines re-arm."""
        due_ns = self._hub.next_timer_ns()
        if due_ns is None or (self._timer is not None and self._timer_at_ns <= due_ns):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_ns = due_ns
        self._timer = self._environment.call_at(due_ns, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self.feed(Timer())
