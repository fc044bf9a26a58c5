"""`/api-docs`: all that the contract holds can be read and found there, by anybody, with nothing from elsewhere."""

import pytest
from playwright.sync_api import ViewportSize, expect

from e2e.looking import SIZES, picture, record_look, size_name
from e2e.pages.api_docs import ApiDocs
from e2e.runs import Run
from e2e.visits import Lobby
from reference_server.contract.codes import CloseCode
from reference_server.contract.messages import DATA_MODELS
from reference_server.contract.operations import OPERATIONS

pytestmark = pytest.mark.browser


def test_every_operation_message_and_close_code_can_be_read(lobby: Lobby) -> None:
    # Without a trace: it keeps the whole page at every step, and this is a long one.
    visit = lobby.enter(traced=False)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    docs = ApiDocs(visit).open()
    docs.unfold_all()
    shown = {id_: text.split() for id_, text in docs.read().items()}

    for operation in OPERATIONS:
        words = {operation.method, operation.path, operation.name, *map(str, operation.statuses)}
        assert words - set(shown[f"op-{operation.name}"]) == set()
    for name in (*DATA_MODELS, "welcome", "ping"):
        assert {name, "Payload", "Examples"} - set(shown[f"message-{name}"]) == set()
    assert {str(int(code)) for code in CloseCode} - set(shown["close-codes"]) == set()
    assert [url for url in asked if not url.startswith(visit.base)] == []


def test_a_search_leaves_what_holds_every_word(lobby: Lobby) -> None:
    docs = ApiDocs(lobby.enter()).open()
    everything = docs.shown.count()

    docs.page.keyboard.press("/")
    docs.page.keyboard.type("tasks submit budget")

    expect(docs.search).to_be_focused()
    expect(docs.entry("op-submit_task")).to_be_visible()
    expect(docs.entry("op-login")).to_be_hidden()
    assert 0 < docs.shown.count() < everything


def test_an_address_opens_its_entry_and_the_keyboard_folds_it(lobby: Lobby) -> None:
    docs = ApiDocs(lobby.enter()).open("#op-submit_task")
    entry = docs.entry("op-submit_task")

    expect(entry).to_have_attribute("open", "")
    expect(entry.locator("summary").first).to_be_focused()
    docs.page.keyboard.press("Enter")
    expect(entry).not_to_have_attribute("open", "")


def test_links_lead_to_the_operation_that_they_name(lobby: Lobby) -> None:
    docs = ApiDocs(lobby.enter()).open("#op-submit_task")

    docs.entry("op-submit_task").get_by_role("link", name="cancel_task").click()

    expect(docs.entry("op-cancel_task")).to_have_attribute("open", "")


def test_nothing_of_what_folds_is_out_of_reach(lobby: Lobby) -> None:
    visit = lobby.enter(viewport=SIZES[0], traced=False)
    ApiDocs(visit).open().unfold_all()

    assert record_look(visit, "api-docs-unfolded", SIZES[0]) == []


@pytest.mark.parametrize("size", SIZES, ids=size_name)
def test_the_documents_can_be_looked_at(lobby: Lobby, run: Run, size: ViewportSize) -> None:
    visit = lobby.enter(viewport=size, traced=False)
    docs = ApiDocs(visit).open("#op-submit_task")

    assert record_look(visit, "api-docs", size) == []
    picture(visit, run, f"api-docs-{size['width']}.jpg")
    docs.unfold_all()
    assert visit.page.evaluate("() => document.scrollingElement.scrollWidth") <= size["width"]
