"""What a page did, as its own recorder of the history (design law 3).

The page's own events carry the page's own instants, brought onto this host's monotonic clock: a test that was busy
elsewhere must not make a push look late. So events are gathered and written in the order of their instants, at the
latest when the page is closed. Names follow `harness.checkers.sockets`: `p1` is a page, `p1.2` its second socket.
"""

import hashlib
import re
import time
from collections.abc import Callable
from importlib import resources
from typing import Any, Final

import msgspec
from msgspec import Struct
from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

from harness.history import Kind, Recorder, Sink
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX

BINDING: Final = "zshTell"
OBSERVER: Final = "observer.js"
GOING_AWAY: Final = 1001
RAW_CHARS_MAX: Final = 1000
TAG: Final = re.compile(r"\[([^\]]{1,40})\] ")
DOCUMENT_HEADERS: Final = ("content-security-policy", "x-content-type-options")
# The epoch and the monotonic clock tick alike; a wall clock set during a run must not move what a page says.
EPOCH_NS: Final = time.time_ns() - time.monotonic_ns()


class _Gathered(Struct, frozen=True):
    """An event that waits to be written."""

    at_ns: int
    kind: Kind
    connection: str
    data: dict[str, Any]


class _PageSocket(Struct):
    """A socket of a page, as far as its next event needs it."""

    name: str
    opened_ns: int | None = None
    asked_to_close: int | None = None
    ended: bool = False


