"""The API's documents (`/api-docs`): entries that fold, contents beside them, and a search over all."""

from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.visits import Visit

READ: Final = "() => Object.fromEntries([...document.querySelectorAll('.entry')].map(one => [one.id, one.innerText]))"


class ApiDocs:
    """`/api-docs.html`, for anybody."""

    path: Final = "/api-docs.html"

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.page: Page = visit.page
        self.search = self.page.get_by_role("searchbox", name="Search operations")
        self.entries = self.page.locator(".entry")
        self.shown = self.page.locator(".entry:visible")

    def open(self, fragment: str = "") -> "ApiDocs":
        """Go there and wait until all is shown; skips where a target has no such page."""
        self.visit.goto(self.path + fragment)
        if self.page.locator("#docs-body").count() == 0:
            pytest.skip("this target has no /api-docs")
        expect(self.page.locator("#docs-body")).to_have_attribute("aria-busy", "false")
        return self

    def entry(self, id_: str) -> Locator:
        """One entry, by the id that links name."""
        return self.page.locator(f"[id='{id_}']")

    def read(self) -> dict[str, str]:
        """Return what every entry shows, by its id; in one go, since there are about a hundred."""
        shown: dict[str, str] = self.page.evaluate(READ)
        return shown

    def unfold_all(self) -> None:
        """Open every entry."""
        self.page.get_by_role("button", name="Unfold all").click()
