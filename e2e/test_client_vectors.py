"""The pages' own client core, in a real browser, runs the vectors that its Python twin runs (contract §6)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

import reference_server.contract

ROOT = Path(reference_server.contract.__file__).parents[1]
VECTORS = json.loads((ROOT / "contract" / "client_vectors.json").read_text("utf-8"))
ORIGIN = "http://pages.test"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

# Compares key by key and not as text: the two languages may order an object's keys differently.
RUN = """
async ([module, sequence]) => {
  const { start, step } = await import(module);
  const steps = [];
  let state = sequence.start;
  for (const expected of sequence.steps) {
    const frozen = JSON.stringify(state);
    const [after, effects] = step(state, expected.event);
    steps.push({ state: after, effects, changed_its_input: JSON.stringify(state) !== frozen });
    state = expected.state;
  }
  return { start: start(sequence.start.url, sequence.start.visible), steps };
}
"""


@pytest.fixture(scope="module")
def blank_page(browser: Browser) -> Iterator[Page]:
    """A page of the origin that serves the pages' folder, and nothing but a document of its own."""
    context = browser.new_context()
    page = context.new_page()
    page.route(f"{ORIGIN}/**", serve)
    page.goto(f"{ORIGIN}/blank")
    yield page
    context.close()


def serve(route: Route) -> None:
    name = route.request.url.removeprefix(f"{ORIGIN}/")
    path = ROOT / "pages" / name
    if path.is_file():
        route.fulfill(body=path.read_bytes(), content_type=TYPES[path.suffix])
    else:
        route.fulfill(body="<!doctype html><title>blank</title>", content_type="text/html")


def named(part: str) -> list[Any]:
    return [pytest.param(sequence, id=sequence["name"]) for sequence in VECTORS[part]]


@pytest.mark.browser
@pytest.mark.parametrize("sequence", named("core"))
def test_the_core_in_the_browser_steps_as_the_vectors_say(blank_page: Page, sequence: dict[str, Any]) -> None:
    check_sequence(blank_page, "/js/client_core.js", sequence)


@pytest.mark.browser
@pytest.mark.parametrize("sequence", named("reload"))
def test_reloading_in_the_browser_steps_as_the_vectors_say(blank_page: Page, sequence: dict[str, Any]) -> None:
    check_sequence(blank_page, "/js/reload.js", sequence)


def check_sequence(page: Page, module: str, sequence: dict[str, Any]) -> None:
    """Run one sequence in the page and raise where a step differs."""
    ran = page.evaluate(RUN, [module, sequence])
    assert ran["start"] == sequence["start"]
    for number, (got, expected) in enumerate(zip(ran["steps"], sequence["steps"], strict=True)):
        assert got["effects"] == expected["effects"], f"effects of step {number}"
        assert got["state"] == expected["state"], f"state after step {number}"
        assert not got["changed_its_input"], f"step {number} changed the state it was given"
