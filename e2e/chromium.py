"""Which browser runs the pages, and how: found on this machine, quiet on the network, nothing of a user's profile."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS: Final = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# A browser of its own accord asks its maker for updates, lists and field trials; a run must not leave this machine.
QUIET_FLAGS: Final = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--disable-gpu",
)


class NoBrowserError(Exception):
    """HARNESS_BROWSER names nothing that can be run."""


def browser_path() -> str | None:
    """Return $HARNESS_BROWSER, else a Chromium or Chrome that is installed; None for Playwright's own.

    Raises NoBrowserError when the variable names nothing that can be run.
    """
    named = os.environ.get("HARNESS_BROWSER")
    if named:
        found = shutil.which(named)
        if found is None:
            raise NoBrowserError(f"HARNESS_BROWSER is '{named}', which cannot be run; name a Chromium or Chrome")
        return found
    installed = (shutil.which(name) for name in NAMES)
    applications = (path for path in APPLICATIONS if Path(path).exists())
    return next((path for path in (*installed, *applications) if path), None)


def browser_flags() -> list[str]:
    """Return the flags; root can have no sandbox, everybody else keeps it."""
    is_root = sys.platform != "win32" and os.geteuid() == 0
    return [*QUIET_FLAGS, *(["--no-sandbox"] if is_root else [])]


@contextmanager
def chromium(*, headed: bool = False) -> Iterator[Browser]:
    """Lend a browser and close it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=browser_flags(), headless=not headed)
        try:
            yield browser
        finally:
            browser.close()
