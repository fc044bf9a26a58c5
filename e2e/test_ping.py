"""A page that is left open says that it is there (contract §6 ping)."""

import pytest

from e2e.visits import Visit

pytestmark = pytest.mark.browser

REFRESHED_AFTER_MS = 32_000
"""Past the first ping (25 s) and past the first reading of the figures that nothing else caused (30 s)."""


@pytest.mark.clauses("CLIENT-PING-1", "PERF-P3", "CLIENT-ONE-1", "PAGE-DASHBOARD-4")
def test_a_page_can_be_left_open_past_its_first_ping(long_visit: Visit) -> None:
    left_ms = REFRESHED_AFTER_MS - long_visit.open_ms()
    if left_ms > 0:
        long_visit.page.wait_for_timeout(left_ms)

    assert long_visit.page.locator("#ws-status").get_attribute("data-state") == "connected"
