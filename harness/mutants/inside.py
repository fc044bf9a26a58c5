"""A server in our own process, whole but for its sockets: the real application, asked without a network.

For suites of REST rows and acts it is a target like any other, and there in a tenth of a second, so that each mutant
can have one of its own. Acts that need a socket are not for it: it has none, and says so.
"""

import asyncio
import secrets
from typing import Any, Final

import httpx

from harness.client.rest import Headers, NoAnswerError, RawAnswer, RestClient
from harness.client.shell import Endpoint
from harness.history import Recorder
from harness.mutants.parts import Asgi, Parts
from harness.targets.base import Capabilities
from harness.targets.local import ADMIN_EMAIL
from harness.targets.profiles import OWN, Credentials, Profile
from harness.targets.remote import RemoteTarget
from reference_server.app import PAGES
from reference_server.blobs import MemoryBlobs
from reference_server.core.admission import Origins
from reference_server.core.passwords import PasswordCost
from reference_server.environment_asyncio import AsyncioEnvironment, new_secret
from reference_server.http.application import Application
from reference_server.http.page_files import PageFiles
from reference_server.observing.metrics import Metrics
from reference_server.observing.observer import Observer
from reference_server.operations import Options
from reference_server.rate_limits import Rates
from reference_server.store.memory import MemoryStore
from reference_server.websocket.open_sockets import OpenSockets

URL: Final = "http://127.0.0.1"
TASK_MS: Final = (5, 20)
RETRY_DELAYS_S: Final = (0.02, 0.02, 0.02)
ANSWER_S_MAX: Final = 20.0
CHEAP: Final = PasswordCost(memory_kib=64, passes=1, lanes=1)
WITHOUT: Final = frozenset({"process", "short_ttl", "tap", "browser"})
"""Needs that only a process has."""


class InsideTransport:
    """`harness.client.rest.Transport` into an application of this process."""

    def __init__(self, application: Asgi) -> None:
        async def with_state(scope: Any, receive: Any, send: Any) -> None:
            # As uvicorn gives it.
            told: Any = {**scope, "state": {}}
            await application(told, receive, send)

        carrier = httpx.ASGITransport(with_state)
        self._client = httpx.AsyncClient(transport=carrier, base_url=URL, follow_redirects=False)

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        """Send one request; raises NoAnswerError when no answer came in time."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                answer = await self._client.request(method, path_and_query, headers=list(headers), content=body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as fault:
            raise NoAnswerError(f"{type(fault).__name__}: {fault}") from fault
        return RawAnswer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)

    async def close(self) -> None:
        """Let go of the application."""
        await self._client.aclose()


class InsideTarget(RemoteTarget):
    """The server that these parts make, within this process; `start` it on the target's loop before it is used."""

    tier = "inside"

    def __init__(self, recorder: Recorder, parts: Parts, *, seed: int, run: str, rates: Rates | None = None) -> None:
        self._parts = parts
        self._rates = rates
        self._password = secrets.token_urlsafe()
        recorder.mask(self._password)
        profile = Profile(api=URL, name="inside", admin=Credentials(ADMIN_EMAIL, self._password))
        super().__init__(profile, recorder, seed=seed, run=run)
        self.capabilities = Capabilities(OWN.needs - WITHOUT, OWN.grants)
        self._environment: AsyncioEnvironment | None = None
        self._inside: InsideTransport | None = None

    async def start(self) -> None:
        """Make the driver and wait until it may serve."""
        self._environment = AsyncioEnvironment(asyncio.get_running_loop(), new_secret(), password_cost=CHEAP)
        options = Options(
            task_ms=TASK_MS, retry_delays_s=RETRY_DELAYS_S, rates=self._rates, password_cost=CHEAP,
            admin_email=ADMIN_EMAIL, admin_password=self._password, origins=Origins((), loopback=True),
        )  # fmt: skip
        driver = self._parts.driver(self._environment, MemoryStore(), MemoryBlobs(), OpenSockets(), options)
        started = asyncio.Event()
        driver.start(started.set)
        await started.wait()
        observer = Observer(Metrics(), self._environment.monotonic_ns)
        application = Application(driver, options.origins, PageFiles(PAGES), observer)
        self._inside = InsideTransport(self._parts.shell(application))
        self._client = self._unpaced = RestClient(self._inside, self.recorder)

    @property
    def endpoint(self) -> Endpoint:
        """Raise AssertionError: an act that comes here must say that it needs a socket."""
        raise AssertionError("a server in our own process has no sockets; mark the act with socket=True")

    async def close(self) -> None:
        """Let go of the server and its threads; its data goes with it."""
        self.sessions.clear()
        self._made.clear()
        await super().close()
        if self._inside is not None:
            await self._inside.close()
        if self._environment is not None:
            self._environment.close()
