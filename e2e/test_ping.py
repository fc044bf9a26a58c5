"""A page that is left open says that it is there (contract §6 ping)."""

import pytest

from e2e.visits import Visit

pytestmark = pytest.mark.browser

PINGED_AFTER_MS = 26_500


@pytest.mark.clauses("CLIENT-PING-1", "PERF-P3", "CLIENT-ONE-1")
def test_a_page_can_be_left_open_past_its_first_ping(long_visit: Visit) -> None:
    left_ms = PINGED_AFTER_MS - long_visit.open_ms()
    if left_ms > 0:
        long_visit.page.wait_for_timeout(left_ms)

    assert long_visit.page.locator("#ws-status").get_attribute("data-state") == "connected"
