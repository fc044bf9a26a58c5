"""Signing out, being signed out, and where a page leads (contract §2 pages, §6 signed out, §7)."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from e2e.pages.dashboard import Dashboard
from e2e.pages.entrance import Login, Signup
from e2e.people import Guest, Reception
from e2e.visits import Lobby, Visit

pytestmark = pytest.mark.browser

FOREIGN_PLACES = (
    "https://evil.example/x",
    "//evil.example/x",
    "/\\evil.example/x",
    "javascript:document.title='owned'",
    "\t//evil.example",
    "http:evil.example",
    "/login.html",
)


@pytest.mark.clauses("CLIENT-STORAGE-1", "CLIENT-ONE-1")
def test_somebody_can_sign_out(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter(guest)
    dashboard = Dashboard(visit).open()

    dashboard.sign_out()

    visit.wait_path("/login.html")
    record_signed_out(visit)


@pytest.mark.clauses("CLIENT-STORAGE-1")
def test_a_page_whose_token_is_revoked_elsewhere_is_signed_out(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter(guest)
    Dashboard(visit).open()

    guest.call("logout")

    visit.wait_path("/login.html")
    record_signed_out(visit)
    expect(Dashboard(visit).toasts).to_contain_text("signed out")


@pytest.mark.clauses("CLIENT-STORAGE-1", "PAGE-GUARD-1")
def test_a_page_with_a_dead_token_is_signed_out(lobby: Lobby, desk: Reception) -> None:
    guest = desk.register("alan")
    guest.call("logout")
    visit = lobby.enter(guest)

    visit.goto("/dashboard.html")

    visit.wait_path("/login.html")
    record_signed_out(visit)


@pytest.mark.clauses("CLIENT-STORAGE-2")
@pytest.mark.parametrize(("token", "user"), [("no\ntoken", "{}"), ("", "{broken")], ids=["token", "user"])
def test_a_page_whose_storage_is_unreadable_can_be_opened(lobby: Lobby, token: str, user: str) -> None:
    visit = lobby.enter()
    Login(visit).open()
    stored = {"zerostate_auth_token": token, "zerostate_user_data": user}
    keep = "(stored) => Object.entries(stored).forEach(([key, value]) => localStorage.setItem(key, value))"
    visit.page.evaluate(keep, stored)

    visit.goto("/dashboard.html")

    visit.wait_path("/login.html")
    record_signed_out(visit, after="unreadable")


def record_signed_out(visit: Visit, after: str = "sign-out") -> None:
    """Record where the page is and what it still keeps."""
    visit.page.wait_for_load_state()
    keys, path = visit.stored_keys(), visit.place()
    visit.record.record("shows", what="storage", after=after, keys=keys, path=path)


@pytest.mark.clauses("SEC-PAGE-2")
def test_signing_in_with_foreign_places_as_next_can_be_done(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter()
    visit.page.route("**/*evil.example/**", lambda route: route.abort())
    login = Login(visit)
    for place in FOREIGN_PLACES:
        login.open(f"?next={quote(place, safe='')}")

        login.sign_in(guest.person)

        visit.page.wait_for_url(lambda url: "/login.html" not in url)
        visit.record.record("shows", what="next", asked=place, landed=visit.page.url)
        assert visit.page.title() != "owned", f"?next={place} ran as a script"


@pytest.mark.clauses("CLIENT-ONE-1")
@pytest.mark.parametrize("page", [Login, Signup])
@pytest.mark.parametrize("signed_in", [False, True], ids=["signed-out", "signed-in"])
def test_entrances_can_be_looked_at(lobby: Lobby, guest: Guest, page: type[Login | Signup], signed_in: bool) -> None:
    visit = lobby.enter(guest if signed_in else None)

    page(visit).open()

    visit.page.wait_for_load_state("networkidle")


@pytest.mark.clauses("PAGE-PATH-1")
def test_short_and_unknown_paths_can_be_asked_for(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter(guest)
    for path in ("/dashboard", "/login", "/signup", "/no-such-page", "/no/such/page.html"):
        visit.record.expect_navigation()
        answer = visit.page.goto(visit.base + path)
        assert answer is not None, f"{path} gave no document"
        html = "text/html" in (answer.header_value("content-type") or "")
        visit.record.record("shows", what="path", asked=path, landed=visit.page.url, status=answer.status, html=html)
