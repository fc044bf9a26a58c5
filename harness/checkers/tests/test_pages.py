"""Tables for what pages show and how they are served."""

from typing import Any

import pytest

from harness.checkers import pages as rules
from harness.checkers.pages import Pages
from harness.checkers.tests.histories import History, status
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: http://api; connect-src 'self' "
    "http://api ws://api; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FIGURES = {"active-agents": "14", "my-tasks": "3", "success-rate": "100.0%", "connections": "2"}


def document(policy: str = POLICY, nosniff: str = "nosniff") -> History:
    headers = {"content-security-policy": policy, "x-content-type-options": nosniff}
    return History().add("requested", url="http://h/dashboard.html", resource="document", status=200, headers=headers)


def looked(what: str, **data: Any) -> History:
    return document().add("shows", what=what, **data)


def test_the_policy_is_strict_and_nothing_comes_from_others() -> None:
    assert status(Pages(), document(), rules.POLICY) is HOLDS
    assert status(Pages(), document("default-src *"), rules.POLICY) is VIOLATED
    assert status(Pages(), document(nosniff=""), rules.POLICY) is VIOLATED
    assert status(Pages(), document().add("requested", url="http://api/x", resource="fetch"), rules.POLICY) is HOLDS
    assert status(Pages(), document().add("requested", url="http://cdn/x", resource="font"), rules.POLICY) is VIOLATED


@pytest.mark.parametrize(
    ("what", "data", "clause", "expected"),
    [
        ("guard", {"asked": "/a.html", "landed": "/login.html?next=%2Fa.html", "after": "/a.html"}, rules.GUARD, HOLDS),
        ("guard", {"asked": "/a.html", "landed": "/a.html", "after": "/a.html"}, rules.GUARD, VIOLATED),
        ("next", {"asked": "//evil", "landed": "http://h/dashboard.html"}, rules.NEXT, HOLDS),
        ("next", {"asked": "//evil", "landed": "http://evil/"}, rules.NEXT, VIOLATED),
        ("text", {"given": "<b>x", "shown": "<b>x", "elements": 0}, rules.TEXT, HOLDS),
        ("text", {"given": "<b>x", "shown": "x", "elements": 1}, rules.TEXT, VIOLATED),
        ("path", {"asked": "/a", "landed": "/a.html", "status": 200}, rules.PATH, HOLDS),
        ("path", {"asked": "/zz", "landed": "/zz", "status": 404, "html": True}, rules.PATH, HOLDS),
        ("path", {"asked": "/zz", "landed": "/zz", "status": 404, "html": False}, rules.PATH, VIOLATED),
        ("figures", {"page": FIGURES, "rest": FIGURES}, rules.FIGURES, HOLDS),
        ("figures", {"page": {**FIGURES, "my-tasks": "4"}, "rest": FIGURES}, rules.FIGURES, VIOLATED),
        ("figures", {"page": {}, "rest": {}}, rules.FIGURES, VIOLATED),
        ("recent-tasks", {"page": [["a", "queued"]], "rest": [["a", "queued"], ["b", "failed"]]}, rules.RECENT, HOLDS),
        ("recent-tasks", {"page": [["b", "failed"]], "rest": [["a", "queued"]]}, rules.RECENT, VIOLATED),
        ("recent-tasks", {"page": [], "rest": []}, rules.RECENT, VIOLATED),
        ("submitted", {"task_id": "a", "shown": True, "navigations": 0}, rules.SUBMITTED, HOLDS),
        ("submitted", {"task_id": "a", "shown": True, "navigations": 1}, rules.SUBMITTED, VIOLATED),
    ],
)
def test_a_look_is_judged_by_itself(what: str, data: dict[str, Any], clause: str, expected: Status) -> None:
    assert status(Pages(), looked(what, **data), clause) is expected


def test_a_path_without_a_known_origin_is_undecidable() -> None:
    history = History().add("shows", what="next", asked="//evil", landed="http://evil/")
    assert status(Pages(), history, rules.NEXT) is UNKNOWN


def test_findings_of_axe_and_overflow_are_violations() -> None:
    assert status(Pages(), History().add("axe", page="/", serious=[]), rules.ACCESS) is HOLDS
    assert status(Pages(), History().add("axe", page="/", serious=["color-contrast"]), rules.ACCESS) is VIOLATED
    assert status(Pages(), History().add("layout", page="/", width=390, scroll_width=390), rules.LAYOUT) is HOLDS
    assert status(Pages(), History().add("layout", page="/", width=390, scroll_width=500), rules.LAYOUT) is VIOLATED


@pytest.mark.parametrize(
    ("second_ms", "expected"),
    [(30_200, HOLDS), (40_000, VIOLATED), (2_000, UNKNOWN)],
)
def test_a_dashboard_reads_its_figures_every_30_s(second_ms: int, expected: Status) -> None:
    url = "http://z.example/api/v1/orchestrator/metrics"
    history = History().add("navigated", 0, connection="p1", url="http://z.example/dashboard.html", by="test")
    history.add("requested", 10, connection="p1", url=url, resource="fetch")
    assert status(Pages(), history.add("requested", second_ms, connection="p1", url=url), rules.REFRESHED) is expected


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("navigated", {"url": "http://z.example/login.html", "by": "page"}),
        ("shows", {"what": "visibility", "visible": False}),
    ],
)
def test_a_dashboard_that_was_left_or_hidden_owes_no_figures(kind: Any, data: dict[str, Any]) -> None:
    url = "http://z.example/api/v1/orchestrator/metrics"
    history = History().add("requested", 10, connection="p1", url=url, resource="fetch")
    history.add(kind, 5_000, connection="p1", **data)
    history.add("console", 60_000, connection="p1", level="info", text="x")
    assert status(Pages(), history, rules.REFRESHED) is UNKNOWN
