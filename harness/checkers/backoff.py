"""How a client comes back (contract §6 reconnect): when, how often, and when it stays away.

Reads `connecting` (the Python client) and `construct` (a browser's WebSocket constructor) with `data.tab`, `opened`,
the welcome, `refused`, `closed {code, by}`, and the client's own `client {effect: "close_socket", code}` (it gave a
socket up), `client {effect: "signed_out"}`; of browsers also `navigated` (a new page begins afresh), `shows {what:
"visibility", visible}`, `shows {what: "indicator", state}` and `toast {level, text}`.
"""

from typing import Final

from msgspec import Struct

from harness.checkers.sockets import Socket, Sockets
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract import limits
from reference_server.contract.codes import NO_RECONNECT_CODES, CloseCode

BACKOFF, STOP, GIVE_UP, BUDGET = "CLIENT-BACKOFF-1", "CLIENT-STOP-1", "CLIENT-BACKOFF-2", "PERF-P4"
NS_PER_MS: Final = 1_000_000
EARLY_MS: Final = 20
"""Browsers round their clocks, and the loss is recorded a little after it happened."""
LATE_MS: Final = 1000
"""A busy machine, or the question to `GET /users/me` after a refusal."""
AWAY_MS: Final = 2500
"""Longer than the first delay with its tenth and its lateness: who stayed away so long meant it."""
LOST: Final = "Lost connection to server. Please refresh the page."


class _Tab(Struct):
    """One live client: how many attempts it has made since it was last settled."""

    attempts: int = 0
    lost: Event | None = None
    uncertain: bool = False
    away_since: Event | None = None
    away_why: str = ""
    given_up: Event | None = None
    gave_toast: bool = False
    in_browser: bool = False


