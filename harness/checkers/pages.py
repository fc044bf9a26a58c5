"""What the pages show and how they are served (contract §2 pages, §7); all but the requests is looked up by tests.

navigated {url, by}                                      where the page is; its origin is ours
requested {url, resource, status?, headers?}             every request; of documents with `content-security-policy`
                                                         and `x-content-type-options`
shows {what: "guard", asked, landed, after}              signed out: the path asked for, where it landed
                                                         (path and query), where login led afterwards
shows {what: "next", asked, landed}                      the value of ?next= and the URL that login led to
shows {what: "text", given, shown, elements}             text from the server as the page shows it, and how many
                                                         elements (or alerts) it became: 0
shows {what: "path", asked, landed, status, html}        a path without .html, or an unknown one
shows {what: "figures", page: {name: text}, rest: {name: text}}   the four figures beside REST, read together
shows {what: "recent-tasks", page: [[id, status]], rest: [[id, status]]}    newest first
shows {what: "submitted", task_id, shown, navigations}   after a submit in the form; `shown`: its row appeared
axe {page, serious: [rule ids]}                          serious and critical findings
layout {page, width, scroll_width}                       at 390, 820 and 1440 px
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract.operations import BY_NAME

GUARD, PATH, FIGURES = "PAGE-GUARD-1", "PAGE-PATH-1", "PAGE-DASHBOARD-1"
RECENT, SUBMITTED, REFRESHED = "PAGE-DASHBOARD-2", "PAGE-DASHBOARD-3", "PAGE-DASHBOARD-4"
ACCESS, LAYOUT = "PAGE-ACCESS-1", "PAGE-LAYOUT-1"
POLICY, NEXT, TEXT = "SEC-PAGE-1", "SEC-PAGE-2", "SEC-PAGE-3"
FIGURE_NAMES: Final = frozenset({"active-agents", "my-tasks", "success-rate", "connections"})
REFRESH_S: Final = 30.0
REFRESH_SLACK_S: Final = 1.5
DASHBOARD: Final = "/dashboard.html"
READ_AGAIN: Final = BY_NAME["orchestrator_metrics"].path
"""What a dashboard asks for each time that it reads its figures."""

NS_PER_S: Final = 1_000_000_000
DIRECTIVES: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
"""The directives of §2 that are the same for every deployment; the others name API and socket."""


class Pages(Fold):
    """Judges each look at a page by itself; memory is one origin a recorder."""

    name = "pages"
    clauses = (GUARD, PATH, FIGURES, RECENT, SUBMITTED, REFRESHED, ACCESS, LAYOUT, POLICY, NEXT, TEXT)
    live = True

    def begin(self) -> None:
        """Forget everything."""
        self._allowed: dict[str, set[tuple[str, str]]] = {}
        self._read: dict[tuple[str, str | None], Event] = {}
        self._looks: Mapping[str, Callable[[Event], None]] = {
            "guard": self._judge_guard,
            "next": self._judge_next,
            "text": self._judge_text,
            "path": self._judge_path,
            "figures": self._judge_figures,
            "recent-tasks": self._judge_recent,
            "submitted": self._judge_submitted,
        }

    def take(self, event: Event) -> None:
        """Judge one look."""
        self._follow_refresh(event)
        match event.kind:
            case "shows":
                look = self._looks.get(str(event.data.get("what")))
                if look is not None:
                    look(event)
            case "axe":
                serious = event.data.get("serious") or []
                told = f"axe finds {', '.join(map(str, serious))} on {event.data.get('page')}"
                self.tally.judge(ACCESS, not serious, told, event)
            case "layout":
                self._judge_layout(event)
            case "requested":
                self._judge_request(event)
            case _:
                pass

    def _follow_refresh(self, event: Event) -> None:
        """Hold a dashboard that is there and in view to reading its figures every 30 s."""
        key = (event.recorder, event.connection)
        before = self._read.get(key)
        left = event.kind == "navigated" and urlsplit(str(event.data.get("url"))).path != DASHBOARD
        hidden = event.kind == "shows" and event.data.get("what") in ("document", "visibility")
        if before is not None and not hidden:
            self._judge_refresh(before, event)
        if left or hidden:
            self._read.pop(key, None)
        elif event.kind == "requested" and urlsplit(str(event.data.get("url"))).path == READ_AGAIN:
            self._read[key] = event

    def _judge_refresh(self, before: Event, event: Event) -> None:
        waited_s = (event.at_ns - before.at_ns) / NS_PER_S
        told = f"a dashboard did not read its figures for {waited_s:.1f} s, expected every {REFRESH_S:g} s"
        if waited_s > REFRESH_S + REFRESH_SLACK_S:
            self.tally.judge_time(REFRESHED, (waited_s - REFRESH_S - REFRESH_SLACK_S) * 1000, told, before, event)
        elif waited_s >= REFRESH_S - REFRESH_SLACK_S and event.kind == "requested":
            self.tally.judge(REFRESHED, True, "", before, event)

    def _judge_guard(self, event: Event) -> None:
        asked, landed, after = (str(event.data.get(name)) for name in ("asked", "landed", "after"))
        parts = urlsplit(landed)
        back = parse_qs(parts.query).get("next", [""])[0]
        fits = parts.path == "/login.html" and back == asked and urlsplit(after)[2:4] == urlsplit(asked)[2:4]
        told = f"signed out, {asked} led to {landed} and after login to {after}"
        self.tally.judge(GUARD, fits, f"{told}, expected /login.html?next={asked} and back", event)

    def _judge_next(self, event: Event) -> None:
        asked, landed = str(event.data.get("asked")), str(event.data.get("landed"))
        own = self._allowed.get(event.recorder, set())
        if not own or not urlsplit(landed).netloc:
            self.tally.undecided(NEXT, "the page's own origin is not known")
            return
        self.tally.judge(NEXT, _origin(landed) in own, f"?next={asked} led to {landed}, expected a path of ours", event)

    def _judge_text(self, event: Event) -> None:
        given, shown, elements = (event.data.get(name) for name in ("given", "shown", "elements"))
        fits = given == shown and elements == 0
        told = f"the text {given!r} is shown as {shown!r} with {elements} elements of its own, expected as text"
        self.tally.judge(TEXT, fits, told, event)

    def _judge_path(self, event: Event) -> None:
        asked, landed, code = str(event.data.get("asked")), str(event.data.get("landed")), event.data.get("status")
        if code == 404:
            fits, wanted = urlsplit(landed).path == asked and bool(event.data.get("html")), "a 404 page"
        else:
            fits, wanted = urlsplit(landed).path in (f"{asked}.html", "/login.html") and code == 200, f"{asked}.html"
        self.tally.judge(PATH, fits, f"{asked} led to {landed} with {code}, expected {wanted}", event)

    def _judge_figures(self, event: Event) -> None:
        shown, rest = event.data.get("page"), event.data.get("rest")
        if not isinstance(shown, dict) or not isinstance(rest, dict) or not rest.keys() >= FIGURE_NAMES:
            self.tally.judge(FIGURES, False, f"the page shows {shown} beside {rest}, expected four figures", event)
            return
        differing = sorted(name for name in FIGURE_NAMES if shown.get(name) != rest[name])
        told = "; ".join(f"{name} is {shown.get(name)!r}, REST says {rest[name]!r}" for name in differing)
        self.tally.judge(FIGURES, not differing, told, event)

    def _judge_recent(self, event: Event) -> None:
        shown, rest = event.data.get("page") or [], event.data.get("rest") or []
        fits = bool(shown) and list(shown) == list(rest[: len(shown)])
        self.tally.judge(RECENT, fits, f"the page lists {shown}, REST's newest are {rest[: len(shown)]}", event)

    def _judge_submitted(self, event: Event) -> None:
        shown, navigations = event.data.get("shown"), event.data.get("navigations")
        what = "appeared" if shown else "did not appear"
        told = f"task {event.data.get('task_id')} {what}, with {navigations} navigations, expected none"
        self.tally.judge(SUBMITTED, bool(shown) and navigations == 0, told, event)

    def _judge_layout(self, event: Event) -> None:
        width, needed = event.data.get("width"), event.data.get("scroll_width")
        if isinstance(width, int) and isinstance(needed, int):
            told = f"{event.data.get('page')} is {needed} px wide in a window of {width} px"
            self.tally.judge(LAYOUT, needed <= width, told, event)

    def _judge_request(self, event: Event) -> None:
        url = str(event.data.get("url"))
        if urlsplit(url).scheme in ("data", "blob", "about"):
            return
        headers = event.data.get("headers")
        if event.data.get("resource") == "document" and isinstance(headers, dict):
            given = {str(name).lower(): str(value) for name, value in headers.items()}
            self._judge_policy(event, url, given)
        allowed = self._allowed.get(event.recorder)
        if allowed:
            told = f"a page of ours requested {url} from others"
            self.tally.judge(POLICY, _origin(url) in allowed, told, event)

    def _judge_policy(self, event: Event, url: str, headers: Mapping[str, str]) -> None:
        policy = _directives(headers.get("content-security-policy", ""))
        # The policy itself names where API and socket are; the first document says which origin is ours.
        allowed = self._allowed.setdefault(event.recorder, {_origin(url)})
        if _origin(url) in allowed:
            allowed.update(_origin(source) for source in policy.get("connect-src", "").split() if "://" in source)
            wrong = [
                f"{name} is {policy.get(name)!r}" for name, value in DIRECTIVES.items() if policy.get(name) != value
            ]
            told = f"the policy of {urlsplit(url).path} is not the strict one: {'; '.join(wrong)}"
            self.tally.judge(POLICY, not wrong, told, event)
            plain = headers.get("x-content-type-options", "").lower() == "nosniff"
            self.tally.judge(POLICY, plain, f"{urlsplit(url).path} lacks nosniff", event)


def _directives(policy: str) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in policy.split(";"))
    return {name.lower(): " ".join(value.split()) for name, _, value in parts if name}


def _origin(url: str) -> tuple[str, str]:
    parts: Any = urlsplit(url)
    return parts.scheme.replace("ws", "http", 1) if parts.scheme in ("ws", "wss") else parts.scheme, parts.netloc
