"""Puts one process together: store, environment, driver, sockets, HTTP; or, for pages alone, next to nothing."""

import asyncio
import gc
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvicorn

from reference_server.blobs import Blobs
from reference_server.bus import Tap
from reference_server.core.admission import Origins, is_loopback
from reference_server.core.passwords import PasswordCost
from reference_server.core.tables import refit
from reference_server.driver import Driver
from reference_server.environment import Environment, Sockets
from reference_server.environment_asyncio import AsyncioEnvironment, new_secret
from reference_server.http.application import Application
from reference_server.http.direct import DirectAnswers
from reference_server.http.page_files import PageFiles
from reference_server.http.pages_only import PagesOnly
from reference_server.http.protocol import HttpProtocol
from reference_server.http.timeouts import Timeouts
from reference_server.observing.log_lines import RequestLines
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer
from reference_server.operations import Options
from reference_server.rate_limits import Rates
from reference_server.serving import Server, Signals, configured, make_handles
from reference_server.settings.secrets_file import AccountsFile, admin_password, jwt_secret
from reference_server.settings.values import Settings, SettingsError
from reference_server.spare_memory import SpareMemory
from reference_server.store.base import Store
from reference_server.tap import FileTap
from reference_server.version import VERSION
from reference_server.websocket.logged import LoggedSockets
from reference_server.websocket.open_sockets import OpenSockets
from reference_server.websocket.protocol import WebSocketProtocol

FULL_COLLECTIONS_EVERY: Final = 1_000
"""After so many of the middle generation all of memory is walked; Python's own is 10."""
PAGES: Final = Path(__file__).parent / "pages"

MakeDriver = Callable[[Environment, Store, Blobs, Sockets, Options, Tap | None], Driver]
"""Makes the driver; a server that is broken on purpose gives its own."""


def make_driver(
    environment: Environment, store: Store, blobs: Blobs, sockets: Sockets, options: Options, tap: Tap | None
) -> Driver:
    """Make the driver as it should be."""
    return Driver(environment, store, sockets, options, tap=tap, blobs=blobs)


def open_tap(settings: Settings) -> FileTap | None:
    """Open the tap that the settings name, if any; raises SettingsError when it can't be written."""
    if settings.tap is None:
        return None
    try:
        return FileTap(settings.tap, time.monotonic_ns)
    except OSError as fault:
        raise SettingsError(f"can't write the tap {settings.tap}: {fault.strerror}; choose another --tap") from fault


@dataclass(frozen=True, slots=True)
class Resources:
    """What one process holds open while it serves.

    `tls` is what `loop.create_server` is told of TLS, `logs` whether requests and ends of sockets stand in the log.
    """

    signals: Signals
    listener: socket.socket
    tls: Mapping[str, Any]
    tap: FileTap | None
    store: Store
    blobs: Blobs
    accounts: AccountsFile | None
    logs: bool


class Process:
    """One process of the server, from its settings to its exit."""

    def __init__(
        self, settings: Settings, resources: Resources, make: MakeDriver = make_driver, pages: Path = PAGES
    ) -> None:
        self._settings = settings
        self._resources = resources
        self._make = make
        self._pages = pages

    async def serve(self, announce: Callable[[], None]) -> bool:
        """Serve until a signal comes; `announce` once requests are accepted.

        Return whether a second signal cut the ending short; raises SettingsError, StoreError, BlobError.
        """
        settings, held = self._settings, self._resources
        loop, cost = asyncio.get_running_loop(), PasswordCost(*settings.password_cost)
        environment = AsyncioEnvironment(loop, jwt_secret(settings, new_secret), settings.seed, cost)
        try:
            sockets = LoggedSockets() if held.logs else OpenSockets()
            metrics = Metrics(tells_process=True)
            options = _options(settings, metrics, held.accounts)
            driver = self._make(environment, held.store, held.blobs, sockets, options, held.tap)
            if await held.signals.interrupt(_started(driver)):
                return False
            end = partial(driver.shutdown, _nobody_waits)
            observer = _observer(environment, metrics, held.logs)
            memory = SpareMemory(loop.call_later)
            config = self._config(driver, sockets, observer, memory)
            server = Server(config, announce, end, held.tls)
            for shrink in (sockets.shrink, driver.hub.shrink, partial(refit, server.server_state.connections)):
                memory.add(shrink)
            await make_handles(loop)
            # What was made until now stays, and what ten thousand connections are made of stays long: a collector that
            # walks it again stops the loop for tens of milliseconds. Little waits for it: plain TCP leaves no circles.
            gc.freeze()
            gc.set_threshold(*gc.get_threshold()[:2], FULL_COLLECTIONS_EVERY)
            return await held.signals.serve(server, held.listener)
        finally:
            environment.close()

    def _config(self, driver: Driver, sockets: OpenSockets, observer: Observer, memory: SpareMemory) -> uvicorn.Config:
        settings = self._settings
        shared = {
            "driver": driver,
            "sockets": sockets,
            "observer": observer,
            "memory": memory,
            "origins": _origins(settings),
            "handshake_timeout_s": settings.handshake_timeout,
            "send_buffer_bytes": settings.send_buffer,
        }
        ws = type("BoundWebSocketProtocol", (WebSocketProtocol,), {"__slots__": ()} | shared)
        files = PageFiles(self._pages)
        application = Application(driver, _origins(settings), files, observer)
        http = _http(settings, observer, direct=DirectAnswers(driver, _origins(settings), observer), memory=memory)
        if http.head_timeouts is not None:
            memory.add(http.head_timeouts.shrink)
        return configured(settings, application, http, ws)


