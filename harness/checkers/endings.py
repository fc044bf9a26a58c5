"""How connections are kept alive and ended (contract §5 liveness): pings, silence, close, expiry, revocation.

Reads, beside what `sockets` says: `frame {opcode: "ping"}` (the server's protocol ping), `frame {opcode: "tcp-end"}`
(the peer ended the TCP connection) and `frame {opcode: "tcp-open"}` (it still takes bytes, whatever it ended for
reading); `sent {opcode}` with one of `UNFINISHED` and nothing after it. A row that keeps silent begins with a
`connecting` whose case is of LIVE-SILENCE-1 (or `silent: true`), since answers to pings are not recorded. A token's
end is known from the answer of register or login (`expires_in`) where the account has one session, or from
`connecting {expires_in_ms}`. Which sockets a logout ends is known where it asked for `all`, where `session` of its
invoke and of `connecting` agree, or where the account has one session. A row that waits for an end must stay until its
deadline has passed.

All these times (54 s, 60 to 66 s, 5 s, those of `UNFINISHED`) are this project's own choice: a target that is not ours
(`RunFacts.local` false) is judged on the effect, that it ends what is dead; how often it pings and when it ends stands
in the figures (§10).
"""

from typing import Final

from harness.checkers.calls import Call, Calls
from harness.checkers.sockets import Accounts, Socket, Sockets
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract import limits
from reference_server.contract.codes import CloseCode

PING, SILENCE, CLOSE = "LIVE-PING-1", "LIVE-SILENCE-1", "LIVE-CLOSE-1"
HANDSHAKE, EXPIRY, REVOKE = "LIVE-HANDSHAKE-1", "LIVE-EXPIRY-1", "LIVE-REVOKE-1"
BODY, IDLE = "LIVE-BODY-1", "LIVE-IDLE-1"
UNFINISHED: Final[dict[str, tuple[str, str, float]]] = {
    "half-handshake": (HANDSHAKE, "half a handshake", limits.HANDSHAKE_TIMEOUT_S),
    "half-body": (BODY, "a request whose body stalls", limits.BODY_STALL_S),
    "idle": (IDLE, "an idle connection", limits.KEEP_ALIVE_IDLE_S),
}
"""What a row sends and then nothing more, and after how many seconds that is ended."""

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
SLACK_S: Final = 1.0
"""What a loaded machine may add to any of these times before it is called a violation."""
SHORT_TTL_S_MAX: Final = 600


