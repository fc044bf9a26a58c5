"""One process put together as it serves, here in the tests' own: what parts that are good by themselves do together."""

import asyncio
import gc
import re
import signal
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial

import httpx
import pytest
import uvloop
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from reference_server import app
from reference_server.app import FULL_COLLECTIONS_EVERY, Process, Resources
from reference_server.blobs import Blobs, MemoryBlobs
from reference_server.bus import Bus, Hearers, LoopbackBus, Tap
from reference_server.core.calls import Head
from reference_server.driver import Driver
from reference_server.environment import Environment, Sockets
from reference_server.http.protocol import HttpProtocol
from reference_server.observing.observer import Observed
from reference_server.operations import Options
from reference_server.serving import ENDING, KEPT_HANDLES, Signals, listen, make_handles
from reference_server.settings.values import MEMORY, Settings
from reference_server.spare_memory import SpareMemory
from reference_server.store import MemoryStore, Store
from reference_server.tests.process import DEADLINE_S, PERSON, upgrade_request
from reference_server.websocket.frames import FrameReader
from reference_server.websocket.protocol import WebSocketProtocol

API = "/api/v1"
PING = b"\x81\x8f" + bytes(4) + b'{"type":"ping"}'
SETTINGS = Settings(port=0, db=MEMORY, task_ms=(1, 1), limits="off", password_cost=(8, 1, 1), send_buffer=8192)
Client = Callable[[httpx.AsyncClient], Awaitable[None]]


@pytest.fixture
def signals() -> Iterator[Signals]:
    """The signals of a process that is ours to end, and the tests' own again after it."""
    before = {number: signal.getsignal(number) for number in ENDING}
    thresholds = gc.get_threshold()
    yield Signals()
    gc.set_threshold(*thresholds)
    for number, handler in before.items():
        signal.signal(number, handler)
    gc.unfreeze()


def served(signals: Signals, ask: Client) -> int:
    """Serve until `ask` is done; return how many envelopes were made: the bus reads the clock for nothing else."""
    made = 0

    def make(
        environment: Environment, store: Store, blobs: Blobs, sockets: Sockets, options: Options, tap: Tap | None
    ) -> Driver:
        def watched_bus(wall_ns: Callable[[], int], hub: Hearers, tap: Tap | None) -> Bus:
            def watched_ns() -> int:
                nonlocal made
                made += 1
                return wall_ns()

            return LoopbackBus(watched_ns, hub, tap)

        return Driver(environment, store, sockets, options, make_bus=watched_bus, tap=tap, blobs=blobs)

    async def serve(process: Process, url: str) -> None:
        asking: list[asyncio.Task[None]] = []

        async def client() -> None:
            try:
                async with asyncio.timeout(DEADLINE_S), httpx.AsyncClient(base_url=url) as http:
                    await ask(http)
            finally:
                signal.raise_signal(signal.SIGTERM)

        await process.serve(lambda: asking.append(asyncio.ensure_future(client())))
        await asking[0]

    with closing(listen(SETTINGS)) as listener:
        host, port = listener.getsockname()
        asyncio.run(serve(Process(SETTINGS, resources(signals, listener), make), f"http://{host}:{port}"))
    return made


def resources(signals: Signals, listener: socket.socket) -> Resources:
    return Resources(signals, listener, {}, None, MemoryStore(), MemoryBlobs(), None, logs=False)


async def run_a_task(http: httpx.AsyncClient) -> None:
    registered = await http.post(f"{API}/users/register", json={"email": "ann@example.org", **PERSON})
    bearer = {"Authorization": f"Bearer {registered.json()['token']}"}
    submitted = await http.post(f"{API}/tasks/submit", json={"query": "q", "budget": 1}, headers=bearer)
    path = f"{API}/tasks/{submitted.json()['task_id']}"
    while (await http.get(path, headers=bearer)).json()["status"] != "completed":
        pass


