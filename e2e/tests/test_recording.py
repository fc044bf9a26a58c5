"""A page's record says what the page did, under the strictest policy, with the page's own instants."""

import threading
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from playwright.sync_api import Browser, Page
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from e2e.recording import PageRecord
from harness.history import Event

pytestmark = pytest.mark.browser

POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'"
TOKEN = "head.body.signature"
SLACK_NS = 50_000_000
DOCUMENT = b"""<!doctype html><title>probe</title><script src="/probe.js"></script><body>
<div id="ws-status" data-state="connecting"><span id="ws-status-text">Connecting...</span></div>
<ul><li data-task-id="t1"><span data-status="queued">Queued</span></li></ul><div role="status" id="toasts"></div>"""
SCRIPT = b"""
window.dial = () => new Promise(done => {
  const socket = new WebSocket(`ws://${location.host}/socket`, ["zerostate.v1", "bearer.head.body.signature"]);
  socket.onopen = () => socket.send(JSON.stringify({ type: "ping" }));
  socket.onmessage = ({ data }) => { window.got = data; socket.close(1000); };
  socket.onclose = () => done(WebSocket.OPEN + socket.protocol);
});
"""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """A server of one document, one script and one socket that echoes."""

    def answer(connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/socket":
            return None
        kind, body = ("text/javascript", SCRIPT) if request.path == "/probe.js" else ("text/html", DOCUMENT)
        headers = Headers({"Content-Type": kind, "Content-Security-Policy": POLICY, "Content-Length": str(len(body))})
        return Response(HTTPStatus.OK, "OK", headers, body)

    def echo(connection: ServerConnection) -> None:
        for message in connection:
            connection.send(message)

    with serve(
        echo,
        "127.0.0.1",
        0,
        process_request=answer,
        subprotocols=[Subprotocol("zerostate.v1")],
        compression=None,
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


class Probe:
    """A page with its record and what was written of it."""

    def __init__(self, page: Page) -> None:
        self.events: list[Event] = []
        self.page = page
        self.record = PageRecord(page, 1, lambda _name: self.events.append, "account-1")

    def told(self, *kinds: str) -> list[Event]:
        """Write what was gathered and return the events of these kinds."""
        self.page.evaluate("() => 0")
        self.record.flush()
        return [event for event in self.events if event.kind in kinds]


@pytest.fixture
def probe(browser: Browser, origin: str) -> Iterator[Probe]:
    context = browser.new_context()
    probe = Probe(context.new_page())
    probe.record.expect_navigation()
    probe.page.goto(origin)
    yield probe
    context.close()


def test_a_sockets_whole_life_is_told_in_order(probe: Probe) -> None:
    started_ns = time.monotonic_ns()
    assert probe.page.evaluate("() => window.dial()") == "1zerostate.v1"

    life = probe.told("construct", "opened", "sent", "received", "closed")

    assert [event.kind for event in life] == ["construct", "opened", "sent", "received", "closed"]
    assert {event.connection for event in life} == {"p1.1"}
    assert {event.data["tab"] for event in life} == {"p1"}
    assert life[3].data["message"] == {"type": "ping"}
    assert life[4].data["code"] == 1000
    assert life[4].data["by"] == "self"
    assert started_ns - SLACK_NS < life[0].at_ns <= life[-1].at_ns < time.monotonic_ns() + SLACK_NS


def test_a_token_never_enters_the_record(probe: Probe) -> None:
    probe.page.evaluate("() => { window.dial(); console.info('my token is head.body.signature'); }")

    told = probe.told("construct", "console")

    assert told[0].data["protocols"] == ["zerostate.v1", "bearer.***"]
    assert TOKEN not in str(told)


def test_a_socket_of_a_document_that_was_left_has_ended(probe: Probe, origin: str) -> None:
    probe.page.evaluate("() => { window.kept = new WebSocket(`ws://${location.host}/socket`, 'zerostate.v1'); }")
    probe.page.wait_for_function("() => window.kept.readyState === WebSocket.OPEN")
    probe.record.expect_navigation()
    probe.page.reload()
    probe.page.evaluate("() => window.dial()")

    (first, second) = probe.told("closed")

    assert (first.connection, first.data["left"], first.data["by"]) == ("p1.1", True, "self")
    assert second.connection == "p1.2"


def test_an_idle_socket_of_a_page_that_is_closed_has_ended(probe: Probe) -> None:
    probe.page.evaluate("() => { window.kept = new WebSocket(`ws://${location.host}/socket`, 'zerostate.v1'); }")
    probe.page.wait_for_function("() => window.kept.readyState === WebSocket.OPEN")

    probe.record.end()

    assert [event.connection for event in probe.events if event.kind == "closed"] == ["p1.1"]


def test_a_badge_that_changes_in_place_is_told_from_a_row_made_anew(probe: Probe) -> None:
    probe.page.evaluate(
        """() => { const badge = document.querySelector("[data-status]");
             badge.dataset.status = "running";
             badge.textContent = "Running"; }"""
    )
    probe.page.evaluate(
        """() => { document.querySelector("li").innerHTML = '<span data-status="completed"></span>'; }"""
    )

    badges = [event.data for event in probe.told("shows") if event.data["what"] == "badge"]

    assert [(badge["before"], badge["status"]) for badge in badges] == [
        (None, "queued"),
        ("queued", "running"),
        (None, "completed"),
    ]


def test_toasts_and_the_indicator_are_told_once_each(probe: Probe) -> None:
    probe.page.evaluate(
        """() => { const toast = document.createElement("div");
             toast.dataset.level = "success"; toast.textContent = "Done"; toasts.append(toast);
             document.getElementById("ws-status").dataset.state = "connected"; }"""
    )
    probe.page.evaluate("() => { document.body.append('something else'); }")

    assert [event.data["text"] for event in probe.told("toast")] == ["Done"]
    states = [event.data["state"] for event in probe.told("shows") if event.data["what"] == "indicator"]
    assert states == ["connecting", "connected"]


def test_the_navigation_of_a_test_is_told_from_the_pages_own(probe: Probe) -> None:
    probe.page.evaluate("() => location.assign('/elsewhere')")
    probe.page.wait_for_url("**/elsewhere")

    assert [event.data["by"] for event in probe.told("navigated")] == ["test", "page"]


def test_a_broken_policy_and_a_pages_own_error_are_told_apart(probe: Probe) -> None:
    probe.page.evaluate(
        """() => { const image = document.createElement("img"); image.src = "/x.png"; document.body.append(image);
             setTimeout(() => { throw new Error("own fault"); }); }"""
    )
    probe.page.wait_for_timeout(100)

    told = {event.data["by"]: event.data["text"] for event in probe.told("console")}

    assert "own fault" in told["page"]
    assert "Content Security Policy" in told["browser"]
