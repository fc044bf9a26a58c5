"""The hub: which connection gets which message, and when each one ends (contract §5).

A state machine at the grain of frames, `handle(input, now_ns, wall_ns) -> effects`. It holds the whole of §5's
delivery and liveness; shells only observe and obey. Time is the caller's: `now_ns` is monotonic and decides,
`wall_ns` is written into messages and never goes back.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from reference_server.contract import limits
from reference_server.contract.codes import CloseCode
from reference_server.contract.models import SocketFigures
from reference_server.core import envelopes
from reference_server.core.answers import Audience, Everyone
from reference_server.core.buckets import Rate
from reference_server.core.client_messages import Ping, Unanswered, read_message
from reference_server.core.connections import Connection, Group, Outbox, Stage
from reference_server.core.deadlines import Deadlines
from reference_server.core.effects import (
    Abort,
    Accepted,
    Close,
    Drained,
    Effect,
    Failed,
    FrameIn,
    HubInput,
    Lost,
    Opcode,
    Opened,
    Paused,
    Revoked,
    Send,
    SendPing,
    SendPong,
    Shutdown,
    Timer,
)
from reference_server.core.tables import refit
from reference_server.core.units import SECOND_NS

PING_PERIOD_NS: Final = limits.SERVER_PING_PERIOD_S * SECOND_NS
# Close frame and abort of a silent peer both fall within 60 to 66 s, with half a second for the shell's timers.
SILENCE_NS: Final = limits.SILENCE_S_MIN * SECOND_NS + SECOND_NS // 2
SILENCE_ABORT_NS: Final = limits.SILENCE_S_MAX * SECOND_NS - SECOND_NS // 2 - SILENCE_NS
ABORT_NS: Final = limits.ABORT_AFTER_CLOSE_S * SECOND_NS
# All connections are gone before the 5 s that a shutdown may take.
SHUTDOWN_ABORT_NS: Final = (limits.SHUTDOWN_CLOSE_S_MAX - 1) * SECOND_NS
FRAME_RATE: Final = Rate.per_second(limits.FRAME_BURST_MAX, limits.FRAMES_PER_S)


class Hub:
    """The connections of one process; every input gives effects to carry out in order (contract §5)."""

    def __init__(self) -> None:
        self._connections: dict[int, Connection] = {}
        self._deadlines = Deadlines(self._connections)
        self._everyone = Group()
        self._accounts: dict[str, Group] = {}
        self._ending: dict[int, Connection] = {}
        self._wall_ns = 0
        self._shut = False
        self._total = 0
        self._sent = 0
        self._slow = 0
        self._invalid = 0
        self._handlers: dict[type[Any], Callable[[Any, int], list[Effect]]] = {
            Accepted: self._accepted,
            FrameIn: self._frame,
            Opened: self._opened,
            Lost: self._lost,
            Paused: self._paused,
            Drained: self._drained,
            Timer: self._timer,
            Failed: self._failed,
            Revoked: self._revoked,
            Shutdown: self._shutdown,
        }

    def handle(self, item: HubInput, now_ns: int, wall_ns: int) -> list[Effect]:
        """Take one input at its time; return what is to be done, in order."""
        self._wall_ns = max(self._wall_ns, wall_ns)
        return self._handlers[type(item)](item, now_ns)

    def next_timer_ns(self) -> int | None:
        """Return the monotonic time at which `Timer` is to come; None when nothing waits."""
        return self._deadlines.next_ns()

    def backlogged(self, number: int) -> bool:
        """Say whether `Drained` for this connection would write something."""
        connection = self._connections.get(number)
        return connection is not None and connection.outbox is not None

    def is_empty(self) -> bool:
        """Say whether no connection is left, those that are closing included."""
        return not self._connections

    def shrink(self) -> None:
        """Keep no room for connections that are gone."""
        for table in (self._connections, self._accounts, self._ending):
            refit(table)
        self._everyone.shrink()
        self._deadlines.shrink()

    def hears(self, audience: Audience) -> bool:
        """Say whether a message for it would be put in any outbox now."""
        if self._shut:
            return False
        return len(self._everyone) > 0 if isinstance(audience, Everyone) else audience.account_id in self._accounts

    def figures(self) -> SocketFigures:
        """Return the exact figures of this instant (contract §3 ws stats); those that are closing don't count."""
        return SocketFigures(len(self._everyone), self._total, self._sent, self._slow, self._invalid)

    # messages

    def _accepted(self, item: Accepted, now_ns: int) -> list[Effect]:
        if self._shut:
            return []
        group = self._everyone if isinstance(item.audience, Everyone) else self._accounts.get(item.audience.account_id)
        if group is None:
            return []
        for connection in list(group.stalled.values()):
            self._put(connection, item.payload, now_ns)
        receivers = group.receivers
        self._sent += len(receivers)
        return [Send(item.payload, receivers)] if receivers else []

    def _put(self, connection: Connection, payload: bytes, now_ns: int) -> None:
        """Add to a paused connection's outbox; over its bounds nothing follows but 1013 (contract §5c)."""
        if connection.outbox is None:
            return
        if connection.outbox.put(payload):
            self._sent += 1
            return
        self._slow += 1
        self._end_behind(connection, CloseCode.SLOW_CONSUMER, "reads too slowly", now_ns + ABORT_NS)

    def _send(self, connection: Connection, payload: bytes, now_ns: int) -> list[Effect]:
        if connection.outbox is not None:
            self._put(connection, payload, now_ns)
            return []
        self._sent += 1
        return [Send(payload, (connection.number,))]

    # life of a connection

    def _opened(self, item: Opened, now_ns: int) -> list[Effect]:
        if self._shut:
            return [Abort(item.connection)]
        expires_ns = now_ns + max(0, item.expires_at_ns - self._wall_ns)
        connection = Connection(item, now_ns, expires_ns, now_ns + PING_PERIOD_NS)
        self._connections[item.connection] = connection
        self._total += 1
        group = self._accounts.setdefault(item.account_id, Group())
        self._everyone.put(connection)
        group.put(connection)
        self._arm(connection)
        effects = self._send(connection, envelopes.welcome(item.client_id, self._wall_ns), now_ns)
        if len(group) > limits.SOCKETS_PER_ACCOUNT_MAX:
            silent = min(group.members, key=lambda member: (member.last_frame_ns, member.number))
            effects += self._end(silent, CloseCode.TOO_MANY_SOCKETS, "too many sockets", now_ns + ABORT_NS)
        return effects

    def _lost(self, item: Lost, _: int) -> list[Effect]:
        connection = self._connections.get(item.connection)
        if connection is not None:
            self._forget(connection)
        return []

    def _frame(self, item: FrameIn, now_ns: int) -> list[Effect]:
        connection = self._connections.get(item.connection)
        if connection is None:
            return []
        full_at_ns = FRAME_RATE.taken(connection.frames_full_at_ns, now_ns)
        if full_at_ns is None:
            return self._flooded(connection, now_ns)
        connection.frames_full_at_ns = full_at_ns
        if connection.stage is Stage.CLOSED:
            return []
        if item.opcode is Opcode.CLOSE:
            return self._end(connection, _echoed(item.payload), "", now_ns + ABORT_NS)
        if connection.stage is Stage.ENDING:
            return []
        connection.last_frame_ns = now_ns
        return self._content(connection, item, now_ns)

    def _flooded(self, connection: Connection, now_ns: int) -> list[Effect]:
        """End it with 1008, and without waiting when it floods on behind its close: every frame costs others time."""
        if connection.stage is not Stage.CLOSED:
            connection.frames_full_at_ns = now_ns
            return self._end(connection, CloseCode.POLICY, "too many frames", now_ns + ABORT_NS)
        self._forget(connection)
        return [Abort(connection.number)]

    def _content(self, connection: Connection, item: FrameIn, now_ns: int) -> list[Effect]:
        match item.opcode:
            case Opcode.TEXT:
                return self._text(connection, item.payload, now_ns)
            case Opcode.BINARY:
                return self._end(connection, CloseCode.UNSUPPORTED_DATA, "text only", now_ns + ABORT_NS)
            case Opcode.PING:
                return self._pinged(connection, item.payload)
            case _:
                return []

    def _pinged(self, connection: Connection, payload: bytes) -> list[Effect]:
        if connection.outbox is None:
            return [SendPong(connection.number, payload)]
        # RFC 6455 §5.5.3 lets the answer to the last ping stand for all: a paused peer can't pile up pongs.
        connection.outbox.pong = payload
        return []

    def _text(self, connection: Connection, payload: bytes, now_ns: int) -> list[Effect]:
        said = read_message(payload)
        if isinstance(said, Ping):
            return self._send(connection, envelopes.pong(said.timestamp, self._wall_ns), now_ns)
        if said is Unanswered.INVALID:
            self._invalid += 1
        return []

    def _failed(self, item: Failed, now_ns: int) -> list[Effect]:
        connection = self._connections.get(item.connection)
        if connection is None or connection.stage is Stage.CLOSED:
            return []
        return self._end(connection, item.code, item.reason, now_ns + ABORT_NS)

    # back-pressure

    def _paused(self, item: Paused, _: int) -> list[Effect]:
        connection = self._connections.get(item.connection)
        if connection is not None and connection.outbox is None and connection.stage is Stage.LIVE:
            connection.outbox = Outbox()
            self._regroup(connection)
        return []

    def _drained(self, item: Drained, _: int) -> list[Effect]:
        """Write one message, or the ping that fell due; the driver asks again while the send buffer has room."""
        connection = self._connections.get(item.connection)
        if connection is None or connection.outbox is None:
            return []
        outbox = connection.outbox
        if outbox.ping:
            # A control frame may go before messages: who is asked too late for a sign of life is ended as silent.
            outbox.ping = False
            return [SendPing((item.connection,))]
        if outbox:
            return [Send(outbox.take(), (item.connection,))]
        connection.outbox = None
        if outbox.close is not None:
            self._close(connection)
            return [outbox.close]
        self._regroup(connection)
        return [] if outbox.pong is None else [SendPong(item.connection, outbox.pong)]

    # endings

    def _end(self, connection: Connection, code: int, reason: str, abort_at_ns: int) -> list[Effect]:
        """Close now: what waits in the outbox is dropped, and nothing accepted from here on is delivered."""
        connection.abort_at_ns = min(connection.abort_at_ns or abort_at_ns, abort_at_ns)
        self._close(connection)
        return [Close(connection.number, code, reason)]

    def _end_behind(self, connection: Connection, code: int, reason: str, abort_at_ns: int) -> list[Effect]:
        """Close behind what a paused connection has; at once when it is not paused."""
        if connection.outbox is None:
            return self._end(connection, code, reason, abort_at_ns)
        connection.outbox.close = Close(connection.number, code, reason)
        connection.abort_at_ns = abort_at_ns
        connection.stage = Stage.ENDING
        self._ungroup(connection)
        self._ending[connection.number] = connection
        self._arm(connection)
        return []

    def _close(self, connection: Connection) -> None:
        connection.stage = Stage.CLOSED
        connection.outbox = None
        self._ungroup(connection)
        self._ending.pop(connection.number, None)
        self._arm(connection)

    def _forget(self, connection: Connection) -> None:
        self._ungroup(connection)
        self._ending.pop(connection.number, None)
        del self._connections[connection.number]

    def _revoked(self, item: Revoked, now_ns: int) -> list[Effect]:
        group = self._accounts.get(item.account_id)
        ending = [one for one in self._ending.values() if one.account_id == item.account_id]
        members = [*(group.members if group is not None else ()), *ending]
        struck = [one for one in members if _struck(one, item)]
        return self._end_all(struck, CloseCode.TOKEN_ENDED, "token revoked", now_ns + ABORT_NS)

    def _end_all(self, members: Iterable[Connection], code: int, reason: str, abort_at_ns: int) -> list[Effect]:
        ordered = sorted(members, key=lambda member: member.number)
        return [effect for member in ordered for effect in self._end(member, code, reason, abort_at_ns)]

    def _shutdown(self, _: Shutdown, now_ns: int) -> list[Effect]:
        """Warn everyone, close with 1001 behind the warning, refuse what comes (contract §5 shutdown)."""
        if self._shut:
            return []
        warning = envelopes.shutdown_warning(self._wall_ns)
        effects = self._accepted(Accepted(0, Everyone(), warning), now_ns)
        self._shut = True
        for connection in sorted(self._everyone.members, key=lambda member: member.number):
            abort_at_ns = now_ns + SHUTDOWN_ABORT_NS
            effects += self._end_behind(connection, CloseCode.GOING_AWAY, "server is shutting down", abort_at_ns)
        for connection in self._connections.values():
            connection.abort_at_ns = min(connection.abort_at_ns, now_ns + SHUTDOWN_ABORT_NS)
            self._arm(connection)
        return effects

    # time

    def _timer(self, _: Timer, now_ns: int) -> list[Effect]:
        pinged: list[int] = []
        effects: list[Effect] = []
        for connection in self._deadlines.due(now_ns):
            effects += self._due(connection, now_ns, pinged)
        if pinged:
            effects.append(SendPing(tuple(pinged)))
        return effects

    def _due(self, connection: Connection, now_ns: int, pinged: list[int]) -> list[Effect]:
        if connection.stage is not Stage.LIVE and connection.abort_at_ns <= now_ns:
            self._forget(connection)
            return [Abort(connection.number)]
        if connection.stage is not Stage.CLOSED and connection.expires_ns <= now_ns:
            return self._end(connection, CloseCode.TOKEN_ENDED, "token expired", now_ns + ABORT_NS)
        if connection.stage is Stage.LIVE and connection.last_frame_ns + SILENCE_NS <= now_ns:
            return self._end(connection, CloseCode.GOING_AWAY, "silent for too long", now_ns + SILENCE_ABORT_NS)
        if connection.stage is Stage.LIVE and connection.ping_at_ns <= now_ns:
            connection.ping_at_ns += PING_PERIOD_NS * (1 + (now_ns - connection.ping_at_ns) // PING_PERIOD_NS)
            if connection.outbox is None:
                pinged.append(connection.number)
            else:
                connection.outbox.ping = True
        self._arm(connection)
        return []

    def _arm(self, connection: Connection) -> None:
        self._deadlines.set(connection, _due_ns(connection))

    # groups

    def _regroup(self, connection: Connection) -> None:
        self._everyone.put(connection)
        self._accounts[connection.account_id].put(connection)

    def _ungroup(self, connection: Connection) -> None:
        self._everyone.remove(connection)
        group = self._accounts.get(connection.account_id)
        if group is not None:
            group.remove(connection)
            if not group:
                del self._accounts[connection.account_id]


def _due_ns(connection: Connection) -> int:
    """Return when time alone next changes something for this connection."""
    match connection.stage:
        case Stage.LIVE:
            return min(connection.ping_at_ns, connection.last_frame_ns + SILENCE_NS, connection.expires_ns)
        case Stage.ENDING:
            return min(connection.abort_at_ns, connection.expires_ns)
        case Stage.CLOSED:
            return connection.abort_at_ns


def _struck(connection: Connection, revoked: Revoked) -> bool:
    if revoked.jti is not None:
        return connection.jti == revoked.jti
    return connection.issued_at_ns <= revoked.until_ns


def _echoed(payload: bytes) -> int:
    """Return the code that answers a close frame: its own, or 1000 when it has none (RFC 6455 §5.5.1)."""
    return int.from_bytes(payload[:2], "big") if len(payload) >= 2 else CloseCode.NORMAL