class Endings(Fold):
    """Follows every socket to its end; memory is bounded by the sockets and sessions."""

    name = "endings"
    clauses = (PING, SILENCE, CLOSE, HANDSHAKE, EXPIRY, REVOKE, BODY, IDLE)

    def begin(self) -> None:
        """Forget everything."""
        self._calls, self._sockets, self._accounts = Calls(), Sockets(), Accounts()
        self._alive: dict[int, Event] = {}
        self._pinged: dict[int, Event] = {}
        self._half: dict[int, Event] = {}
        self._tcp_ends: dict[int, Event] = {}
        self._tcp_open: dict[int, Event] = {}
        self._after: dict[int, Event] = {}
        self._sessions: dict[str, list[Call]] = {}
        self._logouts: list[Call] = []
        self._last_ns = 0

    def take(self, event: Event) -> None:
        """Follow sockets, sessions and logouts."""
        self._last_ns = max(self._last_ns, event.at_ns)
        self._accounts.see(event)
        call = self._calls.see(event)
        if call is not None:
            self._take_call(call)
        socket = self._sockets.see(event)
        if socket is not None:
            self._take_socket(socket, event)

    def _take_call(self, call: Call) -> None:
        self._accounts.see_call(call)
        account = self._accounts.id_of(call.account)
        if call.done.kind != "ok":
            return
        if call.operation in ("register", "login"):
            user = call.shown.get("user") if call.shown is not None else None
            owner = user.get("id") if isinstance(user, dict) else account
            self._sessions.setdefault(str(owner), []).append(call)
        elif call.operation == "logout" and account is not None:
            self._logouts.append(call)

    def _take_socket(self, socket: Socket, event: Event) -> None:
        key = id(socket)
        if event.kind in ("opened", "sent"):
            self._alive[key] = event
        if event.kind == "sent" and event.data.get("opcode") in UNFINISHED:
            self._half[key] = event
        opcode = event.data.get("opcode") if event.kind == "frame" else None
        if opcode == "ping":
            self._judge_ping(socket, event)
        elif opcode == "tcp-end":
            self._tcp_ends[key] = event
        elif opcode == "tcp-open":
            self._tcp_ends.pop(key, None)
            self._tcp_open[key] = event
        elif event.kind == "received":
            self._after[key] = event

    def _judge_ping(self, socket: Socket, event: Event) -> None:
        before = self._pinged.get(id(socket)) or socket.opened
        self._pinged[id(socket)] = event
        if before is None or socket.closed is not None:
            return
        after_s = (event.at_ns - before.at_ns) / NS_PER_S
        if not self.run.local:
            self._judge_foreign_ping(after_s, event)
            return
        told = f"{socket.told} was pinged after {after_s:.1f} s, expected every {limits.SERVER_PING_PERIOD_S} s"
        over_s = abs(after_s - limits.SERVER_PING_PERIOD_S) - SLACK_S
        self.tally.judge_time(PING, over_s * 1000, told, before, event)

    def _judge_foreign_ping(self, after_s: float, event: Event) -> None:
        self.tally.figure(PING, ping_period_s=round(after_s, 1))
        if after_s <= limits.SERVER_PING_PERIOD_S + SLACK_S:
            self.tally.judge(PING, True, "", event)
        else:
            self.tally.undecided(PING, f"it pings after {after_s:.0f} s, {limits.SERVER_PING_PERIOD_S} s is our choice")

    def end(self) -> None:
        """Judge every socket by how long it lived."""
        for socket in self._sockets.all:
            if socket.begin.kind == "connecting":
                self._judge_unpinged(socket)
                self._judge_silence(socket)
                self._judge_close(socket)
                self._judge_half(socket)
            self._judge_expiry(socket)
            self._judge_revocation(socket)

    def _until(self, socket: Socket) -> int:
        return socket.closed.at_ns if socket.closed is not None else self._last_ns

    def _judge_unpinged(self, socket: Socket) -> None:
        before = self._pinged.get(id(socket)) or socket.opened
        # A row that keeps silent records no frames of its own, but the server's pings it does.
        if before is None or self._until(socket) - before.at_ns <= (limits.SERVER_PING_PERIOD_S + SLACK_S) * NS_PER_S:
            return
        told = f"{socket.told} was not pinged within {limits.SERVER_PING_PERIOD_S} s"
        over_s = (self._until(socket) - before.at_ns) / NS_PER_S - limits.SERVER_PING_PERIOD_S - SLACK_S
        if self.run.local:
            self.tally.judge_time(PING, over_s * 1000, told, before)
        else:
            self.tally.undecided(PING, f"{told}, which is our choice of a period")

    def _judge_silence(self, socket: Socket) -> None:
        silent = socket.begin.data.get("silent") or (socket.begin.case or "").startswith(SILENCE)
        last = self._alive.get(id(socket))
        if not silent or last is None:
            return
        waited_s = (self._until(socket) - last.at_ns) / NS_PER_S
        ended = socket.closed is not None and socket.closed.data.get("by") == "peer"
        if not ended and waited_s <= limits.SILENCE_S_MAX + SLACK_S:
            self.tally.undecided(SILENCE, f"a silent connection was watched for {waited_s:.0f} s only")
            return
        what = "was ended" if ended else "was still open"
        told = f"{socket.told} {what} {waited_s:.1f} s after its last frame, expected its end after 60 to 66 s"
        evidence = [last] if socket.closed is None else [last, socket.closed]
        bounds = (limits.SILENCE_S_MIN, limits.SILENCE_S_MAX)
        self._judge_span(SILENCE, ended, waited_s, bounds, told, evidence)

    def _judge_span(
        self, clause: str, ended: bool, waited_s: float, bounds: tuple[float, float], told: str, evidence: list[Event]
    ) -> None:
        """Judge that something ended within bounds that are this project's choice."""
        least_s, most_s = bounds
        over_s = max(least_s - SLACK_S - waited_s, waited_s - most_s - SLACK_S)
        if not self.run.local:
            if ended:
                self.tally.judge(clause, True, "", *evidence)
                self.tally.figure(clause, ended_after_s=round(waited_s, 1))
            else:
                self.tally.undecided(clause, f"{told}, which are bounds of our choice")
        elif ended:
            self.tally.judge_time(clause, over_s * 1000, told, *evidence)
        else:
            self.tally.judge_time(clause, max(over_s * 1000, 1), told, *evidence)

    def _judge_close(self, socket: Socket) -> None:
        closed, ended = socket.closed, self._tcp_ends.get(id(socket))
        if closed is None or closed.data.get("code") == 1006 or closed.data.get("by") != "peer":
            return
        seen = ended or self._tcp_open.get(id(socket))
        if seen is None:
            return
        waited_s = (seen.at_ns - closed.at_ns) / NS_PER_S
        if ended is None and waited_s <= self._close_most():
            return
        told = f"{socket.told}: TCP lived {waited_s:.1f} s after the close frames, expected 5 s at most"
        self._judge_span(CLOSE, ended is not None, waited_s, (0, limits.ABORT_AFTER_CLOSE_S), told, [closed, seen])

    def _close_most(self) -> float:
        return limits.ABORT_AFTER_CLOSE_S + SLACK_S

    def _judge_half(self, socket: Socket) -> None:
        sent = self._half.get(id(socket))
        if sent is None:
            return
        clause, what, bound_s = UNFINISHED[str(sent.data.get("opcode"))]
        ended = self._tcp_ends.get(id(socket)) or socket.closed
        waited_s = ((ended.at_ns if ended is not None else self._last_ns) - sent.at_ns) / NS_PER_S
        if ended is None and waited_s <= bound_s + SLACK_S:
            self.tally.undecided(clause, f"{what} was watched for {waited_s:.0f} s only")
            return
        told = f"{what} {'was ended' if ended is not None else 'was still open'} after {waited_s:.1f} s"
        evidence = [sent] if ended is None else [sent, ended]
        told = f"{told}, expected {bound_s:g} s"
        self._judge_span(clause, ended is not None, waited_s, (bound_s, bound_s), told, evidence)

    def _judge_expiry(self, socket: Socket) -> None:
        due = self._expiry(socket)
        if due is None or socket.opened is None:
            return
        first_ns, last_ns, cause = due
        self._judge_ended(EXPIRY, socket, first_ns, last_ns + NS_PER_S, cause, "its token expired")

    def _expiry(self, socket: Socket) -> tuple[int, int, Event] | None:
        """Return between which instants the socket's token expires, as far as the record tells."""
        own_ms = socket.begin.data.get("expires_in_ms")
        if isinstance(own_ms, (int, float)):
            at_ns = socket.begin.at_ns + int(own_ms * 1_000_000)
            return at_ns, at_ns, socket.begin
        sessions = self._sessions.get(str(self._accounts.id_of(socket.account)), [])
        if len(sessions) != 1:
            return None
        (call,) = sessions
        ttl_s = call.shown.get("expires_in") if call.shown is not None else None
        if not isinstance(ttl_s, (int, float)) or ttl_s > SHORT_TTL_S_MAX:
            return None
        ttl_ns = int(ttl_s * NS_PER_S)
        return call.invoke.at_ns + ttl_ns, call.done.at_ns + ttl_ns, call.done

    def _judge_revocation(self, socket: Socket) -> None:
        if socket.opened is None:
            return
        for call in self._logouts:
            if self._ends(call, socket) and socket.opened.at_ns < call.invoke.at_ns < self._until(socket):
                due_ns = call.done.at_ns + limits.REVOCATION_EFFECT_S_MAX * NS_PER_S
                self._judge_ended(REVOKE, socket, call.invoke.at_ns, due_ns, call.done, "its token was revoked")
                return

    def _ends(self, call: Call, socket: Socket) -> bool:
        account = self._accounts.id_of(call.account)
        if account != self._accounts.id_of(socket.account):
            return False
        label = call.invoke.data.get("session")
        same = label is not None and label == socket.begin.data.get("session")
        return bool(call.sent.get("all")) or same or len(self._sessions.get(str(account), [])) == 1

    def _judge_ended(self, clause: str, socket: Socket, first_ns: int, last_ns: int, cause: Event, why: str) -> None:
        most_ns = last_ns + int(SLACK_S * NS_PER_S)
        closed = socket.closed
        own = closed is not None and closed.data.get("by") == "self" and closed.data.get("code") != 4401
        if closed is None or own:
            over_ns = self._until(socket) - most_ns
            if over_ns > 0:
                self.tally.judge_time(clause, over_ns / NS_PER_MS, f"{socket.told} was still open after {why}", cause)
            else:
                self.tally.undecided(clause, f"a connection was left before {why} had to end it")
            return
        if closed.at_ns < first_ns - int(SLACK_S * NS_PER_S):
            return
        code = closed.data.get("code")
        fits = code == CloseCode.TOKEN_ENDED or not self.run.local
        after_s = (closed.at_ns - first_ns) / NS_PER_S
        told = f"{socket.told} closed with {code} {after_s:.1f} s after {why}, expected 4401 within 1 s"
        if fits:
            self.tally.judge_time(clause, (closed.at_ns - most_ns) / NS_PER_MS, told, cause, closed)
        else:
            self.tally.judge(clause, False, told, cause, closed)
        late = self._after.get(id(socket))
        if late is not None:
            told = f"{socket.told} received a message long after {why}"
            self.tally.judge_time(clause, (late.at_ns - most_ns) / NS_PER_MS, told, cause, late)
