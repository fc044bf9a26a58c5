"""The dashboard (contract §7): figures, recent tasks, the form that makes more of them."""

import json
import re
from typing import Any, Final

from playwright.sync_api import Locator, Page, expect

from e2e.visits import Visit

CONNECTED_MS_MAX: Final = 10_000
METRICS: Final = ("active-agents", "my-tasks", "success-rate", "connections")


class Dashboard:
    """`/dashboard.html`, for somebody signed in."""

    path: Final = "/dashboard.html"

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.page: Page = visit.page
        self.status = self.page.locator("#ws-status")
        self.form = self.page.locator("#task-form")
        self.list = self.page.locator("[data-recent-tasks]")
        self.errors = self.page.get_by_role("alert")
        self.toasts = self.page.get_by_role("status").locator("[data-level]")

    def open(self, query: str = "") -> "Dashboard":
        """Go there and wait until it is live."""
        self.visit.goto(self.path + query)
        self.wait_connected()
        self.wait_figures()
        return self

    def wait_state(self, state: str, deadline_ms: float = CONNECTED_MS_MAX) -> None:
        """Wait until the indicator is in `state`."""
        expect(self.status).to_have_attribute("data-state", state, timeout=deadline_ms)

    def wait_connected(self, deadline_ms: float = CONNECTED_MS_MAX) -> None:
        """Wait until the indicator says connected."""
        self.wait_state("connected", deadline_ms)

    def wait_figures(self) -> None:
        """Wait until every figure has been read once."""
        for name in METRICS:
            expect(self.figure(name)).to_have_text(re.compile(r"\d"))

    def figure(self, name: str) -> Locator:
        """The place of a figure."""
        return self.page.locator(f'[data-metric="{name}"]')

    def figures(self) -> dict[str, str]:
        """What the figures say now."""
        return {name: self.figure(name).inner_text() for name in METRICS}

    def recent(self) -> list[list[str]]:
        """The recent tasks as shown, in order: id and status."""
        rows: list[list[str]] = self.list.evaluate(
            """list => [...list.querySelectorAll("[data-task-id]")].map(row =>
                 [row.dataset.taskId, row.querySelector("[data-status]").dataset.status])"""
        )
        return rows

    def row(self, task_id: str) -> Locator:
        """A task's row."""
        return self.list.locator(f'[data-task-id="{task_id}"]')

    def row_saying(self, query: str) -> Locator:
        """The row of the task with this query."""
        return self.list.locator("[data-task-id]").filter(has_text=query)

    def wait_badge(self, row: Locator, status: str, deadline_ms: float = 10_000) -> None:
        """Wait until a row's badge is in `status`."""
        badge = row.locator("[data-status]")
        expect(badge).to_have_attribute("data-status", status, timeout=deadline_ms)

    def submit(self, query: str, budget: float = 10.0, simulate: dict[str, Any] | None = None) -> None:
        """Fill the form and send it; `simulate` steers the executor where it can be steered."""
        self.form.get_by_label("What should be done?").fill(query)
        self.form.get_by_label("Budget").fill(f"{budget:g}")
        if simulate is not None:
            self.form.get_by_text("More options").click()
            self.form.get_by_label("Constraints").fill(json.dumps({"simulate": simulate}))
        self.form.get_by_role("button", name="Submit task").click()

    def record_submitted(self, row: Locator, navigations: int) -> None:
        """Record that a submitted task's row is there, and how often the page navigated since `navigations`."""
        record = self.visit.record
        since = record.navigations - navigations
        task_id = row.get_attribute("data-task-id")
        record.record("shows", what="submitted", task_id=task_id, shown=row.is_visible(), navigations=since)

    def cancel(self, row: Locator) -> None:
        """Press a task's own cancel button."""
        row.get_by_role("button", name="Cancel").click()

    def toast(self, text: str) -> Locator:
        """The toast that says this."""
        return self.toasts.filter(has_text=text)

    def sign_out(self) -> None:
        """Press the button; the page then leads to the sign-in page by itself."""
        self.page.get_by_role("button", name="Sign out").click()
