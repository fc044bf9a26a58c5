"""`/api-docs`: all that the contract holds can be read and found there, by anybody, with nothing from elsewhere."""

import re

import pytest
from playwright.sync_api import ViewportSize, expect

from e2e.looking import SIZES, record_look, size_name, window_picture
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


def test_a_search_that_finds_nothing_says_so_and_can_be_cleared(lobby: Lobby) -> None:
    docs = ApiDocs(lobby.enter()).open()
    everything = docs.shown.count()

    docs.search.fill("no such words")
    expect(docs.page.get_by_text("Nothing has all of these words")).to_be_visible()
    docs.page.get_by_role("button", name="Clear the search").click()

    expect(docs.page.get_by_text("Nothing has all of these words")).to_be_hidden()
    assert docs.shown.count() == everything


def test_the_page_says_at_its_top_how_to_send_a_credential(lobby: Lobby) -> None:
    docs = ApiDocs(lobby.enter()).open()

    expect(docs.page.get_by_role("heading", name="How to send a credential")).to_be_in_viewport()
    expect(docs.page.locator(".docs-credential pre")).to_contain_text("Authorization: Bearer TOKEN")


def test_a_request_of_several_parts_is_shown_as_a_command(lobby: Lobby) -> None:
    docs = ApiDocs(lobby.enter()).open("#op-register_agent")
    request = docs.entry("op-register_agent").locator(".example").filter(has_text="as a command")

    for part in (
        "curl -X POST",
        "Authorization: Bearer TOKEN",
        "-F 'capabilities=sum'",
        "-F 'capabilities=query-processing'",
        """-F 'resources={"memory_mb":64};type=application/json'""",
        "-F 'wasm_binary=@FILE;type=application/wasm'",
    ):
        expect(request).to_contain_text(part)


def test_a_limit_is_said_once_in_words_before_its_pattern(lobby: Lobby) -> None:
    docs = ApiDocs(lobby.enter()).open("#op-register")
    password = docs.entry("op-register").locator(".field-row").filter(has_text="password").first
    name = docs.entry("op-register").locator(".field-row").filter(has_text="full_name").first

    expect(password).to_have_text("password string required 8 to 72 bytes of UTF-8")
    expect(name).to_have_text(re.compile("^full_name string required not blank at most 100 characters ?pattern "))


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


@pytest.mark.clauses("PAGE-LAYOUT-1", "PAGE-ACCESS-1")
@pytest.mark.parametrize("size", SIZES, ids=size_name)
def test_the_documents_can_be_looked_at(lobby: Lobby, run: Run, size: ViewportSize) -> None:
    visit = lobby.enter(viewport=size, traced=False)
    docs = ApiDocs(visit).open()

    assert record_look(visit, "api-docs", size) == []
    window_picture(visit, run, f"api-docs-{size['width']}.jpg")
    docs.unfold_all()
    assert visit.page.evaluate("() => document.scrollingElement.scrollWidth") <= size["width"]
