"""`python -m reference_server`: one server process.

Prints `ready http://…` when it accepts. What it can't start with is one line on stderr and exit code 3, with nothing
left behind; SIGTERM or SIGINT end it in order with 0, a second signal at once.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from reference_server.app import PAGES, App, MakeDriver, listen, make_driver, open_blobs, open_store, open_tap
from reference_server.blobs import BlobError
from reference_server.settings import Settings, SettingsError, read_settings
from reference_server.store.base import StoreError
from reference_server.store.lock import DatabaseLock
from reference_server.tls import tls_options

UNUSABLE: Final = 3


def main(arguments: Sequence[str] | None = None, make: MakeDriver = make_driver, pages: Path = PAGES) -> int:
    """Serve until told to end; return the exit code. A mutant gives its own `make` and `pages`."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings(sys.argv[1:] if arguments is None else arguments, os.environ)
        _serve(settings, make, pages)
    except (SettingsError, StoreError, BlobError) as fault:
        print(f"reference_server: {fault}", file=sys.stderr)
        return UNUSABLE
    return 0


def _serve(settings: Settings, make: MakeDriver, pages: Path) -> None:
    """Take what may be refused without a trace first: certificate, address, tap, lock; then the store, and serve."""
    tls = tls_options(settings)
    with ExitStack() as held:
        listener = held.enter_context(closing(listen(settings)))
        tap = open_tap(settings)
        if tap is not None:
            held.enter_context(tap)
        if not settings.in_memory:
            held.callback(DatabaseLock(Path(settings.db)).release)
        store = held.enter_context(closing(open_store(settings)))
        blobs = open_blobs(settings, os.environ.get("AWS_ENDPOINT_URL"))
        runner = held.enter_context(asyncio.Runner(loop_factory=_loop_factory()))
        app = App(settings, tls, make, pages)
        runner.run(app.serve(listener, store, blobs, tap, lambda: _announce(listener, settings)))


def _tell_of_no_admin(settings: Settings) -> None:
    if settings.in_memory and settings.admin_password is None:
        print(
            "reference_server: no admin account in memory; to have one, set ZEROSTATE_ADMIN_PASSWORD", file=sys.stderr
        )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _announce(listener: socket.socket, settings: Settings) -> None:
    _tell_of_no_admin(settings)
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    scheme = "http" if settings.tls_cert is None else "https"
    print(f"ready {scheme}://{shown}:{port}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
