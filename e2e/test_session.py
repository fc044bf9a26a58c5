"""Signing out, being signed out, and where a page leads (contract §2 pages, §6 signed out, §7)."""

import pytest
from playwright.sync_api import expect

from e2e.pages.dashboard import Dashboard
from e2e.pages.entrance import Login, Signup
from e2e.people import Guest, Reception
from e2e.visits import Lobby, Visit

pytestmark = pytest.mark.browser

SOCKETLESS_MS = 700
FOREIGN_PLACES = (
    "https://evil.example/x",
    "//evil.example/x",
    "/\\evil.example/x",
    "javascript:document.title='owned'",
    "\t//evil.example",
    "http:evil.example",
    "/login.html",
)


@pytest.mark.clauses("CLIENT-STORAGE-1", "CLIENT-STOP-1", "CLIENT-ONE-1")
def test_somebody_can_sign_out(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter(guest)
    dashboard = Dashboard(visit).open()

    dashboard.sign_out()

    visit.wait_path("/login.html")
    record_signed_out(visit)


@pytest.mark.clauses("CLIENT-STORAGE-1", "CLIENT-STOP-1")
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


def record_signed_out(visit: Visit) -> None:
    """Record where the page is and what it still keeps."""
    visit.page.wait_for_timeout(SOCKETLESS_MS)
    visit.record.record("shows", what="signed out", url=visit.page.url, storage=visit.stored())


@pytest.mark.clauses("SEC-PAGE-2")
@pytest.mark.parametrize("place", FOREIGN_PLACES)
def test_signing_in_with_a_foreign_place_as_next_can_be_done(lobby: Lobby, guest: Guest, place: str) -> None:
    visit = lobby.enter()
    visit.page.route("**/*evil.example/**", lambda route: route.abort())
    login = Login(visit).open()
    visit.record.expect_navigation()
    visit.page.evaluate("place => location.assign('/login.html?next=' + encodeURIComponent(place))", place)
    visit.page.wait_for_url("**/login.html?next=*")

    login.sign_in(guest.person)

    visit.page.wait_for_url(lambda url: "/login.html" not in url)
    visit.record.record("shows", what="next", asked=place, url=visit.page.url, title=visit.page.title())


@pytest.mark.clauses("CLIENT-ONE-1")
@pytest.mark.parametrize("page", [Login, Signup])
@pytest.mark.parametrize("signed_in", [False, True], ids=["signed-out", "signed-in"])
def test_entrances_can_be_looked_at(lobby: Lobby, guest: Guest, page: type[Login | Signup], signed_in: bool) -> None:
    visit = lobby.enter(guest if signed_in else None)

    page(visit).open()

    visit.page.wait_for_timeout(SOCKETLESS_MS)
    visit.record.record("shows", what="socketless", path=page.path)


@pytest.mark.clauses("PAGE-PATH-1")
def test_short_and_unknown_paths_can_be_asked_for(lobby: Lobby, guest: Guest) -> None:
    visit = lobby.enter(guest)
    for path in ("/dashboard", "/login", "/signup", "/no-such-page", "/no/such/page.html"):
        visit.record.expect_navigation()
        answer = visit.page.goto(visit.base + path)
        assert answer is not None
        visit.record.record(
            "shows",
            what="path",
            asked=path,
            path=visit.page.url.removeprefix(visit.base).partition("?")[0],
            status=answer.status,
            html="text/html" in (answer.header_value("content-type") or ""),
            heading=visit.page.get_by_role("heading").first.inner_text(),
        )