def test_a_task_that_nobody_watches_is_counted_without_an_envelope_being_made(signals: Signals) -> None:
    counted: list[tuple[str, str]] = []

    async def ask(http: httpx.AsyncClient) -> None:
        await run_a_task(http)
        counted.extend(re.findall(r'transitions_total{to="(\w+)"} (\S+)', (await http.get("/metrics")).text))

    assert served(signals, ask) == 0
    assert sorted(counted) == [("completed", "1.0"), ("queued", "1.0"), ("running", "1.0")]


@pytest.mark.parametrize("outcome", ["it may serve", "it failed"])
def test_a_start_that_a_signal_cut_short_may_end_later(signals: Signals, outcome: str) -> None:
    class EndlessStart(Driver):
        def start(self, done: Callable[[], None], failed: Callable[[Exception], None] | None = None) -> None:
            assert failed is not None
            later.append(done if outcome == "it may serve" else partial(failed, OSError("the disk is full")))
            signal.raise_signal(signal.SIGTERM)

    later: list[Callable[[], None]] = []

    def make(
        environment: Environment, store: Store, _: Blobs, sockets: Sockets, options: Options, __: Tap | None
    ) -> Driver:
        return EndlessStart(environment, store, sockets, options)

    async def serve(process: Process) -> bool:
        cut_short = await process.serve(lambda: pytest.fail("it served"))
        (end,) = later
        end()
        return cut_short

    with closing(listen(SETTINGS)) as listener:
        assert not asyncio.run(serve(Process(SETTINGS, resources(signals, listener), make)))


def test_a_connection_that_is_gone_leaves_nothing_for_the_collector(signals: Signals) -> None:
    left = ["not looked"]

    def kept() -> list[str]:
        kinds = (HttpProtocol, WebSocketProtocol, FrameReader)
        return [type(one).__name__ for one in gc.get_objects() if isinstance(one, kinds)]

    async def visit(host: str, port: int, request: bytes, answer: bytes) -> None:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request)
        await reader.readuntil(answer)
        writer.close()
        await writer.wait_closed()

    async def ask(http: httpx.AsyncClient) -> None:
        registered = await http.post(f"{API}/users/register", json={"email": "ann@example.org", **PERSON})
        await http.aclose()
        host, port = http.base_url.host, http.base_url.port or 0
        gc.collect()
        gc.disable()
        await visit(host, port, upgrade_request(registered.json()["token"]), b"connected")
        await visit(host, port, b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n", b"}")
        await visit(host, port, b"NONSENSE\r\n\r\n", b"}")
        async with asyncio.timeout(DEADLINE_S):
            while kept():  # noqa: ASYNC110 - nothing tells when memory is free
                await asyncio.sleep(0)
        left.clear()

    try:
        served(signals, ask)
    finally:
        gc.enable()
    assert left == []


def test_what_serves_is_frozen_and_seldom_walked_and_a_socket_knows_its_send_buffer(signals: Signals) -> None:
    seen: list[int] = []

    async def ask(http: httpx.AsyncClient) -> None:
        registered = await http.post(f"{API}/users/register", json={"email": "ann@example.org", **PERSON})
        reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
        writer.write(upgrade_request(registered.json()["token"]))
        await reader.readuntil(b"connected")
        seen.extend(one.send_buffer_bytes for one in gc.get_objects() if isinstance(one, WebSocketProtocol))
        writer.close()
        seen.append(gc.get_threshold()[2])
        seen.append(int(gc.get_freeze_count() > 0))

    served(signals, ask)
    assert seen == [SETTINGS.send_buffer, FULL_COLLECTIONS_EVERY, 1]


