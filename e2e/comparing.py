"""Read a dashboard and REST side by side and record both; whether they are equal is the judge's to say.

A page needs its time to follow, so both are read again until they agree or the contract's time is over; recorded is
the last reading.
"""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import pytest
from msgspec import Struct

from e2e.pages.dashboard import Dashboard
from e2e.people import Guest
from harness.targets.base import Answered
from reference_server.contract import limits

T = TypeVar("T")
POLL_MS: Final = 50
RECENT_SHOWN: Final = 10
LAGGING: Final = frozenset({"success-rate", "connections"})
"""Figures that others change without a push; they may be 30 s old (contract §6 after a reconnect)."""


class _Total(Struct):
    total: int


class _Metrics(Struct):
    success_rate: float


class _Counted(Struct):
    current_connections: int


class _Stats(Struct):
    stats: _Counted


class _Task(Struct):
    id: str
    status: str


class _Tasks(Struct):
    total: int
    tasks: list[_Task]


def rest_figures(guest: Guest) -> dict[str, str]:
    """Return what the four figures should say (contract §7 dashboard)."""
    agents = answered(guest.call("list_agents", query={"status": "active", "limit": "1"}), _Total)
    metrics = answered(guest.call("orchestrator_metrics"), _Metrics)
    stats = answered(guest.call("ws_stats"), _Stats).stats
    return {
        "active-agents": str(agents.total),
        "my-tasks": str(_tasks(guest).total),
        "success-rate": f"{metrics.success_rate:.1f}%",
        "connections": str(stats.current_connections),
    }


def rest_recent(guest: Guest) -> list[list[str]]:
    """Return REST's newest tasks, in order: id and status."""
    return [[task.id, task.status] for task in _tasks(guest).tasks]


def answered(answer: Answered, shape: type[T]) -> T:
    """Return an answer's body in this shape; what has another skips the test: there is nothing to compare with."""
    try:
        return msgspec.convert(answer.body, shape, strict=True)
    except msgspec.ValidationError as fault:
        pytest.skip(f"REST can't be compared with, an answer ({answer.status}) was of another shape: {fault}")


def _tasks(guest: Guest) -> _Tasks:
    return answered(guest.call("list_tasks", query={"limit": str(RECENT_SHOWN)}), _Tasks)


def record_figures(dashboard: Dashboard, guest: Guest, within_s: float) -> None:
    """Record the four figures beside REST's."""
    page, rest, _ = _settled(dashboard, dashboard.figures, lambda: rest_figures(guest), time.monotonic() + within_s)
    dashboard.visit.record.record("shows", what="figures", page=page, rest=rest)


def record_recent(dashboard: Dashboard, guest: Guest, within_s: float) -> None:
    """Record the recent tasks beside REST's."""
    page, rest, _ = _settled(dashboard, dashboard.recent, lambda: rest_recent(guest), time.monotonic() + within_s)
    dashboard.visit.record.record("shows", what="recent-tasks", page=page, rest=rest)


def record_resync(dashboard: Dashboard, guest: Guest) -> None:
    """Record how long after the reconnect the page was equal to REST, or that it was not in time."""
    record = dashboard.visit.record
    assert record.opened_ns is not None, "the page was never connected"
    opened_s = record.opened_ns / 1e9

    def shown() -> dict[str, str]:
        figures = {name: text for name, text in dashboard.figures().items() if name not in LAGGING}
        return figures | {f"task {task_id}": status for task_id, status in dashboard.recent()}

    def wanted() -> dict[str, str]:
        figures = {name: text for name, text in rest_figures(guest).items() if name not in LAGGING}
        return figures | {f"task {task_id}": status for task_id, status in rest_recent(guest)}

    page, rest, seen_s = _settled(dashboard, shown, wanted, opened_s + limits.CONVERGE_AFTER_RECONNECT_S)
    after_ms = round((seen_s - opened_s) * 1000)
    record.record("shows", what="resync", after_ms=after_ms, page=page, rest=rest)


def _settled(
    dashboard: Dashboard, read_page: Callable[[], Any], read_rest: Callable[[], Any], until_s: float
) -> tuple[Any, Any, float]:
    """Return the first reading of both that agrees, or the last in time, and when the page was read."""
    while True:
        page = read_page()
        seen_s = time.monotonic()
        rest = read_rest()
        if page == rest or seen_s > until_s:
            return page, rest, seen_s
        dashboard.page.wait_for_timeout(POLL_MS)
