"""Memory while files pass through: 20 MiB over a real socket wait on the socket, not in the process (law 11)."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import uvicorn
from msgspec.structs import replace
from uvicorn.server import ServerState

from reference_server.blobs import MemoryBlobs, StagedBlob
from reference_server.contract import limits
from reference_server.contract.operations.model import WASM, FileField
from reference_server.core.admission import Origins
from reference_server.core.answers import Answer
from reference_server.core.calls import Admitted, Head
from reference_server.driver import Driver
from reference_server.environment_asyncio import AsyncioEnvironment
from reference_server.http.application import Application
from reference_server.http.page_files import PageFiles
from reference_server.http.protocol import HttpProtocol
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer
from reference_server.operations import Options
from reference_server.store.memory import MemoryStore
from reference_server.tests.forms import END, TYPE, part
from reference_server.tests.virtual import SECRET, VirtualSockets

T = TypeVar("T")
MIB = 1024 * 1024
PIECE_BYTES_MAX = 64 * 1024 + 256 * 1024
"""What uvicorn holds of a body before it stops reading, and one read of the loop on top of it."""
FILE = b"\0asm\x01\0\0\0" + bytes(range(256)) * (20 * MIB // 256)
DEADLINE_S = 30.0


class GatedEnvironment(AsyncioEnvironment):
    """Workers that begin when the gate is open; how much was under way at once is counted."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop, SECRET)
        self.gate = asyncio.Event()
        self.gate.set()
        self.under_way = self.under_way_max = 0

    def offload(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        self.under_way += 1
        self.under_way_max = max(self.under_way_max, self.under_way)

        def ended(value: T) -> None:
            self.under_way -= 1
            done(value)

        async def wait() -> None:
            await self.gate.wait()
            super(GatedEnvironment, self).offload(work, ended, failed)

        self._last = asyncio.ensure_future(wait())


class MeasuredBlobs(MemoryBlobs):
    """Blobs in memory that know how large the pieces came."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[int] = []

    def stage(self, name: str) -> Any:
        return _Measured(self, super().stage(name))


class _Measured:
    def __init__(self, blobs: MeasuredBlobs, staged: StagedBlob) -> None:
        self._blobs = blobs
        self._staged = staged
        self.keep = staged.keep
        self.discard = staged.discard

    def write(self, chunk: bytes) -> None:
        self._blobs.pieces.append(len(chunk))
        self._staged.write(chunk)


class LargeFiles(Driver):
    """The driver, for which a picture may be as large as a binary, and is one."""

    def admit(self, head: Head, then: Callable[[Admitted | Answer], None]) -> None:
        def enlarged(outcome: Admitted | Answer) -> None:
            if isinstance(outcome, Admitted) and outcome.route.operation.file is not None:
                large = FileField("avatar", 1, limits.BINARY_BYTES_MAX, (WASM,))
                operation = outcome.route.operation._replace(file=large)
                outcome = replace(outcome, route=replace(outcome.route, operation=operation))
            then(outcome)

        super().admit(head, enlarged)


class Counting(HttpProtocol):
    """The protocol, and what the newest connection of it has read."""

    newest: ClassVar["Counting"]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.read_bytes = 0
        Counting.newest = self

    def data_received(self, data: bytes) -> None:
        self.read_bytes += len(data)
        super().data_received(data)


class House:
    """A server on a real socket, in this process; one connection to it."""

    def __init__(self, folder: Path) -> None:
        self.environment = GatedEnvironment(asyncio.get_running_loop())
        self.blobs = MeasuredBlobs()
        self.driver = LargeFiles(
            self.environment, MemoryStore(), VirtualSockets(), Options(rates=None), blobs=self.blobs
        )
        observer = Observer(Metrics(), self.environment.monotonic_ns)
        self._application = Application(self.driver, Origins(), PageFiles(folder), observer)
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self) -> asyncio.Server:
        config = uvicorn.Config(self._application, http=Counting, ws="none", lifespan="off", log_config=None)
        config.load()
        state = ServerState()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Counting(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        started = asyncio.Event()
        self.driver.start(started.set)
        await started.wait()
        self.reader, self.writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2], limit=64 * MIB)
        return server

    async def ask(self, method: str, path: str, body: bytes = b"", *lines: str) -> tuple[bytes, bytes]:
        head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *lines])
        self.writer.write(head.encode() + b"\r\n\r\n" + body)
        answered = await self.reader.readuntil(b"\r\n\r\n")
        (length,) = [line for line in answered.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return answered, await self.reader.readexactly(int(length.partition(b":")[2]))

    async def token(self) -> str:
        body = b'{"email": "a@b.c", "password": "12345678", "full_name": "Ann"}'
        _, answered = await self.ask("POST", "/api/v1/users/register", body, "Content-Type: application/json")
        return answered.partition(b'"token":"')[2].partition(b'"')[0].decode()


def run(folder: Path, act: Callable[[House], Awaitable[None]]) -> None:
    async def main() -> None:
        house = House(folder)
        try:
            async with await house.open(), asyncio.timeout(DEADLINE_S):
                await act(house)
                house.writer.transport.abort()
        finally:
            house.environment.close()

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0)


def test_a_20_mib_upload_has_one_piece_under_way_and_comes_back_byte_by_byte(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        token = await house.token()
        body = part("avatar", FILE) + END
        lines = (f"Content-Type: {TYPE}", f"Authorization: Bearer {token}")
        head, answered = await house.ask("POST", "/api/v1/users/me/avatar", body, *lines)
        assert head.startswith(b"HTTP/1.1 200 ")
        assert house.environment.under_way_max == 1
        assert max(house.blobs.pieces) <= PIECE_BYTES_MAX
        assert sum(house.blobs.pieces) == len(FILE)

        _, served = await house.ask("GET", answered.partition(b'"avatar_url":"')[2].partition(b'"')[0].decode())
        assert hashlib.sha256(served).digest() == hashlib.sha256(FILE).digest()
        assert house.environment.under_way_max == 1

    run(tmp_path, act)


def test_a_store_that_stands_still_stops_the_socket(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        token = await house.token()
        house.environment.gate.clear()
        body = part("avatar", FILE) + END
        lines = (f"Content-Type: {TYPE}", f"Authorization: Bearer {token}")
        before = Counting.newest.read_bytes
        asking = asyncio.ensure_future(house.ask("POST", "/api/v1/users/me/avatar", body, *lines))
        await until(lambda: house.environment.under_way == 1 and Counting.newest.flow.read_paused)
        assert Counting.newest.read_bytes - before <= 2 * PIECE_BYTES_MAX
        assert house.driver.uploads.unfinished == 1

        house.environment.gate.set()
        head, _ = await asking
        assert head.startswith(b"HTTP/1.1 200 ")
        assert house.driver.uploads.unfinished == 0

    run(tmp_path, act)


def test_a_body_that_stalls_ends_the_connection_and_leaves_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    async def act(house: House) -> None:
        token = await house.token()
        monkeypatch.setattr(limits, "BODY_STALL_S", 0.1)
        head = (
            "POST /api/v1/users/me/avatar HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
            f"Content-Type: {TYPE}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        house.writer.write(head.encode() + part("avatar", FILE[:100_000])[:-2])
        answered = await house.reader.read()

        assert answered.startswith(b"HTTP/1.1 400 ")
        assert house.driver.uploads.unfinished == 0
        assert list(house.blobs.names()) == []

    run(tmp_path, act)
