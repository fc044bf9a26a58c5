"""The browser's side of the socket (contract §6): what a page must do with what its sockets tell it.

A page is a recorder's `connection` (`p1`); its sockets carry `data.tab = "p1"`. Read from what pages do by themselves:

    construct {tab, url, visible}  opened  received {message}  sent {message}  closed {code, by}     its sockets
    shows {what: "document", visible}      a new document has begun
    shows {what: "visibility", visible}    it came into view or went out of it
    shows {what: "indicator", state, text} what #ws-status shows, at every change
    shows {what: "badge", task_id, status, before}   at every change; `before` null: the element is new
    toast {level, text, role}              at its appearance
    console {level, text, by: "page" | "browser"}
    navigated {url, by: "page" | "test"}   the main frame; `test` when the test itself led there

and from what a test looked up and recorded:

    shows {what: "resync", after_ms, page: {name: text}, rest: {name: text}}   after a reconnect: equal within 2000 ms;
                                                                  figures that may lag (30 s) are left out by the test
    shows {what: "storage", after: "sign-out" | "unreadable", keys: [...], path}  localStorage's keys and where the page
                                                                  went
"""

from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from harness.checkers.sockets import Socket, Sockets, data_of, message_of
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract import limits

ONE, PING, RESYNC = "CLIENT-ONE-1", "CLIENT-PING-1", "CLIENT-RESYNC-1"
STORAGE, CONSOLE, INDICATOR = "CLIENT-STORAGE-1", "CLIENT-CONSOLE-1", "CLIENT-INDICATOR-1"
TOAST, BADGE, PERIOD, LIVE_UPDATE = "CLIENT-TOAST-1", "CLIENT-BADGE-1", "PERF-P3", "PERF-P8"
UNREADABLE, VOICE = "CLIENT-STORAGE-2", "CLIENT-TOAST-2"
EMPTIED: Final = {"sign-out": STORAGE, "unreadable": UNREADABLE}
"""What left the storage empty, and the clause that says so."""

NS_PER_MS: Final = 1_000_000
SHOWN_MS_MAX: Final = 1000
"""How long a page may take to show what it was told; a loaded machine included."""
PING_SLACK_MS: Final = 1500
PERIODS_KEPT_MAX: Final = 100_000
WITHOUT_SOCKET: Final = ("/", "/index.html", "/login.html", "/signup.html", "/api-docs.html")
STORED: Final = ("zerostate_auth_token", "zerostate_user_data")
WORDS: Final = {"connecting": "Connecting...", "connected": "Connected", "error": "Connection Error"}
LINES: Final = {"construct": "connecting", "opened": "connected", "closed": "disconnected"}
INDICATED: Final = {
    "construct": ("connecting",),
    "opened": ("connected",),
    "closed": ("disconnected", "error", "connecting"),
}


class _Owed(Struct):
    """Something that a page must show before `due_ns`."""

    clause: str
    due_ns: int
    told: str
    cause: Event
    wanted: tuple[str, ...]


class _Page(Struct):
    """One page: where it is, its sockets, and what it still owes."""

    path: str = ""
    sockets: list[Socket] = []
    live: dict[int, Socket] = {}
    pinged: Event | None = None
    visible: bool = True
    badges: set[str] = set()
    owed: list[_Owed] = []
    happened: dict[str, int] = {}
    lines: dict[str, int] = {}
    pushed: Event | None = None