def test_a_connection_at_rest_keeps_nothing_of_what_it_did(signals: Signals) -> None:
    kept: list[str] = []
    of_http: list[HttpProtocol] = []

    async def ask(http: httpx.AsyncClient) -> None:
        registered = await http.post(f"{API}/users/register", json={"email": "ann@example.org", **PERSON})
        token = registered.json()["token"]
        reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
        writer.write(upgrade_request(token))
        await reader.readuntil(b"connected")
        writer.write(PING)
        await reader.readuntil(b"pong")
        await http.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
        await http.get("/api/v1/users/nobody", headers={"Authorization": f"Bearer {token}"})
        # What was there before it served is frozen, and not among these.
        kinds = (FrameReader, RequestResponseCycle, Head, Observed)
        kept.extend(type(one).__name__ for one in gc.get_objects() if isinstance(one, kinds))
        of_http.extend(one for one in gc.get_objects() if isinstance(one, HttpProtocol))
        (one,) = of_http
        assert (one.url, *(getattr(one, name) for name in ("headers", "scope", "cycle"))) == (b"", None, None, None)
        of_http.clear()
        writer.close()

    served(signals, ask)
    assert kept == []


def test_a_request_that_was_answered_before_it_was_whole_is_forgotten_too(signals: Signals) -> None:
    kept: list[object] = []

    async def ask(http: httpx.AsyncClient) -> None:
        reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
        writer.write(b"POST /api/v1/tasks/submit HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n{")
        assert b"401" in await reader.readuntil(b"}")
        writer.write(b"   ")
        async with asyncio.timeout(DEADLINE_S):
            while any(  # noqa: ASYNC110 - nothing tells when the server has read the rest
                one.cycle is not None for one in gc.get_objects() if isinstance(one, HttpProtocol)
            ):
                await asyncio.sleep(0.01)
        kept.extend(one.headers for one in gc.get_objects() if isinstance(one, HttpProtocol))
        writer.close()

    served(signals, ask)
    assert kept == [None]


def test_who_leaves_is_told_to_what_gives_memory_back_and_all_tables_are_known_to_it(
    signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    shrunk: list[object] = []

    class Recording(SpareMemory):
        def connection_left(self, still_open: int) -> None:
            told.append(still_open)

        def add(self, shrink: Callable[[], None]) -> None:
            shrink()
            shrunk.append(getattr(shrink, "__self__", shrink))

    monkeypatch.setattr(app, "SpareMemory", Recording)

    async def ask(http: httpx.AsyncClient) -> None:
        registered = await http.post(f"{API}/users/register", json={"email": "ann@example.org", **PERSON})
        host, port = http.base_url.host, http.base_url.port
        for request, answer in (
            (upgrade_request(registered.json()["token"]), b"connected"),
            (b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n", b"}"),
        ):
            before = len(told)
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            await reader.readuntil(answer)
            writer.close()
            async with asyncio.timeout(DEADLINE_S):
                while len(told) == before:  # noqa: ASYNC110 - nothing tells when the server has noticed
                    await asyncio.sleep(0)
        # The client's own connection is still there.
        assert told == [1, 1]

    served(signals, ask)
    assert [type(one).__name__ for one in shrunk] == ["Timeouts", "OpenSockets", "HubDriver", "partial"]


def test_the_loop_has_the_handles_that_it_keeps_before_it_serves() -> None:
    made: list[asyncio.Handle] = []

    class Loop:
        def call_soon(self, *said: Callable[[], None]) -> asyncio.Handle:
            return self.note(asyncio.get_running_loop().call_soon(*said))

        def call_later(self, delay_s: float, *said: Callable[[], None]) -> asyncio.Handle:
            return self.note(asyncio.get_running_loop().call_later(delay_s, *said))

        def note(self, handle: asyncio.Handle) -> asyncio.Handle:
            made.append(handle)
            return handle

    async def run() -> None:
        await make_handles(Loop())  # type: ignore[arg-type]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
    assert Counter(type(handle).__name__ for handle in made) == {"Handle": KEPT_HANDLES, "TimerHandle": KEPT_HANDLES}
    assert all(handle.cancelled() for handle in made)


def test_a_listener_bounds_the_send_buffers_of_its_connections() -> None:
    with listen(Settings(port=0, send_buffer=8192)) as listener:
        # Linux doubles what it is told, for its own bookkeeping (socket(7)).
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (8192, 2 * 8192)
