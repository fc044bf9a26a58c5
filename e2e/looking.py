"""Looking at a page: pictures of all of it, what axe finds, and whether anything is wider than the window."""

from importlib import resources
from typing import Any

from playwright.sync_api import ViewportSize

from e2e.runs import Run
from e2e.visits import Visit

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
    """Name a window by its width."""
    return str(size["width"])


def picture(visit: Visit, run: Run, name: str) -> None:
    """Take the whole page in a window as tall as it is: what is fixed to the window would else end half-way."""
    height = visit.page.evaluate("() => document.scrollingElement.scrollHeight")
    width = visit.page.evaluate("() => window.innerWidth")
    visit.page.set_viewport_size({"width": width, "height": height})
    window_picture(visit, run, name)


def window_picture(visit: Visit, run: Run, name: str) -> None:
    """Take what the window shows: of a page that is many windows tall."""
    # A page of gradients is a third as large this way, so that the report carries it whole and sharp.
    visit.page.screenshot(path=run.browser_folder / name, type="jpeg", quality=80)


def record_look(visit: Visit, page: str, size: ViewportSize) -> list[dict[str, Any]]:
    """Record what axe finds and whether anything is wider than the window; return all that axe finds."""
    layout = visit.page.evaluate(LAYOUT)
    visit.record.record("layout", page=page, width=size["width"], **layout)
    visit.page.evaluate(resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
    violations: list[dict[str, Any]] = visit.page.evaluate(AXE)
    serious = [found["id"] for found in violations if found["impact"] in SERIOUS]
    visit.record.record("axe", page=page, width=size["width"], serious=serious, violations=violations)
    return violations
