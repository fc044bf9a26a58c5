"""The simulated target: one driver over the memory store, links, clients, one seed, one order of events."""

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from harness.client import rest
from harness.client.driver import Condition, LiveTab, SocketEvents
from harness.client.rest import RecordedSession, RestClient
from harness.history import Event, Recorder, merged
from harness.mutants.parts import HONEST, Parts
from harness.seeds import stream
from harness.simulation.network import LATENCY_MS, NS_PER_MS, Link
from harness.simulation.scheduler import NS_PER_S, Promise, Scheduler, Timer
from harness.targets.base import Capabilities, Person, Session
from harness.targets.simulated.environment import EPOCH_NS, VirtualEnvironment
from harness.targets.simulated.rest import DriverTransport
from harness.targets.simulated.wires import ClientWire, ServerSockets, ServerWire
from reference_server.blobs import MemoryBlobs
from reference_server.contract.messages import SOCKET_PATH
from reference_server.core.answers import Only, Publish
from reference_server.driver import Driver
from reference_server.operations import Options
from reference_server.store.memory import MemoryStore

T = TypeVar("T")

TASK_MS: Final = (50, 250)
URL: Final = f"ws://simulated{SOCKET_PATH}"
START_NS: Final = NS_PER_S
NEEDS: Final = frozenset({"tap", "steer", "admin", "exclusive", "clock"})
GRANTS: Final = frozenset(
    {"accounts", "tasks", "agents", "deployments", "keys", "publish", "flood", "connections", "faults"}
)
ADMIN: Final = Person("admin", "zsh-admin@example.com", "simulated admin", "Admin")


class SimulatedTarget:
    """`harness.targets.base.Target` at T0; `parts` are what a mutant puts in place of the server's own."""

    tier = "t0"
    name = "simulated"

    def __init__(self, seed: int, parts: Parts = HONEST) -> None:
        self.seed = seed
        self.capabilities = Capabilities(NEEDS, GRANTS)
        self.scheduler = Scheduler(START_NS)
        self._events: list[Event] = []
        self.recorder = self._new_recorder("client")
        self._draw_step = stream(seed, "steps").random
        self._draw_network = stream(seed, "network").random
        self._draw_client = stream(seed, "client").random
        self._masks = stream(seed, "masks")
        self._sockets = ServerSockets()
        environment = VirtualEnvironment(self.scheduler, stream(seed, "server"))
        self.driver = self._new_driver(environment, parts)
        transport = DriverTransport(self.scheduler, self.driver, self._draw_network, "192.0.2.1")
        self._client = RestClient(transport, self.recorder)
        self._tabs: list[LiveTab] = []
        self.recorder.mask(ADMIN.password)
        self._start()

    @property
    def events(self) -> list[Event]:
        """The history so far, in the judge's order."""
        return merged(self._events)

    # --- Target

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Drive a coroutine to its end on virtual time."""
        return self.scheduler.run(main)

    def draw(self) -> float:
        """Return a number in [0, 1) from the seed."""
        return self._draw_step()

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await self.scheduler.sleep(seconds)

    async def sign_up(self, person: Person) -> RecordedSession:
        """Register the person; raises SignInError."""
        return await rest.sign_up(self._client, person)

    async def sign_in(self, person: Person) -> RecordedSession:
        """Log in again: a token of its own; raises SignInError."""
        return await rest.sign_in(self._client, person)

    async def admin_session(self) -> RecordedSession:
        """Sign in the admin."""
        return await self.sign_in(ADMIN)

    def made(self, session: Session, removed_by: str, id_: str) -> None:
        """Forget it: nothing lives on."""

    async def open_tab(self, session: Any, name: str) -> LiveTab:
        """Open a live client; it connects by itself."""
        environment = _ClientEnvironment(self, session)
        tab = LiveTab(
            name, session.account_id, f"ws://simulated{SOCKET_PATH}", session.token, environment, self.recorder
        )
        self._tabs.append(tab)
        tab.connect()
        return tab

    async def gather(self, *jobs: Coroutine[Any, Any, None]) -> None:
        """Run jobs at the same time until all have ended."""
        await self.scheduler.gather(*jobs)

    async def close(self) -> None:
        """Close every tab that is open."""
        tabs, self._tabs = self._tabs, []
        await self.gather(*(tab.close() for tab in tabs))

    # --- its own

    def dial(self, events: SocketEvents, subprotocols: Sequence[str]) -> ClientWire:
        """Connect a client's wire to the server's over a link."""
        client = ClientWire(self.scheduler, self._masks, events)
        server = ServerWire(self.scheduler, self.driver, self._sockets, "192.0.2.1")
        link = Link(self.scheduler, self._draw_network, client, server, LATENCY_MS)
        server.link = link
        client.connect(link, subprotocols)
        return client

    def draw_client(self) -> float:
        """Return the clients' chance."""
        return self._draw_client()

    def _new_recorder(self, name: str) -> Recorder:
        return Recorder(name, lambda: self.scheduler.now_ns, self._events.append)

    def _new_driver(self, environment: VirtualEnvironment, parts: Parts) -> Driver:
        options = Options(task_ms=TASK_MS, admin_email=ADMIN.email, admin_password=ADMIN.password, process="simulated")
        tap = _RecorderTap(self._new_recorder("server"))
        return parts.driver(environment, MemoryStore(), MemoryBlobs(), self._sockets, options, tap)

    def _start(self) -> None:
        started: Promise[None] = Promise()
        self.driver.start(lambda: started.set(None))

        async def wait() -> None:
            await started

        self.scheduler.run(wait())


class _ClientEnvironment:
    """`harness.client.driver.ClientEnvironment` on virtual time."""

    def __init__(self, target: SimulatedTarget, session: RecordedSession) -> None:
        self._target = target
        self._session = session

    def now_ms(self) -> int:
        return (EPOCH_NS + self._target.scheduler.now_ns) // NS_PER_MS

    def call_at(self, at_ms: int, callback: Callable[[], None]) -> Timer:
        return self._target.scheduler.call_at(at_ms * NS_PER_MS - EPOCH_NS, callback)

    def draw(self) -> float:
        return self._target.draw_client()

    def open_socket(self, url: str, subprotocols: Sequence[str], events: SocketEvents) -> ClientWire:  # noqa: ARG002
        return self._target.dial(events, subprotocols)

    def ask_me(self, done: Callable[[int, int | None], None]) -> None:
        async def ask() -> None:
            answer = await self._session.call("me")
            after = answer.headers.get("retry-after", "")
            done(answer.status, int(after) if after.isdigit() else None)

        self._target.scheduler.spawn(ask())

    def condition(self) -> Condition:
        return self._target.scheduler.condition()


class _RecorderTap:
    """The acceptance tap of a simulated process, into the history itself: never the payload."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, seq: int, publish: Publish, payload: bytes) -> None:
        audience = publish.audience.account_id if isinstance(publish.audience, Only) else "everyone"
        digest = hashlib.sha256(payload).hexdigest()
        self._recorder.record("accepted", seq=seq, audience=audience, type=publish.type, digest=digest)
