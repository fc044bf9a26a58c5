"""Puts one process together: store, environment, driver, sockets, HTTP; and ends it as the contract says.

uvicorn listens and parses; signals, the order of ending and the exit code are ours (contract §5 shutdown).
"""

import asyncio
import contextlib
import math
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import uvicorn

from reference_server.blobs import Blobs, FolderBlobs, MemoryBlobs, S3Blobs
from reference_server.bus import Tap
from reference_server.contract import limits
from reference_server.core.admission import Origins, is_loopback
from reference_server.driver import Driver
from reference_server.environment import Environment, Sockets
from reference_server.environment_asyncio import AsyncioEnvironment, new_secret
from reference_server.http import Application
from reference_server.http_protocol import HttpProtocol
from reference_server.operations import Options
from reference_server.page_files import PageFiles
from reference_server.secrets_file import admin_password, jwt_secret
from reference_server.settings import Settings, SettingsError
from reference_server.settings_table import S3
from reference_server.store import MemoryStore, SqliteStore
from reference_server.store.base import Store
from reference_server.tap import FileTap
from reference_server.version import VERSION
from reference_server.websocket import OpenSockets, WebSocketProtocol

PAGES: Final = Path(__file__).parent / "pages"
GRACE_S: Final = limits.SHUTDOWN_CLOSE_S_MAX - 0.5
"""What requests get at the end; uvicorn's own ticks take the rest of the time."""

MakeDriver = Callable[[Environment, Store, Blobs, Sockets, Options, Tap | None], Driver]
"""Makes the driver; a server that is broken on purpose gives its own."""


def make_driver(
    environment: Environment, store: Store, blobs: Blobs, sockets: Sockets, options: Options, tap: Tap | None
) -> Driver:
    """Make the driver as it should be."""
    return Driver(environment, store, sockets, options, tap=tap, blobs=blobs)


class Server(uvicorn.Server):
    """uvicorn with our ending: sockets are warned and closed first, a second signal ends at once."""

    def __init__(
        self, config: uvicorn.Config, driver: Driver, announce: Callable[[], None], tls: Mapping[str, Any]
    ) -> None:
        super().__init__(config)
        self._driver = driver
        self._announce = announce
        self._tls = tls

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept, and say so; uvicorn's own takes no time limits for TLS."""
        loop = asyncio.get_running_loop()
        self.servers = [await loop.create_server(self._protocol, sock=one, **self._tls) for one in sockets or ()]
        self.started = True
        self._announce()

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(config=self.config, server_state=self.server_state, app_state={})
        return protocol

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again at its end and spoil the exit code."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: accept nothing, warn and close every socket, then let requests finish."""
        # uvicorn itself waits until the last connection is gone.
        self._driver.shutdown(_nothing)
        await super().shutdown(sockets)

    def ask_to_end(self) -> None:
        """End in order; asked a second time, at once."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def _nothing() -> None:
    pass


def listen(settings: Settings) -> socket.socket:
    """Return a socket bound to host and port; raises SettingsError when it can't be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as fault:
        raise SettingsError(
            f"can't listen on {settings.host}: {fault.strerror or fault}; choose another --host"
        ) from fault
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit it: together with the transport's marks it bounds what a slow peer can hold back.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.SEND_BUFFER_BYTES)
    try:
        listener.bind(address)
        listener.listen(2048)
    except OSError as fault:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise SettingsError(f"can't listen on {where}: {fault.strerror or fault}; choose another --port") from fault
    return listener


def open_store(settings: Settings) -> Store:
    """Open the store that the settings name; raises StoreError when it can't be used."""
    if settings.in_memory:
        return MemoryStore()
    return SqliteStore(Path(settings.db), synchronous="FULL" if settings.sync == "full" else "NORMAL")


