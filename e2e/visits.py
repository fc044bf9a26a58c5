"""A visit: one recorded page in a browser context of its own, as somebody or signed out."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from e2e.people import Guest
from e2e.recording import PageRecord
from harness.history import Sink

TOKEN_KEY: Final = "zerostate_auth_token"
USER_KEY: Final = "zerostate_user_data"
STEP_MS_MAX: Final = 10_000
DESKTOP: Final[ViewportSize] = {"width": 1440, "height": 900}


class Visit:
    """A page with its record; tests act through page objects that are given one."""

    def __init__(
        self, base: str, context: BrowserContext, page: Page, record: PageRecord, *, traced: bool = False
    ) -> None:
        self.base = base
        self.context = context
        self.page = page
        self.record = record
        self._traced = traced

    def goto(self, path: str) -> None:
        """Go to a path of the target, as one who types it in."""
        self.record.expect_navigation()
        self.page.goto(self.base + path)

    def mask(self, secret: str) -> None:
        """Let `secret` stand in nothing that this visit leaves behind."""
        self.record.mask(secret)

    def place(self) -> str:
        """Path and query of where the page is."""
        return self.page.url.removeprefix(self.base)

    def wait_path(self, path: str, deadline_ms: float = STEP_MS_MAX) -> None:
        """Wait until the page is at `path`, whatever its query."""
        self.page.wait_for_url(lambda url: url.partition("?")[0] == self.base + path, timeout=deadline_ms)

    def open_ms(self) -> float:
        """How long the document has been there."""
        return float(self.page.evaluate("() => performance.now()"))

    def stored_keys(self) -> list[str]:
        """The keys that the page keeps in its storage."""
        keys: list[str] = self.page.evaluate("() => Object.keys(localStorage)")
        return keys

    def end(self, trace: Path | None = None) -> None:
        """Leave the page, close it and write its record; a traced one keeps, as `trace`, how it came about."""
        # A page that is closed outright tells nothing of how it left; one that gave up is judged as it stands.
        if not self.record.has_lost_its_sockets:
            self.record.expect_navigation()
            self.page.goto("about:blank")
        if trace is not None and self._traced:
            self.context.tracing.stop(path=trace)
            blank_secrets(trace, self.record.secrets)
        self.context.close()
        self.record.end()


class Lobby:
    """Opens visits to one target and closes them; pages are numbered through the whole session."""

    def __init__(self, browser: Browser, base: str, open_sink: Callable[[str], Sink], numbers: "Numbers") -> None:
        self.base = base
        self._browser = browser
        self._open_sink = open_sink
        self._numbers = numbers
        self._open: list[Visit] = []

    def enter(self, guest: Guest | None = None, viewport: ViewportSize = DESKTOP, *, traced: bool = True) -> Visit:
        """Open a blank page, signed in as `guest` or signed out."""
        context = self._browser.new_context(
            viewport=viewport,
            storage_state=self._state(guest),
            locale="en-GB",
            # What pulses for ever is painted for ever, on a processor that the server under test needs too.
            reduced_motion="reduce",
        )
        context.set_default_timeout(STEP_MS_MAX)
        if traced:
            context.tracing.start(snapshots=True)
        page = context.new_page()
        account = guest.account_id if guest is not None else None
        record = PageRecord(page, self._numbers.next(), self._open_sink, account)
        visit = Visit(self.base, context, page, record, traced=traced)
        if guest is not None:
            visit.mask(guest.token)
            visit.mask(guest.person.password)
        self._open.append(visit)
        return visit

    def close(self, traces: Path | None = None) -> None:
        """Close every visit; after a failure keep each one's trace in `traces`."""
        while self._open:
            visit = self._open.pop(0)
            visit.end(traces / f"trace-{visit.record.name}.zip" if traces is not None else None)

    def _state(self, guest: Guest | None) -> Any:  # playwright keeps the type to itself
        if guest is None:
            return {"cookies": [], "origins": []}
        user = {"id": guest.account_id, "email": guest.person.email, "full_name": guest.person.full_name}
        stored = [{"name": TOKEN_KEY, "value": guest.token}, {"name": USER_KEY, "value": json.dumps(user)}]
        return {"cookies": [], "origins": [{"origin": self.base, "localStorage": stored}]}


class Numbers:
    """Counts pages, so that each has a recorder of its own."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Return the next number, from 1."""
        self._last += 1
        return self._last


def blank_secrets(trace: Path, secrets: list[str]) -> None:
    """Write a trace again with every secret replaced, in each of its files."""
    blanked = trace.with_suffix(".blanked")
    with zipfile.ZipFile(trace) as whole, zipfile.ZipFile(blanked, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in whole.namelist():
            content = whole.read(name)
            for form in (form for secret in secrets for form in (secret, json.dumps(secret)[1:-1])):
                content = content.replace(form.encode(), b"***")
            kept.writestr(name, content)
    blanked.replace(trace)
