"""Tables for what a page must do with what its sockets tell it."""

from typing import Any

import pytest

from harness.checkers import browser as rules
from harness.checkers.browser import Browser
from harness.checkers.tests.histories import TASK, History, status, welcome
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
PAGE: dict[str, Any] = {"recorder": "browser-1", "connection": "p1"}
SOCKET: dict[str, Any] = {"recorder": "browser-1", "connection": "p1.1", "tab": "p1"}


def opened(path: str = "/dashboard.html") -> History:
    history = History().add("navigated", 0, url=f"http://h{path}", by="test", **PAGE)
    history.add("construct", **SOCKET, url="ws://h").add("opened", **SOCKET)
    return history.receive("p1.1", "system", welcome(), recorder="browser-1")


def push(history: History, state: str, at_ms: int = 100) -> History:
    data = {"task_id": TASK, "status": state, "query": "q"}
    return history.receive("p1.1", "task_update", data, recorder="browser-1", at_ms=at_ms)


def test_a_page_has_one_socket_and_login_has_none() -> None:
    assert status(Browser(), opened(), rules.ONE) is HOLDS
    assert status(Browser(), opened("/login.html"), rules.ONE) is VIOLATED
    second = {**SOCKET, "connection": "p1.2"}
    assert status(Browser(), opened().add("construct", **second, url="ws://h"), rules.ONE) is VIOLATED


@pytest.mark.parametrize(
    ("at_ms", "visible", "expected"),
    [(25_003, True, HOLDS), (31_000, True, VIOLATED), (10_000, True, VIOLATED), (31_000, False, UNKNOWN)],
)
def test_a_visible_page_pings_every_25_s(at_ms: int, visible: bool, expected: Status) -> None:
    history = opened()
    if not visible:
        history.add("shows", what="visibility", visible=False, **PAGE)
    history.add("sent", at_ms, **SOCKET, message={"type": "ping"})
    assert {status(Browser(), history, clause) for clause in (rules.PING, rules.PERIOD)} == {expected}


def figures(history: History, clause: str) -> dict[str, float]:
    checker = Browser()
    for event in history.events:
        checker.step(event)
    return next(verdict.figures for verdict in checker.finish() if verdict.clause == clause)


def test_the_periods_between_pings_are_measured() -> None:
    history = opened()
    for at_ms in (25_003, 50_103, 75_113):
        history.add("sent", at_ms, **SOCKET, message={"type": "ping"})
    assert figures(history, rules.PERIOD) == {"count": 3, "p50_s": 25.01, "max_s": 25.1}


def test_updates_seen_and_reloads_after_them_are_counted() -> None:
    history = opened().add("shows", what="badge", task_id=TASK, status="queued", before=None, **PAGE)
    push(history, "running").add("shows", what="badge", task_id=TASK, status="running", before="queued", **PAGE)
    assert figures(history, rules.LIVE_UPDATE) == {"navigations": 0, "updates_seen": 1}
    history.add("navigated", url="http://h/dashboard.html", by="page", **PAGE)
    assert figures(history, rules.LIVE_UPDATE) == {"navigations": 1, "updates_seen": 1}


def test_without_a_browser_nothing_is_measured() -> None:
    assert [figures(History(), clause) for clause in (rules.PERIOD, rules.LIVE_UPDATE)] == [{}, {}]


def test_a_socket_that_ends_without_its_ping_is_violated() -> None:
    history = opened().add("closed", 40_000, **SOCKET, code=1006, by="peer")
    assert status(Browser(), history, rules.PING) is VIOLATED


@pytest.mark.parametrize(
    ("level", "text", "expected"),
    [
        ("success", 'Task "q" completed!', HOLDS),
        ("info", 'Task "q" completed!', VIOLATED),
        ("success", "done", VIOLATED),
    ],
)
def test_a_completed_task_says_so_in_its_toast(level: str, text: str, expected: Status) -> None:
    history = push(opened(), "completed").add("toast", 150, level=level, text=text, role="status", **PAGE)
    assert status(Browser(), history.add("note", 5000), rules.TOAST) is expected


