"""How the pages look and whether everyone can use them (contract §7): pictures, axe, nothing sideways."""

from importlib import resources

import pytest
from playwright.sync_api import ViewportSize, expect

from e2e.pages.dashboard import Dashboard
from e2e.people import Guest
from e2e.runs import Run
from e2e.visits import Lobby, Visit

pytestmark = pytest.mark.browser

SIZES: tuple[ViewportSize, ...] = (
    {"width": 390, "height": 844},
    {"width": 820, "height": 1180},
    {"width": 1440, "height": 900},
)
SERIOUS = ("serious", "critical")
# Fetching stylesheets anew for one experimental rule would look like the page's own requests.
AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], preload: false });
  return violations.map(({ id, impact, help, nodes }) =>
    ({ id, impact, help, nodes: nodes.slice(0, 5).map(({ target, failureSummary }) =>
      ({ target: target.join(" "), summary: failureSummary })) }));
}"""
LAYOUT = """() => ({
  scroll_width: document.scrollingElement.scrollWidth, client_width: document.scrollingElement.clientWidth,
  wide: [...document.body.querySelectorAll("*")].filter(element => {
    const { right, width } = element.getBoundingClientRect();
    return width > 0 && right > document.documentElement.clientWidth + 1 && !element.closest("[hidden]");
  }).slice(0, 5).map(element => element.tagName.toLowerCase() + (element.id ? "#" + element.id : "")),
})"""


def size_name(size: ViewportSize) -> str:
    return str(size["width"])


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


def picture(visit: Visit, run: Run, name: str) -> None:
    """Take the whole page in a window as tall as it is: what is fixed to the window would else end half-way."""
    height = visit.page.evaluate("() => document.scrollingElement.scrollHeight")
    width = visit.page.evaluate("() => window.innerWidth")
    visit.page.set_viewport_size({"width": width, "height": height})
    # A page of gradients is a third as large this way, so that the report carries it whole and sharp.
    visit.page.screenshot(path=run.browser_folder / name, type="jpeg", quality=80)


def record_look(visit: Visit, page: str, size: ViewportSize) -> None:
    """Record what axe finds and whether anything is wider than the window."""
    layout = visit.page.evaluate(LAYOUT)
    visit.record.record("layout", page=page, width=size["width"], **layout)
    visit.page.evaluate(resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
    violations = visit.page.evaluate(AXE)
    serious = [found["id"] for found in violations if found["impact"] in SERIOUS]
    visit.record.record("axe", page=page, width=size["width"], serious=serious, violations=violations)
