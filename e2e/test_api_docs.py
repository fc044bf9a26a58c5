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
    visit = lobby.enter()
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    docs = ApiDocs(visit).open()
    docs.unfold_all()

    for operation in OPERATIONS:
        entry = docs.entry(f"op-{operation.name}")
        expect(entry.locator("summary").first).to_contain_text(operation.path)
        expect(entry.locator("summary").first).to_contain_text(operation.method)
        statuses = entry.get_by_role("table", name="Answers").locator(".status").all_text_contents()
        assert {int(status) for status in statuses} == operation.statuses
    for name in (*DATA_MODELS, "welcome", "ping"):
        expect(docs.entry(f"message-{name}").get_by_text('"type"').first).to_be_visible()
    for code in CloseCode:
        expect(docs.entry("close-codes").get_by_role("cell", name=str(int(code)), exact=True)).to_be_visible()
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


@pytest.mark.parametrize("size", SIZES, ids=size_name)
def test_the_documents_can_be_looked_at(lobby: Lobby, run: Run, size: ViewportSize) -> None:
    visit = lobby.enter(viewport=size)
    docs = ApiDocs(visit).open("#op-submit_task")

    assert record_look(visit, "api-docs", size) == []
    picture(visit, run, f"api-docs-{size['width']}.jpg")
    docs.unfold_all()
    assert record_look(visit, "api-docs-unfolded", size) == []