def test_a_badge_changes_when_its_push_comes() -> None:
    def shown(state: str) -> History:
        history = opened().add("shows", what="badge", task_id=TASK, status="queued", before=None, **PAGE)
        return push(history, "running").add("shows", what="badge", task_id=TASK, status=state, before="queued", **PAGE)

    assert status(Browser(), shown("running").add("note", 5000), rules.BADGE) is HOLDS
    assert status(Browser(), shown("queued").add("note", 5000), rules.BADGE) is VIOLATED
    assert status(Browser(), push(opened(), "running").add("note", 5000), rules.BADGE) is UNKNOWN
    assert status(Browser(), shown("running"), rules.LIVE_UPDATE) is HOLDS


def test_a_page_that_reloads_itself_after_a_push_is_violated() -> None:
    history = push(opened(), "running").add("navigated", url="http://h/dashboard.html", by="page", **PAGE)
    assert status(Browser(), history, rules.LIVE_UPDATE) is VIOLATED


def test_the_indicator_says_what_the_socket_is() -> None:
    def indicated(state: str, text: str) -> History:
        return opened().add("shows", what="indicator", state=state, text=text, **PAGE).add("note", 9000)

    assert status(Browser(), indicated("connected", "Connected"), rules.INDICATOR) is HOLDS
    assert status(Browser(), indicated("connected", "Online"), rules.INDICATOR) is VIOLATED
    assert status(Browser(), indicated("disconnected", "Disconnected"), rules.INDICATOR) is VIOLATED


def test_the_console_has_a_line_for_each_event_and_no_error_of_the_page() -> None:
    def lines(*texts: str, level: str = "info") -> History:
        history = opened()
        for text in texts:
            history.add("console", level=level, text=text, by="page", **PAGE)
        return history

    good = ("connecting ws://h", "connected", "message system")
    assert status(Browser(), lines(*good), rules.CONSOLE) is HOLDS
    assert status(Browser(), lines(*good, "connected"), rules.CONSOLE) is VIOLATED
    assert status(Browser(), lines("boom", level="error"), rules.CONSOLE) is VIOLATED


@pytest.mark.parametrize(
    ("after_ms", "shown", "expected"), [(900, "3", HOLDS), (900, "2", VIOLATED), (2500, "3", VIOLATED)]
)
def test_after_a_reconnect_the_page_equals_rest(after_ms: int, shown: str, expected: Status) -> None:
    page, rest = {"my-tasks": shown}, {"my-tasks": "3"}
    history = opened().add("shows", what="resync", after_ms=after_ms, page=page, rest=rest, **PAGE)
    assert status(Browser(), history, rules.RESYNC) is expected


@pytest.mark.parametrize(("after", "clause"), rules.EMPTIED.items())
def test_signing_out_and_unreadable_values_empty_the_storage(after: str, clause: str) -> None:
    def left(keys: list[str], path: str) -> History:
        return opened().add("shows", what="storage", after=after, keys=keys, path=path, **PAGE)

    assert status(Browser(), left([], "/login.html?next=%2F"), clause) is HOLDS
    assert status(Browser(), left(["zerostate_auth_token"], "/login.html"), clause) is VIOLATED
    assert status(Browser(), left([], "/dashboard.html"), clause) is VIOLATED


@pytest.mark.parametrize(
    ("level", "role", "expected"),
    [
        ("error", "alert", HOLDS),
        ("info", None, HOLDS),
        ("info", "alert", VIOLATED),
        ("error", None, VIOLATED),
        (None, None, VIOLATED),
    ],
)
def test_an_error_interrupts_and_other_toasts_do_not(level: Any, role: Any, expected: Status) -> None:
    toast = opened().add("toast", level=level, text="t", role=role, **PAGE)
    assert status(Browser(), toast, rules.VOICE) is expected


def test_no_browser_means_unknown() -> None:
    history = History().connect("c1").push("c1", "completed", 4)
    assert {status(Browser(), history, clause) for clause in Browser.clauses} == {UNKNOWN}
