"""A page broken on purpose is told from a whole one by what its record says."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from e2e.judging import judged
from e2e.own_server import OwnServer
from e2e.pages.dashboard import Dashboard
from e2e.people import reception
from e2e.runs import Run
from e2e.visits import Lobby
from harness.verdicts import Status

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEED = 7
SHOWN_MS_MAX = 1500


@pytest.mark.parametrize(("mutant", "status"), [("", Status.HOLDS), ("stale_badge", Status.VIOLATED)])
def test_a_badge_that_stays_behind_is_seen(browser: Browser, tmp_path: Path, mutant: str, status: Status) -> None:
    run = Run(tmp_path, SEED, is_judged=True)
    server = OwnServer(run.recorder("browser"), mutant)
    try:
        server.start()
        watch_a_task(browser, server, run)
    finally:
        server.end()
        run.close()

    (result,) = [result for result in judged(run).results if result.id == "CLIENT-BADGE-1"]

    assert result.status is status


def watch_a_task(browser: Browser, server: OwnServer, run: Run) -> None:
    """Watch one task from its row's appearance to its end, as long as a badge may take."""
    with reception(server.url, run.recorder("browser"), run.seed, run.tag) as desk:
        guest = desk.register("ada")
        lobby = Lobby(browser, server.url, run.sink, run.numbers)
        dashboard = Dashboard(lobby.enter(guest)).open()
        task_id = guest.submit("Change before my eyes", outcome="complete", duration_ms=SHOWN_MS_MAX)
        expect(dashboard.row(task_id)).to_be_visible()
        expect(dashboard.toast("Change before my eyes")).to_be_visible()
        dashboard.page.wait_for_timeout(SHOWN_MS_MAX)
        lobby.close()