class PageRecord:
    """Records one page: its sockets, console, navigations, requests and what it shows."""

    def __init__(self, page: Page, number: int, open_sink: Callable[[str], Sink], account: str | None = None) -> None:
        self.name = f"p{number}"
        self.account = account
        self.secrets: list[str] = []
        self.navigations = 0
        self.opened_ns: int | None = None
        self._page = page
        self._instant_ns = 0
        self._recorder = Recorder(f"browser-{number}", lambda: self._instant_ns, open_sink(f"browser-{number}"))
        self._gathered: list[_Gathered] = []
        self._sockets: dict[tuple[float, int], _PageSocket] = {}
        self._here: list[_PageSocket] = []
        self._expected_navigations = 0
        self._watch()

    @property
    def has_lost_its_sockets(self) -> bool:
        """Whether the document had a socket and has none any more, as far as was told."""
        return bool(self._here) and all(socket.ended for socket in self._here)

    # --- what tests say

    def record(self, kind: Kind, *, connection: str | None = None, **data: Any) -> None:
        """Record something that a test saw on this page, now."""
        self._gather(time.monotonic_ns(), kind, data, connection)

    def mask(self, secret: str) -> None:
        """Let `secret` never appear in this page's history; also in what was gathered and not written yet."""
        self.secrets.append(secret)
        self._recorder.mask(secret)

    def expect_navigation(self) -> None:
        """Say that the test itself leads the page elsewhere next: the navigation is not the page's own."""
        self._expected_navigations += 1

    def flush(self) -> None:
        """Write what was gathered, by instant; a later event never gets an earlier instant than one written."""
        waiting, self._gathered = sorted(self._gathered, key=lambda event: event.at_ns), []
        for event in waiting:
            self._instant_ns = max(self._instant_ns, event.at_ns)
            self._recorder.record(event.kind, connection=event.connection, account=self.account, **event.data)

    def end(self) -> None:
        """Record that the page was closed with what it had open, and write all."""
        self._end_sockets(time.monotonic_ns())
        self.flush()

    # --- what the browser says

    def _watch(self) -> None:
        page = self._page
        page.expose_binding(BINDING, lambda _source, told: self._take(told))
        page.add_init_script(resources.files("e2e").joinpath(OBSERVER).read_text("utf-8"))
        page.on("console", self._console)
        page.on("pageerror", self._error)
        page.on("response", self._responded)
        page.on("requestfailed", self._failed)

    def _gather(self, at_ns: int, kind: Kind, data: dict[str, Any], connection: str | None = None) -> None:
        self._gathered.append(_Gathered(at_ns, kind, connection or self.name, data))

    def _console(self, message: ConsoleMessage) -> None:
        # What a page wrote has arguments; what the browser reports of the network or a policy has none.
        by = "page" if message.args else "browser"
        tag, text = _untagged(message.text)
        told = {"level": message.type, "text": text, "by": by, **({"tag": tag} if tag else {})}
        self._gather(time.monotonic_ns(), "console", told)

    def _error(self, error: Error) -> None:
        self._gather(time.monotonic_ns(), "console", {"level": "error", "text": str(error), "by": "page"})

    def _responded(self, response: Response) -> None:
        told = self._request(response.request)
        # A redirect is no page: nothing of it is shown, so no policy is due.
        if response.request.resource_type == "document" and not 300 <= response.status < 400:
            told["headers"] = {name: response.headers.get(name, "") for name in DOCUMENT_HEADERS}
        self._gather(time.monotonic_ns(), "requested", {**told, "status": response.status})

    def _failed(self, request: Request) -> None:
        self._gather(time.monotonic_ns(), "requested", {**self._request(request), "failed": request.failure or ""})

    def _request(self, request: Request) -> dict[str, Any]:
        return {"url": request.url, "method": request.method, "resource": request.resource_type}

    # --- what the observer in the page says

    def _take(self, told: dict[str, Any]) -> None:
        at_ns = int(told["at_ms"] * 1e6) - EPOCH_NS
        data = told["data"]
        if told["kind"] == "document":
            self._begin_document(at_ns, data)
        elif "socket" in data:
            self._take_socket(at_ns, told["document"], told["kind"], data)
        elif told["kind"] == "toast":
            self._gather(at_ns, "toast", data)
        else:
            self._gather(at_ns, "shows", {"what": told["kind"], **data})

    def _begin_document(self, at_ns: int, data: dict[str, Any]) -> None:
        # A document that is left can't tell of its sockets' end; the browser ends them with it.
        self._end_sockets(at_ns)
        self._here = []
        by = "test" if self._expected_navigations else "page"
        self._expected_navigations = max(0, self._expected_navigations - 1)
        self.navigations += 1
        self._gather(at_ns, "navigated", {"url": data["url"], "by": by})
        self._gather(at_ns, "shows", {"what": "document", **data})

    def _take_socket(self, at_ns: int, document: float, kind: str, told: dict[str, Any]) -> None:
        number = told.pop("socket")
        key = (document, number)
        if kind == "construct":
            socket = self._sockets[key] = _PageSocket(f"{self.name}.{len(self._sockets) + 1}")
            self._here.append(socket)
            told["protocols"] = [self._masked_protocol(protocol) for protocol in told["protocols"]]
        elif key in self._sockets:
            socket = self._sockets[key]
        else:
            return
        self._tell_socket(at_ns, socket, kind, told)

    def _tell_socket(self, at_ns: int, socket: _PageSocket, kind: str, told: dict[str, Any]) -> None:
        match kind:
            case "construct":
                self._socket_event(at_ns, "construct", socket, told)
            case "opened":
                socket.opened_ns = self.opened_ns = at_ns
                self._socket_event(at_ns, "opened", socket, told)
            case "received" | "sent":
                self._socket_event(at_ns, "received" if kind == "received" else "sent", socket, _read(told["text"]))
            case "closing":
                socket.asked_to_close = told["code"]
            case "closed":
                self._end_socket(at_ns, socket, told)
            case _:
                self._socket_event(at_ns, "shows", socket, {"what": "socket error"})

    def _socket_event(self, at_ns: int, kind: Kind, socket: _PageSocket, data: dict[str, Any]) -> None:
        self._gather(at_ns, kind, {"tab": self.name, **data}, socket.name)

    def _end_sockets(self, at_ns: int) -> None:
        for socket in self._sockets.values():
            if socket.asked_to_close is not None:
                # The page closed it as it went, and was gone before it could tell that it was closed.
                self._end_socket(at_ns, socket, {"code": socket.asked_to_close, "reason": "", "clean": True})
            elif not socket.ended:
                socket.asked_to_close = GOING_AWAY
                self._end_socket(at_ns, socket, {"code": GOING_AWAY, "reason": "", "clean": True, "left": True})

    def _end_socket(self, at_ns: int, socket: _PageSocket, told: dict[str, Any]) -> None:
        if socket.ended:
            return
        socket.ended = True
        by = "peer" if socket.asked_to_close is None else "self"
        after_ms = 0 if socket.opened_ns is None else round((at_ns - socket.opened_ns) / 1e6)
        self._socket_event(at_ns, "closed", socket, {**told, "by": by, "after_ms": after_ms})

    def _masked_protocol(self, protocol: str) -> str:
        if not protocol.startswith(BEARER_SUBPROTOCOL_PREFIX):
            return protocol
        self.mask(protocol.removeprefix(BEARER_SUBPROTOCOL_PREFIX))
        return f"{BEARER_SUBPROTOCOL_PREFIX}***"


def _untagged(text: str) -> tuple[str, str]:
    """Part a console line from the bracketed tag that a page may put before its lines."""
    tagged = TAG.match(text)
    return ("", text) if tagged is None else (tagged[1], text[tagged.end() :])


def _read(text: str | None) -> dict[str, Any]:
    """Give what the history tells of a message; text that is no JSON is told as it came."""
    if text is None:
        return {"message": None, "binary": True}
    payload = text.encode("utf-8", "surrogatepass")
    told = {"bytes": len(payload), "digest": hashlib.sha256(payload).hexdigest()}
    try:
        return {"message": msgspec.json.decode(payload), **told}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"message": None, "raw": text[:RAW_CHARS_MAX], **told}
