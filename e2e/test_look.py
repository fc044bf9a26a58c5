"""How the pages look and whether everyone can use them (contract §7): pictures, axe, nothing sideways."""

import pytest
from playwright.sync_api import ViewportSize, expect

from e2e.looking import SIZES, picture, record_look, size_name
from e2e.pages.dashboard import Dashboard
from e2e.people import Guest
from e2e.runs import Run
from e2e.visits import Lobby

pytestmark = pytest.mark.browser


@pytest.mark.clauses("PAGE-LAYOUT-1", "PAGE-ACCESS-1")
@pytest.mark.parametrize("size", SIZES, ids=size_name)
def test_the_dashboard_can_be_looked_at(lobby: Lobby, guest: Guest, run: Run, size: ViewportSize) -> None:
    furnish(guest)
    visit = lobby.enter(guest, size)
    dashboard = Dashboard(visit).open()
    expect(dashboard.row_saying("Watch the release go out")).to_be_visible()

    record_look(visit, "dashboard", size)
    picture(visit, run, f"dashboard-{size['width']}.jpg")


def furnish(guest: Guest) -> None:
    """Give the dashboard something of everything to show."""
    guest.submit("Summarize last week's incident reports")
    guest.submit("Compare three offers for the new data center in Lisbon, with taxes", budget=60.0)
    guest.submit("Solve the halting problem", budget=0.000001)
    guest.submit("Watch the release go out", outcome="hang")


@pytest.mark.clauses("PAGE-LAYOUT-1", "PAGE-ACCESS-1")
@pytest.mark.parametrize("size", SIZES, ids=size_name)
@pytest.mark.parametrize("name", ["login", "signup"])
def test_an_entrance_can_be_looked_at(lobby: Lobby, run: Run, name: str, size: ViewportSize) -> None:
    visit = lobby.enter(viewport=size)
    visit.goto(f"/{name}.html")

    record_look(visit, name, size)
    picture(visit, run, f"{name}-{size['width']}.jpg")


@pytest.mark.parametrize("size", SIZES, ids=size_name)
def test_a_toast_never_covers_the_button_that_submits(lobby: Lobby, guest: Guest, size: ViewportSize) -> None:
    dashboard = Dashboard(lobby.enter(guest, size)).open()

    guest.submit("Ask for the impossible", budget=0.000001)
    toast = dashboard.toast("Ask for the impossible")
    expect(toast).to_be_visible()
    button = dashboard.form.get_by_role("button", name="Submit task")
    button.scroll_into_view_if_needed()

    over, under = toast.bounding_box(), button.bounding_box()
    assert over is not None
    assert under is not None
    beside = over["x"] + over["width"] <= under["x"] or under["x"] + under["width"] <= over["x"]
    assert beside or over["y"] + over["height"] <= under["y"]


@pytest.mark.parametrize("name", ["login", "signup", "dashboard"])
def test_a_page_leads_to_the_documents_of_the_api(lobby: Lobby, guest: Guest, name: str) -> None:
    visit = lobby.enter(guest if name == "dashboard" else None)
    visit.goto(f"/{name}.html")

    visit.page.get_by_role("contentinfo").get_by_role("link", name="The API of this server").click()

    visit.wait_path("/api-docs.html")