class Backoff(Fold):
    """Follows each tab from loss to attempt; memory is bounded by the tabs."""

    name = "backoff"
    clauses = (BACKOFF, STOP, GIVE_UP, BUDGET)

    def begin(self) -> None:
        """Forget everything."""
        self._sockets = Sockets()
        self._tabs: dict[tuple[str, str], _Tab] = {}
        self._last_ns = 0

    def take(self, event: Event) -> None:
        """Follow one tab one step further."""
        self._last_ns = max(self._last_ns, event.at_ns)
        socket = self._sockets.see(event)
        name = event.data.get("tab") or (socket.tab if socket is not None else event.connection)
        if name is None:
            return
        tab = self._tabs.setdefault((event.recorder, str(name)), _Tab())
        match event.kind:
            case "connecting" | "construct":
                self._attempt(tab, event)
            case "closed" | "refused" if socket is not None:
                self._loss(tab, socket, event)
            case "client":
                self._own_decision(tab, socket, event)
            case "navigated" | "shows" | "toast":
                self._page(tab, event)
            case _:
                pass

    def end(self) -> None:
        """Judge who stayed away until the end."""
        for tab in self._tabs.values():
            if tab.away_since is not None:
                self._judge_away(tab, self._last_ns, None)
            if tab.given_up is not None:
                self._judge_given_up(tab, None)

    def _attempt(self, tab: _Tab, event: Event) -> None:
        tab.in_browser = event.kind == "construct"
        if tab.given_up is not None:
            self._judge_given_up(tab, event)
        elif tab.away_since is not None:
            self._judge_away(tab, event.at_ns, event)
        elif tab.lost is not None and not tab.uncertain:
            self._judge_delay(tab, tab.lost, event)
        tab.lost, tab.away_since, tab.uncertain = None, None, False

    def _judge_delay(self, tab: _Tab, lost: Event, event: Event) -> None:
        tab.attempts += 1
        if tab.attempts > limits.RECONNECT_ATTEMPTS_MAX:
            return
        waited_ms = (event.at_ns - lost.at_ns) / NS_PER_MS
        least = limits.RECONNECT_DELAYS_S[tab.attempts - 1] * 1000
        most = least * (1 + limits.RECONNECT_JITTER)
        over_ms = max(least - EARLY_MS - waited_ms, waited_ms - most - LATE_MS)
        told = f"attempt {tab.attempts} came {waited_ms:.0f} ms after the loss, expected {least} to {most:.0f} ms"
        for clause in (BACKOFF, BUDGET) if tab.in_browser else (BACKOFF,):
            self.tally.judge_time(clause, over_ms, told, lost, event)

    def _loss(self, tab: _Tab, socket: Socket, event: Event) -> None:
        # A refusal is also told as an abnormal close by some shells: the first of the two is the loss.
        if tab.lost is not None or tab.away_since is not None or tab.given_up is not None:
            return
        if _was_settled(socket, event):
            tab.attempts = 0
        given = event.data.get("code")
        code = given if isinstance(given, int) else None
        deliberate = event.data.get("by") == "self" and code in (CloseCode.NORMAL, CloseCode.GOING_AWAY)
        if deliberate or (event.kind == "closed" and code in NO_RECONNECT_CODES and socket.opened is not None):
            tab.away_since, tab.away_why = event, "leaving" if deliberate else f"close code {code}"
        elif tab.attempts >= limits.RECONNECT_ATTEMPTS_MAX:
            tab.given_up = event
        else:
            tab.lost = event
            # 429 waits for Retry-After and is not counted; 401 signs out.
            tab.uncertain = event.kind == "refused" and event.data.get("status") in (401, 429)

    def _own_decision(self, tab: _Tab, socket: Socket | None, event: Event) -> None:
        effect, code = event.data.get("effect"), event.data.get("code")
        if effect == "close_socket" and code != CloseCode.NORMAL and socket is not None and tab.lost is None:
            self._loss(tab, socket, event)
        elif effect == "close_socket" and tab.away_since is None:
            tab.away_since, tab.away_why, tab.lost = event, "leaving", None
        elif effect == "signed_out" and tab.away_since is None:
            tab.away_since, tab.away_why, tab.lost = event, "signing out", None

    def _page(self, tab: _Tab, event: Event) -> None:
        what = event.data.get("what")
        if event.kind == "navigated" or what == "document":
            tab.lost, tab.away_since, tab.given_up, tab.attempts = None, None, None, 0
        elif what == "visibility" and event.data.get("visible"):
            tab.away_since, tab.uncertain = None, True
        elif event.kind == "toast" and event.data.get("text") == LOST and event.data.get("level") == "error":
            tab.gave_toast = True

    def _judge_away(self, tab: _Tab, until_ns: int, came: Event | None) -> None:
        since = tab.away_since
        if since is None:
            return
        if came is None and until_ns - since.at_ns < AWAY_MS * NS_PER_MS:
            self.tally.undecided(STOP, "the history ends before a client could have come back")
            return
        # A deliberate leave may be followed by a deliberate return; a client left to itself returns within AWAY_MS.
        at_once = came is not None and came.at_ns - since.at_ns < AWAY_MS * NS_PER_MS
        evidence = [since] if came is None else [since, came]
        self.tally.judge(STOP, not at_once, f"a client connected again after {tab.away_why}", *evidence)

    def _judge_given_up(self, tab: _Tab, came: Event | None) -> None:
        since = tab.given_up
        tab.given_up = None
        if since is None:
            return
        if came is not None:
            told = f"a client made attempt {tab.attempts + 1}, {limits.RECONNECT_ATTEMPTS_MAX} at most"
            for clause in (BACKOFF, GIVE_UP, *((BUDGET,) if tab.in_browser else ())):
                self.tally.judge(clause, False, told, since, came)
        elif self._last_ns - since.at_ns < AWAY_MS * NS_PER_MS:
            self.tally.undecided(GIVE_UP, "the history ends right after the last attempt")
        elif tab.in_browser:
            self.tally.judge(GIVE_UP, tab.gave_toast, f"a page gave up without the toast '{LOST}'", since)


def _was_settled(socket: Socket, ended: Event) -> bool:
    if socket.welcome is None or socket.opened is None:
        return False
    return ended.at_ns - socket.opened.at_ns >= limits.RECONNECT_RESET_AFTER_OPEN_S * 1000 * NS_PER_MS
