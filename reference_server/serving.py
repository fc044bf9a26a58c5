"""uvicorn as this server runs it: it parses and keeps connections; start, signals and the order of ending are ours.

Contract §5 shutdown: sockets are warned and closed first, then requests finish, all within 5 s.
"""

import asyncio
import contextlib
import logging
import math
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import uvicorn
from uvicorn._types import ASGI3Application

from reference_server.contract import limits
from reference_server.settings.values import Settings, SettingsError

logger = logging.getLogger(__name__)
KEPT_HANDLES: Final = 250
"""How many of each kind uvloop keeps for reuse."""
GRACE_S: Final = limits.SHUTDOWN_CLOSE_S_MAX - 0.8
"""What requests get at the end; what they then do to be gone, and uvicorn's own ticks, take the rest of the time."""
LEAVE_S: Final = 0.3
"""What is left to take the answer that says so."""
BACKLOG: Final = 2048
ENDING: Final = (signal.SIGINT, signal.SIGTERM)


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
    # Accepted sockets inherit it: it bounds what a slow peer can hold back before its outbox fills.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, settings.send_buffer)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as fault:
        listener.close()
        where = f"{settings.host}:{settings.port}"
        raise SettingsError(f"can't listen on {where}: {fault.strerror or fault}; choose another --port") from fault
    return listener


async def make_handles(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop make the handles that it keeps for reuse now, close together, and not amid the first wave of peers.

    There they would lie apart, and each would keep a page from being given back (spare_memory).
    """
    handles = [loop.call_soon(_nothing) for _ in range(KEPT_HANDLES)]
    # With a delay: without one uvloop makes handles of the other kind.
    handles += [loop.call_later(1, _nothing) for _ in range(KEPT_HANDLES)]
    for handle in handles:
        handle.cancel()
    handles.clear()
    # A timer is let go of a turn after it was called off.
    for _ in range(2):
        await asyncio.sleep(0)


def configured(
    settings: Settings,
    application: ASGI3Application,
    http: type[asyncio.Protocol],
    ws: type[asyncio.Protocol] | None = None,
) -> uvicorn.Config:
    """Return uvicorn's configuration for an application and the classes that speak HTTP and WebSocket."""
    return uvicorn.Config(
        application,
        http=http,
        ws=ws or "none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # uvicorn would believe X-Forwarded-For of any loopback peer; we believe the configured proxies alone.
        proxy_headers=False,
        timeout_keep_alive=math.ceil(settings.keep_alive),
        # Never comes, as `shutdown` cuts off what lasts: uvicorn would tell of it as an error.
        timeout_graceful_shutdown=math.ceil(limits.SHUTDOWN_CLOSE_S_MAX),
    )


def _nothing() -> None:
    pass


class Server(uvicorn.Server):
    """uvicorn with our ending: sockets are warned and closed first, a second signal ends at once.

    `announce` is called once requests are accepted, `end` when they no longer are; `tls` is for `loop.create_server`.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        announce: Callable[[], None],
        end: Callable[[], None] = _nothing,
        tls: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._end = end
        self._tls = tls or {}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept, and say so; uvicorn's own takes no time limits for TLS."""
        create = partial(asyncio.get_running_loop().create_server, self._protocol, backlog=BACKLOG, **self._tls)
        self.servers = [await create(sock=one) for one in sockets or ()]
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
        logger.info("ending")
        for server in self.servers:
            server.close()
        for one in sockets or ():
            one.close()
        self._end()
        loop = asyncio.get_running_loop()
        cuts = (loop.call_later(GRACE_S, self._call_off), loop.call_later(GRACE_S + LEAVE_S, self._cut_off))
        try:
            # Closes idle connections and waits until the last one is gone.
            await super().shutdown()
        finally:
            for cut in cuts:
                cut.cancel()

    def _call_off(self) -> None:
        """Let requests that still run answer that there is no time left; whose peer takes no answer can't."""
        for connection in list(self.server_state.connections):
            if connection.transport.get_write_buffer_size():
                connection.transport.abort()
        tasks = list(self.server_state.tasks)
        if tasks:
            logger.info("requests are cut short by the end: %d", len(tasks))
        for task in tasks:
            task.cancel()

    def _cut_off(self) -> None:
        """End every connection, whatever waits to be written."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def ask_to_end(self) -> None:
        """End in order; asked a second time, at once: connections are cut off, requests get no answer."""
        if self.should_exit:
            logger.warning("the ending is cut short by a second signal")
            self.force_exit = True
            self._cut_off()
        self.should_exit = True


class Signals:
    """SIGINT and SIGTERM from its making to its closing: one ends the start or the serving, a second one the ending.

    Until the loop runs they only are remembered, so that nothing is left half-taken.
    """

    def __init__(self) -> None:
        self._server: Server | None = None
        self._came = asyncio.Event()
        for number in ENDING:
            signal.signal(number, lambda *_: self._take())

    def close(self) -> None:
        """Take no more of them: the loop is closed, and what is left to close is done in no time."""
        for number in ENDING:
            signal.signal(number, signal.SIG_IGN)

    async def interrupt(self, start: Awaitable[None]) -> bool:
        """Wait for the start and raise what it raises; return whether a signal came first."""
        self._attach()
        starting, came = asyncio.ensure_future(start), asyncio.ensure_future(self._came.wait())
        try:
            await asyncio.wait((starting, came), return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
            return came.done()
        finally:
            starting.cancel()
            came.cancel()

    async def serve(self, server: Server, listener: socket.socket) -> bool:
        """Serve until a signal comes; return whether a second one cut the ending short."""
        self._attach()
        if self._came.is_set():
            return False
        self._server = server
        await server.serve([listener])
        return server.force_exit

    def _attach(self) -> None:
        loop = asyncio.get_running_loop()
        for number in ENDING:
            loop.add_signal_handler(number, self._take)

    def _take(self) -> None:
        self._came.set()
        if self._server is not None:
            self._server.ask_to_end()
