"""Read a dashboard and REST side by side and record both; whether they are equal is the judge's to say."""

import time
from typing import Any, Final

from e2e.pages.dashboard import Dashboard
from e2e.people import Guest

POLL_MS: Final = 100
RECENT_SHOWN: Final = 10


def rest_figures(guest: Guest) -> dict[str, str]:
    """Return what the four figures should say (contract §7 dashboard)."""
    agents = guest.call("list_agents", query={"status": "active", "limit": "1"}).body
    tasks = guest.call("list_tasks", query={"limit": "1"}).body
    metrics = guest.call("orchestrator_metrics").body
    stats = guest.call("ws_stats").body["stats"]
    return {
        "active-agents": str(agents["total"]),
        "my-tasks": str(tasks["total"]),
        "success-rate": f"{metrics['success_rate']:.1f}%",
        "connections": str(stats["current_connections"]),
    }


def rest_recent(guest: Guest) -> list[dict[str, str]]:
    """Return REST's newest tasks, in order: id and status."""
    tasks = guest.call("list_tasks", query={"limit": str(RECENT_SHOWN)}).body["tasks"]
    return [{"task_id": task["id"], "status": task["status"]} for task in tasks]


def record_figures(dashboard: Dashboard, guest: Guest, within_s: float) -> None:
    """Record figures and REST until they agree or the time is over."""
    _record_until_equal(dashboard, "metrics", lambda: (dashboard.figures(), rest_figures(guest)), within_s)


def record_recent(dashboard: Dashboard, guest: Guest, within_s: float) -> None:
    """Record the recent tasks and REST's until they agree or the time is over."""
    _record_until_equal(dashboard, "recent", lambda: (dashboard.recent(), rest_recent(guest)), within_s)


def _record_until_equal(dashboard: Dashboard, what: str, read: Any, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while True:
        page, rest = read()
        last = page == rest or time.monotonic() > deadline
        dashboard.visit.record.record("shows", what=what, page=page, rest=rest, last=last)
        if last:
            return
        dashboard.page.wait_for_timeout(POLL_MS)