def open_blobs(settings: Settings, endpoint: str | None = None) -> Blobs:
    """Open the blob store that the settings name, by default a folder beside the database; raises BlobError.

    `endpoint` is the URL of another S3 peer than Amazon's.
    """
    if settings.in_memory:
        return MemoryBlobs()
    where = settings.blobs or f"{settings.db}.blobs"
    if not where.startswith(S3):
        return FolderBlobs(Path(where))
    bucket, _, prefix = where.removeprefix(S3).strip("/").partition("/")
    return S3Blobs(bucket, prefix, endpoint)


def open_tap(settings: Settings) -> FileTap | None:
    """Open the tap that the settings name, if any; raises SettingsError when it can't be written."""
    if settings.tap is None:
        return None
    try:
        return FileTap(settings.tap, time.monotonic_ns)
    except OSError as fault:
        raise SettingsError(f"can't write the tap {settings.tap}: {fault.strerror}; choose another --tap") from fault


class Signals:
    """SIGINT and SIGTERM from the first moment on: one that comes while the server starts ends it once it has."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._server: Server | None = None
        self._came = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._take)

    def end(self, server: Server) -> None:
        """Let signals end this server from now on."""
        self._server = server
        for _ in range(self._came):
            server.ask_to_end()

    def _take(self) -> None:
        self._came += 1
        if self._server is not None:
            self._server.ask_to_end()


class App:
    """One process of the server, from its settings to its exit."""

    def __init__(
        self, settings: Settings, tls: Mapping[str, Any], make: MakeDriver = make_driver, pages: Path = PAGES
    ) -> None:
        """Take the settings, and what `loop.create_server` is told of TLS."""
        self._settings = settings
        self._tls = tls
        self._make = make
        self._pages = pages

    async def serve(
        self, listener: socket.socket, store: Store, blobs: Blobs, tap: FileTap | None, announce: Callable[[], None]
    ) -> None:
        """Serve until a signal comes; `announce` once requests are accepted.

        Raises SettingsError, StoreError, BlobError.
        """
        settings = self._settings
        signals = Signals(asyncio.get_running_loop())
        environment = AsyncioEnvironment(asyncio.get_running_loop(), jwt_secret(settings, new_secret), settings.seed)
        try:
            sockets = OpenSockets()
            driver = self._make(environment, store, blobs, sockets, _options(settings), tap)
            await _started(driver)
            server = Server(self._config(driver, sockets), driver, announce, self._tls)
            signals.end(server)
            await server.serve([listener])
        finally:
            environment.close()

    def _config(self, driver: Driver, sockets: OpenSockets) -> uvicorn.Config:
        settings = self._settings
        shared = {
            "driver": driver,
            "sockets": sockets,
            "origins": _origins(settings),
            "handshake_timeout_s": settings.handshake_timeout,
        }
        spoken = {"head_timeout_s": settings.handshake_timeout, "origins": _origins(settings)}
        return uvicorn.Config(
            Application(driver, _origins(settings), PageFiles(self._pages), settings.proxies),
            http=type("BoundHttpProtocol", (HttpProtocol,), spoken),
            ws=type("BoundWebSocketProtocol", (WebSocketProtocol,), shared),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # uvicorn would believe X-Forwarded-For of any loopback peer; we believe the configured proxies alone.
            proxy_headers=False,
            timeout_keep_alive=math.ceil(settings.keep_alive),
            timeout_graceful_shutdown=GRACE_S,  # type: ignore[arg-type]
        )


async def _started(driver: Driver) -> None:
    ready = asyncio.Event()
    driver.start(ready.set)
    await ready.wait()


def _origins(settings: Settings) -> Origins:
    return Origins(settings.origins, is_loopback(settings.host), settings.session_cookie == "on")


def _options(settings: Settings) -> Options:
    return Options(
        task_ms=settings.task_ms,
        workers=settings.workers,
        queue_max=settings.queue_max,
        token_ttl_s=settings.token_ttl,
        retry_delays_s=settings.retry_delays,
        limits=settings.limits == "on",
        version=VERSION,
        admin_email=settings.admin_email,
        admin_password=admin_password(settings, new_secret),
        origins=_origins(settings),
        proxies=settings.proxies,
    )
