"""A page comes back by itself after an outage, and shows what it missed (contract §6 reconnect)."""

import pytest
from playwright.sync_api import expect

from e2e.comparing import record_resync
from e2e.own_server import OwnServer
from e2e.pages.dashboard import Dashboard
from e2e.people import Reception
from e2e.visits import Lobby

pytestmark = pytest.mark.browser

BACK_MS_MAX = 20_000
AWAY_MS = 3500
GIVEN_UP_MS_MAX = 45_000
LOST = "Lost connection to server. Please refresh the page."


@pytest.mark.clauses("CLIENT-RESYNC-1", "CLIENT-INDICATOR-1", "CLIENT-CONSOLE-1", "PERF-P8")
def test_a_page_outlives_a_killed_server(own_server: OwnServer, own_lobby: Lobby, own_desk: Reception) -> None:
    guest = own_desk.register("edsger")
    dashboard = Dashboard(own_lobby.enter(guest)).open()
    kept = guest.submit("Outlive the server", outcome="hang")
    expect(dashboard.row(kept)).to_be_visible()

    own_server.kill()
    dashboard.wait_state("disconnected")
    # Two attempts fail before it is back, so that the schedule shows.
    dashboard.page.wait_for_timeout(AWAY_MS)
    own_server.start()
    # Nobody is told of these: the page is away while they happen.
    guest.call("cancel_task", path={"id": kept})
    guest.submit("Done meanwhile")

    dashboard.wait_connected(BACK_MS_MAX)
    record_resync(dashboard, guest)
    after = guest.submit("Live again")
    dashboard.wait_badge(dashboard.row(after), "completed")


@pytest.mark.slow
@pytest.mark.clauses("CLIENT-BACKOFF-2", "PERF-P4")
def test_a_page_gives_up_after_five_attempts(own_server: OwnServer, own_lobby: Lobby, own_desk: Reception) -> None:
    dashboard = Dashboard(own_lobby.enter(own_desk.register("barbara"))).open()

    own_server.kill()

    expect(dashboard.toast(LOST)).to_be_visible(timeout=GIVEN_UP_MS_MAX)
    dashboard.wait_state("disconnected")
    own_server.start()
    # Longer than any delay that a sixth attempt could have had begun with 1 s again.
    dashboard.page.wait_for_timeout(AWAY_MS)
