"""One table through both ways: what is answered directly is, byte for byte, what ASGI would have answered."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import cast

import pytest
import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.server import ServerState

from reference_server.app import PAGES
from reference_server.core.admission import Origins
from reference_server.core.calls import Head
from reference_server.driver import Driver
from reference_server.environment_asyncio import AsyncioEnvironment
from reference_server.http.application import GONE, Application
from reference_server.http.direct import DirectAnswers, Exchange
from reference_server.http.page_files import PageFiles
from reference_server.http.protocol import HttpProtocol
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer
from reference_server.operations import Options
from reference_server.store import MemoryStore
from reference_server.websocket.open_sockets import OpenSockets

DEADLINE_S = 20.0
API = "/api/v1"
SUBMIT = '{"query":"q","budget":1}'
REGISTER = '{"email":"%s@example.org","password":"a good password","full_name":"Ann"}'
LOGIN = '{"email":"nobody@example.org","password":"a good password"}'
BROADCAST = '{"type":"system","data":{"message":"m","level":"info"}}'
UNKNOWN = "00000000-0000-4000-8000-000000000000"
AS_JSON = "Content-Type: application/json"
CLOSE = "Connection: close"
CHANGING = re.compile(
    rb"date: [^\r]*|\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9a-f]{8}-[0-9a-f-]{27}|eyJ[\w.-]+|content-length: \d+"
)

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter, "asyncio.Queue[bytes]", str], Awaitable[bytes]]
"""Talks to a server that puts into the queue whatever it read at once."""


def request(line: str, *headers: str, body: str = "", version: str = "1.1") -> str:
    method, _, path = line.partition(" ")
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: x", *headers, *length, "", body])


SIGNED_IN = "Authorization: Bearer TOKEN"
DIRECT = [
    ("202", request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, CLOSE, body=SUBMIT)),
    ("202", request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, body=SUBMIT, version="1.0")),
    (
        "202",
        request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, "Origin: http://localhost:3000", CLOSE, body=SUBMIT),
    ),
    (
        "202",
        request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, "Origin: https://evil.example", CLOSE, body=SUBMIT),
    ),
    ("400", request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, CLOSE, body="{")),
    ("400", request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, CLOSE, body='{"query":1}')),
    ("415", request(f"POST {API}/tasks/submit", SIGNED_IN, CLOSE, body=SUBMIT)),
    ("401", request(f"POST {API}/tasks/submit", AS_JSON, CLOSE, body=SUBMIT)),
    ("401", request(f"POST {API}/tasks/submit", SIGNED_IN + "x", AS_JSON, CLOSE, body=SUBMIT)),
    ("403", request(f"POST {API}/ws/broadcast", SIGNED_IN, AS_JSON, CLOSE, body=BROADCAST)),
    ("201", request(f"POST {API}/users/register", AS_JSON, CLOSE, body=REGISTER % "another")),
    ("409", request(f"POST {API}/users/register", AS_JSON, CLOSE, body=REGISTER % "ann")),
    ("401", request(f"POST {API}/users/login", AS_JSON, CLOSE, body=LOGIN)),
    ("200", request(f"POST {API}/users/logout", SIGNED_IN, CLOSE)),
    ("200", request(f"GET {API}/users/me", SIGNED_IN, CLOSE)),
    ("200", request(f"GET {API}/users/me", SIGNED_IN, CLOSE, body="a body that nobody asked for")),
    ("200", request(f"GET {API}/tasks?limit=5", SIGNED_IN, CLOSE)),
    ("400", request(f"GET {API}/tasks?limit=0", SIGNED_IN, CLOSE)),
    ("404", request(f"GET {API}/tasks/{UNKNOWN}", SIGNED_IN, CLOSE)),
    ("404", request(f"DELETE {API}/tasks/{UNKNOWN}", SIGNED_IN, CLOSE)),
    ("200", request("GET /health", CLOSE)),
    ("200", request("GET /ready", "Accept: text/html", CLOSE)),
]
BY_ASGI = [
    ("404", request(f"GET {API}/nowhere", CLOSE)),
    ("404", request(f"GET {API}/tasks/a%2fb", SIGNED_IN, CLOSE)),
    ("405", request(f"PUT {API}/users/login", CLOSE)),
    ("405", request(f"HEAD {API}/users/me", CLOSE)),
    ("204", request(f"OPTIONS {API}/users/me", CLOSE)),
    ("401", request(f"GET {API}/ws/connect", CLOSE)),
    ("200", request("GET /login.html", CLOSE)),
    ("404", request("GET /nowhere", "Accept: text/html", CLOSE)),
]


class CountingApplication(Application):
    """Counts what ASGI was asked."""

    asked = 0

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        self.asked += 1
        await super().__call__(scope, receive, send)


def visit(peer: Peer, *, directly: bool) -> tuple[bytes, int]:
    """Let a peer talk to a server in which `ann` has the token it is given; return what it read, and ASGI's share."""

    async def run() -> tuple[bytes, int]:
        environment = AsyncioEnvironment(asyncio.get_running_loop(), "k" * 32, seed=1)
        driver = Driver(environment, MemoryStore(), OpenSockets(), Options(rates=None))
        origins, told = Origins(), Observer(Metrics(), environment.monotonic_ns)
        application = CountingApplication(driver, origins, PageFiles(PAGES), told)
        config = uvicorn.Config(application, ws="none", lifespan="off", log_config=None, proxy_headers=False)
        config.load()
        state = ServerState()
        reads: asyncio.Queue[bytes] = asyncio.Queue()

        class WatchedProtocol(HttpProtocol):
            observer = told
            direct = DirectAnswers(driver, origins, told) if directly else None

            def data_received(self, data: bytes) -> None:
                super().data_received(data)
                reads.put_nowait(data)

        started = asyncio.Event()
        driver.start(started.set)
        await started.wait()
        server = await asyncio.get_running_loop().create_server(
            lambda: WatchedProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        async with server, asyncio.timeout(DEADLINE_S):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(request(f"POST {API}/users/register", AS_JSON, body=REGISTER % "ann").encode())
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
            asked = application.asked
            await reads.get()
            try:
                read = await peer(reader, writer, reads, body.partition(b'"token":"')[2].partition(b'"')[0].decode())
            finally:
                writer.transport.abort()
                environment.close()
            return read, application.asked - asked

    return asyncio.run(run())


def sends(*parts: str) -> Peer:
    async def peer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reads: "asyncio.Queue[bytes]", token: str
    ) -> bytes:
        for part in parts:
            writer.write(part.replace("TOKEN", token).encode())
            # The next part comes in a read of its own.
            await reads.get()
        return await reader.read()

    return peer


