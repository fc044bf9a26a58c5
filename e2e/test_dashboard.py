"""The dashboard from the door to a finished task, without a refresh (contract §6, §7)."""

import pytest
from playwright.sync_api import Locator, expect

from e2e.comparing import record_figures, record_recent
from e2e.pages.dashboard import Dashboard
from e2e.pages.entrance import Login, Signup
from e2e.people import Guest, Reception
from e2e.visits import Lobby, Visit

pytestmark = pytest.mark.browser

SLOW_ENOUGH_MS = 1200
FIGURES_S_MAX = 32.0
LIST_S_MAX = 2.0


@pytest.mark.clauses("PAGE-GUARD-1", "CLIENT-ONE-1", "CLIENT-INDICATOR-1", "CLIENT-CONSOLE-1")
def test_a_signed_out_visitor_can_sign_in_and_comes_back(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter()
    asked = "/dashboard.html?from=a-link"
    visit.goto(asked)
    visit.wait_path("/login.html")
    landed = visit.place()

    Login(visit).sign_in(guest.person)

    visit.wait_path("/dashboard.html")
    Dashboard(visit).wait_connected()
    visit.record.record("shows", what="guard", asked=asked, landed=landed, after=visit.place())


@pytest.mark.clauses("PAGE-GUARD-1")
def test_somebody_new_can_sign_up_and_is_connected(lobby: Lobby, desk: Reception) -> None:
    visit = lobby.enter()

    Signup(visit).open("?next=%2Fdashboard.html").sign_up(desk.person("grace"))

    visit.wait_path("/dashboard.html")
    Dashboard(visit).wait_connected()


@pytest.mark.clauses("PAGE-DASHBOARD-2", "PAGE-DASHBOARD-3", "CLIENT-BADGE-1", "CLIENT-TOAST-1", "PERF-P8")
def test_a_task_submitted_in_the_form_can_be_watched_to_its_end(lobby: Lobby, guest: Guest) -> None:
    dashboard = Dashboard(lobby.enter(guest)).open()

    navigations = dashboard.visit.record.navigations

    dashboard.submit("Count the stars", simulate={"outcome": "complete", "duration_ms": SLOW_ENOUGH_MS})

    row = dashboard.row_saying("Count the stars")
    expect(row).to_be_visible()
    dashboard.record_submitted(row, navigations)
    dashboard.wait_badge(row, "completed")
    expect(dashboard.toast('Task "Count the stars" completed!')).to_be_visible()
    record_recent(dashboard, guest, LIST_S_MAX)


@pytest.mark.clauses("CLIENT-TOAST-1", "CLIENT-BADGE-1")
def test_a_failing_task_can_be_watched_to_its_end(lobby: Lobby, guest: Guest) -> None:
    dashboard = Dashboard(lobby.enter(guest)).open()

    # A budget below every price fails at once: no fitting agent (§4), on every target.
    task_id = guest.submit("Ask for the impossible", budget=0.000001)

    expect(dashboard.toast("Ask for the impossible")).to_have_attribute("data-level", "error")
    dashboard.wait_badge(dashboard.row(task_id), "failed")
    record_recent(dashboard, guest, LIST_S_MAX)


@pytest.mark.clauses("CLIENT-BADGE-1", "PAGE-DASHBOARD-2")
def test_a_task_can_be_canceled_in_its_row(lobby: Lobby, guest: Guest) -> None:
    dashboard = Dashboard(lobby.enter(guest)).open()
    task_id = guest.submit("Wait for me", outcome="hang")
    row = dashboard.row(task_id)
    expect(row).to_be_visible()

    dashboard.cancel(row)

    dashboard.wait_badge(row, "canceled")
    record_recent(dashboard, guest, LIST_S_MAX)


@pytest.mark.clauses("PAGE-DASHBOARD-1")
def test_the_figures_can_be_read_beside_rest(lobby: Lobby, guest: Guest) -> None:
    dashboard = Dashboard(lobby.enter(guest)).open()

    record_figures(dashboard, guest, FIGURES_S_MAX)


@pytest.mark.clauses("SEC-PAGE-3")
def test_a_hostile_query_can_be_submitted_and_seen(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter(guest)
    dashboard = Dashboard(visit).open()
    hostile = "<img src=x onerror=\"document.title='owned'\"><b>bold</b>"

    task_id = guest.submit(hostile, budget=10.0)

    row = dashboard.row(task_id)
    dashboard.wait_badge(row, "completed")
    toast = dashboard.toasts.filter(has_text="completed!")
    expect(toast).to_be_visible()
    record_text(visit, row, hostile)
    record_text(visit, toast, f'Task "{hostile}" completed!')
    assert visit.page.title() != "owned", "the query ran as a script"


def record_text(visit: Visit, place: Locator, given: str) -> None:
    """Record how a text from the server is shown: as an element's own text, or as what else."""
    whole = place.get_by_text(given, exact=True)
    shown = whole.first.text_content() if whole.count() else place.inner_text()
    elements = place.locator("img, b").count()
    visit.record.record("shows", what="text", given=given, shown=shown, elements=elements)