class Browser(Fold):
    """Holds each page to what its sockets told it; memory is bounded by the pages and what they owe."""

    name = "browser"
    clauses = (ONE, PING, RESYNC, STORAGE, UNREADABLE, CONSOLE, INDICATOR, TOAST, VOICE, BADGE, PERIOD, LIVE_UPDATE)

    def begin(self) -> None:
        """Forget everything."""
        self._sockets = Sockets()
        self._pages: dict[tuple[str, str], _Page] = {}
        self._last_ns = 0
        self._periods_s: list[float] = []
        self._reloads = self._updates = 0

    def take(self, event: Event) -> None:
        """Follow one page one step further."""
        self._last_ns = max(self._last_ns, event.at_ns)
        socket = self._sockets.see(event)
        if socket is not None and socket.begin.kind == "construct":
            page = self._page(event, socket.tab)
            self._overdue(page, event.at_ns)
            self._socket_event(page, socket, event)
        elif event.kind in ("shows", "toast", "console", "navigated") and event.connection is not None:
            page = self._page(event, str(event.data.get("tab") or event.connection))
            self._overdue(page, event.at_ns)
            self._page_event(page, event)

    def _page(self, event: Event, name: str) -> _Page:
        return self._pages.setdefault((event.recorder, name), _Page())

    def end(self) -> None:
        """Judge what was owed until the end, and the console's lines."""
        for page in self._pages.values():
            self._overdue(page, self._last_ns)
            self._judge_lines(page)
        self._put_figures()

    def _put_figures(self) -> None:
        # A history without a browser must leave nothing: it would stand in the place of what another one measured.
        if periods := sorted(self._periods_s):
            median = periods[(len(periods) - 1) // 2]
            self.tally.figure(PERIOD, count=len(periods), p50_s=median, max_s=periods[-1])
        if self._reloads or self._updates:
            self.tally.figure(LIVE_UPDATE, navigations=self._reloads, updates_seen=self._updates)

    # --- sockets

    def _socket_event(self, page: _Page, socket: Socket, event: Event) -> None:
        match event.kind:
            case "construct":
                self._constructed(page, socket, event)
            case "opened":
                self._opened(page, socket, event)
            case "closed":
                self._closed(page, socket, event)
            case "sent":
                message = event.data.get("message")
                if isinstance(message, dict) and message.get("type") == "ping":
                    self._pinged(page, event)
            case "received":
                self._received(page, event)
            case _:
                pass

    def _constructed(self, page: _Page, socket: Socket, event: Event) -> None:
        others = [found for found in page.live.values() if found.opened is not None]
        told = f"page {socket.tab} made a socket while another of its sockets was live"
        self.tally.judge(ONE, not others, told, *(found.begin for found in others), event)
        if page.path:
            told = f"{page.path} made a socket, expected none there"
            self.tally.judge(ONE, page.path not in WITHOUT_SOCKET, told, event)
        page.live[id(socket)] = socket
        self._count(page, "construct")
        self._owe_indicator(page, event)

    def _opened(self, page: _Page, socket: Socket, event: Event) -> None:
        if id(socket) in page.live:
            page.pinged = event
            self._count(page, "opened")
            self._owe_indicator(page, event)

    def _closed(self, page: _Page, socket: Socket, event: Event) -> None:
        self._judge_unpinged(page, event)
        page.live.pop(id(socket), None)
        page.pinged = None
        if not event.data.get("left"):
            self._count(page, "closed")
            self._owe_indicator(page, event)
        else:
            page.owed.clear()

    def _pinged(self, page: _Page, event: Event) -> None:
        if page.pinged is not None and page.visible:
            after_ms = (event.at_ns - page.pinged.at_ns) // NS_PER_MS
            if len(self._periods_s) < PERIODS_KEPT_MAX:
                self._periods_s.append(after_ms / 1000)
            fits = abs(after_ms - limits.CLIENT_PING_PERIOD_S * 1000) <= PING_SLACK_MS
            told = f"a visible page sent a ping after {after_ms} ms, expected every 25000 ms"
            for clause in (PING, PERIOD):
                self.tally.judge(clause, fits, told, page.pinged, event)
        page.pinged = event

    def _judge_unpinged(self, page: _Page, until: Event) -> None:
        if page.pinged is None or not page.visible:
            return
        waited_ms = (until.at_ns - page.pinged.at_ns) // NS_PER_MS
        if waited_ms > limits.CLIENT_PING_PERIOD_S * 1000 + PING_SLACK_MS:
            told = f"a visible page sent no ping for {waited_ms} ms, expected every 25000 ms"
            for clause in (PING, PERIOD):
                self.tally.judge(clause, False, told, page.pinged, until)

    def _received(self, page: _Page, event: Event) -> None:
        self._count(page, "message")
        data = data_of(message_of(event), "task_update")
        if data is None:
            return
        page.pushed = event
        status, task_id = str(data.get("status")), str(data.get("task_id"))
        if status == "completed":
            words = f'Task "{data.get("query")}" completed!'
            self._owe(page, TOAST, event, f"no success toast {words!r} came", ("success", words))
        elif status == "failed":
            self._owe(page, TOAST, event, f"no error toast told that {data.get('query')!r} failed", ("error", ""))
        if task_id in page.badges:
            told = f"the badge of task {task_id} did not change to {status}"
            # A newer push may overtake: then the newest is what must be shown.
            page.owed = [owed for owed in page.owed if owed.clause != BADGE or owed.wanted[0] != task_id]
            self._owe(page, BADGE, event, told, (task_id, status))

    # --- what the page shows

    def _page_event(self, page: _Page, event: Event) -> None:
        what = event.data.get("what")
        if event.kind == "navigated":
            self._navigated(page, event)
        elif event.kind == "toast":
            self._pay(page, TOAST, lambda owed: _is_toast(event, owed.wanted), event)
            self._judge_voice(event)
        elif event.kind == "console":
            self._console(page, event)
        elif what == "document":
            page.owed.clear()
            page.badges.clear()
            page.visible = bool(event.data.get("visible", True))
        elif what == "visibility":
            page.visible, page.pinged = bool(event.data.get("visible")), None
        elif what == "indicator":
            self._indicator(page, event)
        elif what == "badge":
            self._badge(page, event)
        elif what == "resync":
            self._judge_resync(event)
        elif what == "storage" and event.data.get("after") in EMPTIED:
            self._judge_storage(event)

    def _navigated(self, page: _Page, event: Event) -> None:
        path = urlsplit(str(event.data.get("url"))).path
        if page.pushed is not None and event.data.get("by") == "page":
            soon = event.at_ns - page.pushed.at_ns <= 2 * SHOWN_MS_MAX * NS_PER_MS
            told = f"{page.path} navigated to {path} after a push, expected a change in place"
            reloaded = soon and path == page.path
            self._reloads += reloaded
            self.tally.judge(LIVE_UPDATE, not reloaded, told, page.pushed, event)
        page.path, page.pushed = path, None
        page.owed.clear()
        page.badges.clear()

    def _indicator(self, page: _Page, event: Event) -> None:
        state, text = str(event.data.get("state")), event.data.get("text")
        wanted = WORDS.get(state)
        if wanted is not None:
            told = f"#ws-status is {state} and says {text!r}, expected {wanted!r}"
            self.tally.judge(INDICATOR, text == wanted, told, event)
        opened = any(found.opened is not None for found in page.live.values())
        if state == "connected":
            self.tally.judge(INDICATOR, opened, "#ws-status says connected and no socket is open", event)
        self._pay(page, INDICATOR, lambda owed: state in owed.wanted, event)

    def _badge(self, page: _Page, event: Event) -> None:
        task_id, status = str(event.data.get("task_id")), str(event.data.get("status"))
        page.badges.add(task_id)
        if self._pay(page, BADGE, lambda owed: owed.wanted == (task_id, status), event) and page.pushed is not None:
            self._updates += 1
            self.tally.judge(LIVE_UPDATE, True, "", event)

    def _console(self, page: _Page, event: Event) -> None:
        level, text = str(event.data.get("level")), str(event.data.get("text"))
        if event.data.get("by") == "page":
            self.tally.judge(CONSOLE, level != "error", f"the page wrote an error: {text}", event)
        if level == "info":
            first = text.strip().lower().split(" ")[0]
            page.lines[first] = page.lines.get(first, 0) + 1

    def _judge_lines(self, page: _Page) -> None:
        for what, word in (*LINES.items(), ("message", "message")):
            count, lines = page.happened.get(what, 0), page.lines.get(word, 0)
            # The last line of a page that was closed may not have been told any more.
            if count > 1 or lines:
                told = f"{lines} info lines '{word} …' for {count} events, expected one each"
                self.tally.judge(CONSOLE, count - 1 <= lines <= count, told)

    def _judge_resync(self, event: Event) -> None:
        shown, rest, after_ms = event.data.get("page"), event.data.get("rest"), event.data.get("after_ms")
        told = f"{after_ms} ms after the reconnect the page shows {shown}, REST says {rest}"
        in_time = isinstance(after_ms, (int, float)) and after_ms <= limits.CONVERGE_AFTER_RECONNECT_S * 1000
        self.tally.judge(RESYNC, bool(rest) and shown == rest and in_time, told, event)

    def _judge_storage(self, event: Event) -> None:
        keys, path = event.data.get("keys") or [], str(event.data.get("path"))
        kept = [key for key in keys if key in STORED]
        fits = not kept and urlsplit(path).path == "/login.html"
        after = str(event.data.get("after"))
        told = f"after {after} the page is at {path} and keeps {kept}, expected /login.html and nothing kept"
        self.tally.judge(EMPTIED[after], fits, told, event)

    def _judge_voice(self, event: Event) -> None:
        level, role = event.data.get("level"), event.data.get("role")
        told = f"a toast of level {level!r} has the role {role!r}, expected alert of errors only"
        self.tally.judge(VOICE, bool(level) and (role == "alert") == (level == "error"), told, event)

    # --- what is owed

    def _owe_indicator(self, page: _Page, event: Event) -> None:
        page.owed = [owed for owed in page.owed if owed.clause != INDICATOR]
        wanted = INDICATED[event.kind]
        self._owe(page, INDICATOR, event, f"#ws-status did not become {wanted[0]}", wanted)

    def _owe(self, page: _Page, clause: str, cause: Event, told: str, wanted: tuple[str, ...]) -> None:
        page.owed.append(_Owed(clause, cause.at_ns + SHOWN_MS_MAX * NS_PER_MS, told, cause, wanted))

    def _pay(self, page: _Page, clause: str, fits: Any, event: Event) -> bool:
        paid = [owed for owed in page.owed if owed.clause == clause and fits(owed)][:1]
        for owed in paid:
            self.tally.judge(clause, True, "", owed.cause, event)
            page.owed.remove(owed)
        return bool(paid)

    def _overdue(self, page: _Page, now_ns: int) -> None:
        for owed in [found for found in page.owed if found.due_ns < now_ns]:
            self.tally.judge(owed.clause, False, f"{owed.told} within {SHOWN_MS_MAX} ms", owed.cause)
            page.owed.remove(owed)

    def _count(self, page: _Page, what: str) -> None:
        page.happened[what] = page.happened.get(what, 0) + 1


def _is_toast(event: Event, wanted: tuple[str, ...]) -> bool:
    level, text = wanted
    return event.data.get("level") == level and (not text or event.data.get("text") == text)
