"""One process from its settings to its exit code; takes what it needs in an order in which refusals leave no trace."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any, Final

from reference_server.app import MakeDriver, Process, Resources, open_tap, serve_pages
from reference_server.durable_state import open_durable_state
from reference_server.observing.log_lines import fields
from reference_server.observing.log_writer import log_of
from reference_server.serving import Signals, listen
from reference_server.settings.secrets_file import AccountsFile
from reference_server.settings.tls import tls_options
from reference_server.settings.values import Settings
from reference_server.store.lock import DatabaseLock
from reference_server.version import VERSION

logger = logging.getLogger(__name__)
ENDED: Final = 0
FORCED: Final = 1


def serve(settings: Settings, make: MakeDriver, pages: Path) -> int:
    """Serve until told to end and return the exit code: 1 when told so twice.

    Raises SettingsError, StoreError, BlobError. What may be refused without a trace comes first: certificate, address,
    files, lock; then the store.
    """
    tls = tls_options(settings)
    signals = Signals()
    with ExitStack() as held:
        requests = held.enter_context(log_of(settings))
        logger.info("starting", extra=fields(version=VERSION, pid=os.getpid()))
        listener = held.enter_context(closing(listen(settings)))
        announce = partial(_announce, listener, settings)
        if settings.pages_only:
            return _ended(held, signals, serve_pages(settings, signals, listener, tls, pages, requests, announce))
        tap = open_tap(settings)
        if tap is not None:
            held.enter_context(tap)
        if not settings.in_memory:
            held.callback(DatabaseLock(Path(settings.db)).release)
        accounts = held.enter_context(AccountsFile(settings.accounts_path)) if settings.accounts else None
        store, blobs = open_durable_state(settings, os.environ.get("AWS_ENDPOINT_URL"))
        held.enter_context(closing(store))
        resources = Resources(signals, listener, tls, tap, store, blobs, accounts, requests)
        return _ended(held, signals, Process(settings, resources, make, pages).serve(announce))


def _ended(held: ExitStack, signals: Signals, serving: Coroutine[Any, Any, bool]) -> int:
    """Run until the end and return the exit code; the loop is closed before what it used."""
    held.callback(signals.close)
    runner = held.enter_context(asyncio.Runner(loop_factory=_loop_factory()))
    code = FORCED if runner.run(serving) else ENDED
    logger.info("ended", extra=fields(exit_code=code))
    return code


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


def _announce(listener: socket.socket, settings: Settings) -> None:
    if settings.in_memory and settings.admin_password is None and not settings.pages_only:
        logger.warning("no admin account in memory; to have one, set ZEROSTATE_ADMIN_PASSWORD")
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    scheme = "http" if settings.tls_cert is None else "https"
    url = f"{scheme}://{shown}:{port}"
    logger.info("ready", extra=fields(url=url))
    print(f"ready {url}", flush=True)