@pytest.mark.parametrize(("status", "sent"), [*DIRECT, *BY_ASGI])
def test_both_ways_answer_alike(status: str, sent: str) -> None:
    directly, _ = visit(sends(sent), directly=True)
    by_asgi, asked = visit(sends(sent), directly=False)

    assert directly.split(b" ")[1] == status.encode()
    assert CHANGING.sub(b"...", directly) == CHANGING.sub(b"...", by_asgi)
    assert asked == 1


@pytest.mark.parametrize("sent", [sent for _, sent in DIRECT])
def test_what_is_whole_and_wants_json_costs_asgi_nothing(sent: str) -> None:
    assert visit(sends(sent), directly=True)[1] == 0


@pytest.mark.parametrize("sent", [sent for _, sent in BY_ASGI])
def test_what_is_neither_goes_through_asgi(sent: str) -> None:
    assert visit(sends(sent), directly=True)[1] == 1


def test_a_body_in_pieces_is_read_by_asgi() -> None:
    whole = request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, CLOSE, body=SUBMIT)
    read, asked = visit(sends(whole[:-5], whole[-5:]), directly=True)

    assert (read.split(b" ")[1], asked) == (b"202", 1)


def test_a_head_in_pieces_is_answered_directly_once_it_is_whole() -> None:
    whole = request(f"GET {API}/users/me", SIGNED_IN, CLOSE)
    read, asked = visit(sends(whole[:20], whole[20:]), directly=True)

    assert (read.split(b" ")[1], asked) == (b"200", 0)


def test_who_waits_for_100_continue_gets_it_and_then_the_answer() -> None:
    whole = request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, CLOSE, "Expect: 100-continue", body=SUBMIT)
    read, _ = visit(sends(whole[: -len(SUBMIT)], SUBMIT), directly=True)

    assert [part[:3] for part in read.split(b"HTTP/1.1 ")[1:]] == [b"100", b"202"]


def test_requests_in_one_write_are_answered_in_order_by_either_way() -> None:
    submit = request(f"POST {API}/tasks/submit", SIGNED_IN, AS_JSON, body=SUBMIT)
    bad = request(f"POST {API}/tasks/submit", SIGNED_IN, body=SUBMIT)
    read, asked = visit(
        sends(submit + bad + request("GET /health") + submit + request("GET /nowhere", CLOSE)), directly=True
    )

    assert [part[:3] for part in read.split(b"HTTP/1.1 ")[1:]] == [b"202", b"415", b"200", b"202", b"404"]
    # Only the first was alone when it was read.
    assert asked == 4


def test_a_connection_is_kept_for_the_next_request() -> None:
    read, asked = visit(sends(request("GET /health"), request(f"GET {API}/users/me", SIGNED_IN, CLOSE)), directly=True)

    assert ([part[:3] for part in read.split(b"HTTP/1.1 ")[1:]], asked) == ([b"200", b"200"], 0)


def test_what_is_marked_on_one_request_does_not_show_on_another() -> None:
    """A connection that is lost marks the requests it has: each needs a mark of its own."""
    observer = Observer(Metrics(), lambda: 0)
    direct = DirectAnswers(cast("Driver", None), Origins(), observer)
    head, transport = Head("GET", "/health", "", {}, "192.0.2.1"), cast("asyncio.Transport", None)
    lost, other = (Exchange(direct, head, transport, [], lambda: None, keep_alive=True) for _ in range(2))
    lost.scope["state"][GONE] = True
    lost.message_event.set()

    assert other.scope["state"] == {}
    assert not other.message_event.is_set()