async def serve_pages(
    settings: Settings,
    signals: Signals,
    listener: socket.socket,
    tls: Mapping[str, Any],
    pages: Path,
    logs: bool,
    announce: Callable[[], None],
) -> bool:
    """Serve pages and nothing else, for an API elsewhere; as `Process.serve`."""
    environment = AsyncioEnvironment(asyncio.get_running_loop(), new_secret())
    try:
        files = PageFiles(pages, settings.api)
        observer = _observer(environment, Metrics(), logs)
        api = PagesOnly(environment, VERSION)
        application = Application(api, _origins(settings), files, observer)
        config = configured(settings, application, _http(settings, observer, socket_path=None))
        server = Server(config, announce, tls=tls)
        return await signals.serve(server, listener)
    finally:
        environment.close()


def _observer(environment: Environment, metrics: Metrics, logs: bool) -> Observer:
    return Observer(metrics, environment.monotonic_ns, RequestLines(environment.new_secret) if logs else None)


def _http(settings: Settings, observer: Observer, **bound: Any) -> type[HttpProtocol]:
    """Return the class of HTTP connections, with what they all share."""
    limit_s = settings.handshake_timeout
    heads = Timeouts(asyncio.get_running_loop(), limit_s)
    shared = {"observer": observer, "head_timeout_s": limit_s, "head_timeouts": heads, "origins": _origins(settings)}
    return type("BoundHttpProtocol", (HttpProtocol,), shared | bound)


def _nobody_waits() -> None:
    """Let uvicorn do the waiting: it has the list of connections."""


async def _started(driver: Driver) -> None:
    """Wait until the driver may serve; raises what its start failed with."""
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # A signal may have cut the waiting short, and the start goes on to its end all the same.
    def done() -> None:
        if not ready.done():
            ready.set_result(None)

    def failed(fault: Exception) -> None:
        if not ready.done():
            ready.set_exception(fault)

    driver.start(done, failed)
    try:
        await ready
    except OSError as fault:
        raise SettingsError(f"can't write the accounts: {fault.strerror}; choose another --accounts-file") from fault


def _origins(settings: Settings) -> Origins:
    return Origins(settings.origins, is_loopback(settings.host), settings.session_cookie == "on", settings.proxies)


def _rates(settings: Settings) -> Rates:
    return Rates(settings.address_rate, settings.account_rate, *settings.handshake_rate)


def _options(settings: Settings, metrics: Metrics, accounts: AccountsFile | None) -> Options:
    return Options(
        task_ms=settings.task_ms,
        workers=settings.workers,
        queue_max=settings.queue_max,
        token_ttl_s=settings.token_ttl,
        retry_delays_s=settings.retry_delays,
        rates=_rates(settings) if settings.limits == "on" else None,
        password_cost=PasswordCost(*settings.password_cost),
        version=VERSION,
        admin_email=settings.admin_email,
        admin_password=admin_password(settings, new_secret),
        origins=_origins(settings),
        proxies=settings.proxies,
        metrics=metrics,
        accounts=settings.accounts,
        accounts_hearer=accounts,
    )
