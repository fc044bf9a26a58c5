"""Any deployment as a target: sessions over HTTP, tabs over real sockets, driven by asyncio (tier T2).

What the profile says is kept to: pace, connections, accounts. What was made is canceled at the end, and what can't be
removed is listed.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

from harness.client import rest
from harness.client.driver import LiveTab
from harness.client.rest import NoAnswerError, RecordedSession, RestClient, SignInError, Transport
from harness.client.shell import Endpoint, HttpTransport, LoopLag, ShellEnvironment, tls_context
from harness.history import Recorder
from harness.seeds import stream
from harness.targets.base import Answered, Capabilities, Person, Session
from harness.targets.manners import Connections, PacedTransport, retry_after_s
from harness.targets.profiles import Profile, password_of
from reference_server.contract.lifecycle import FINAL

T = TypeVar("T")

CLEAN_UP_S_MAX: Final = 30.0
TASKS_CANCELED_MAX: Final = 1000
HEALTH_BYTES_MAX: Final = 64 * 1024


class HeldTab(LiveTab):
    """A tab whose connection counts until it leaves."""

    held: Connections

    async def close(self) -> None:
        """Leave deliberately, and let go of the connection."""
        await super().close()
        self.held.let_go(self)


class RemoteTarget:
    """A target at a URL (`harness.targets.base.Target`); one asyncio loop for all that is run on it.

    Several targets of one run may share a loop: `runner` is whose it is then.
    """

    tier = "t2"

    def __init__(
        self,
        profile: Profile,
        recorder: Recorder,
        *,
        seed: int = 0,
        run: str = "",
        runner: asyncio.Runner | None = None,
    ) -> None:
        self.profile = profile
        self.name = profile.name or profile.api
        self.capabilities: Capabilities = profile.capabilities()
        self.recorder = recorder
        self.run_name = run
        self.left_behind: list[str] = []
        self.sessions: list[RecordedSession] = []
        self._made: list[tuple[Session, str, str]] = []
        self._chance: random.Random = stream(seed, "target")
        self._tls = tls_context(profile.ca or None) if profile.api.startswith("https") else None
        self._runner = runner or asyncio.Runner()
        self._own_runner = runner is None
        self.connections = Connections(self.name, self.capabilities.connections_max)
        self._http: HttpTransport | None = None
        self._client: RestClient | None = None
        self._unpaced: RestClient | None = None
        self._tabs: list[HeldTab] = []
        self._lag = LoopLag()
        self._labels = 0
        self._given: dict[str, int] = {}
        self._jobs: set[asyncio.Task[Any]] = set()
        for account in (*profile.accounts, *([profile.admin] if profile.admin else [])):
            recorder.mask(password_of(account))

    # --- where it is

    @property
    def endpoint(self) -> Endpoint:
        """The socket: URL, how it takes its token, TLS."""
        return Endpoint(self.profile.socket_url, self.profile.auth, self._tls)

    @property
    def client(self) -> RestClient:
        """The REST client, which keeps the target's pace; made on the target's own loop."""
        if self._client is None:
            self._client = RestClient(self._paced(self._transport), self.recorder)
        return self._client

    @property
    def unpaced(self) -> RestClient:
        """A REST client whose 429 is the answer: for what asks how much is too much. It wants the grant `flood`."""
        if self._unpaced is None:
            self._unpaced = RestClient(self._transport, self.recorder)
        return self._unpaced

    @property
    def lends(self) -> int:
        """How many people can be signed in without registering."""
        return len(self.profile.accounts)

    @property
    def registers(self) -> bool:
        """Whether accounts may be made there."""
        return "accounts" in self.capabilities.grants

    @property
    def _transport(self) -> HttpTransport:
        if self._http is None:
            self._http = HttpTransport(self.profile.api, self._tls)
        return self._http

    def _paced(self, transport: HttpTransport) -> Transport:
        return PacedTransport(transport, self.profile.rate_limit)

    # --- Target

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Drive a coroutine to its end on this target's loop; Ctrl-C ends it as KeyboardInterrupt."""
        return self._runner.run(main)

    def draw(self) -> float:
        """Return a number in [0, 1) from the run's seed."""
        return self._chance.random()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def sign_up(self, person: Person) -> RecordedSession:
        """Register the person where accounts may be made, else log in with an account of the profile.

        The same person gets the same account again. Raises SignInError, AccountsUsedUpError among them.
        """
        self._lag.start()
        if not self.registers:
            return self._kept(await rest.sign_in(self.client, self._account_for(person)))
        session = await rest.sign_up(self.client, person)
        self.left_behind.append(f"account {person.email}")
        return self._kept(session)

    async def sign_in(self, person: Person) -> RecordedSession:
        """Log in again: a token of its own; raises SignInError."""
        known = person if self.registers else self._account_for(person)
        return self._kept(await rest.sign_in(self.client, known))

    async def admin_session(self) -> RecordedSession | None:
        """Log the admin in; None where the target has none. Raises SignInError."""
        admin = self.profile.admin
        if admin is None:
            return None
        person = Person("admin", admin.email, password_of(admin), "admin")
        return self._kept(await rest.sign_in(self.client, person))

    async def open_tab(self, session: Any, name: str) -> LiveTab:
        """Open a live client; raises TooManyConnectionsError over what the target allows."""
        environment = ShellEnvironment(self.endpoint, session.token, self.draw, self._asking_me(session), self._jobs)
        tab = HeldTab(name, session.account_id, self.endpoint.url, session.token, environment, self.recorder)
        tab.held = self.connections
        self.connections.hold(tab)
        self._lag.start()
        self._tabs.append(tab)
        tab.connect()
        return tab

    async def gather(self, *jobs: Coroutine[Any, Any, None]) -> None:
        """Run jobs at the same time until all have ended; the first that raises ends the others."""
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(job)

    def watch_lag(self) -> None:
        """Watch from now on how late our own loop is; once is enough."""
        self._lag.start()

    async def close(self) -> None:
        """Close tabs, cancel what was left unfinished, let go of connections."""
        await self.close_tabs()
        await self._clean_up()
        for job in list(self._jobs):
            job.cancel()
        if self._http is not None:
            await self._http.close()
            self._http = self._client = self._unpaced = None

    async def close_tabs(self) -> None:
        """Close every tab that is open, all at the same time."""
        tabs, self._tabs = self._tabs, []
        await asyncio.gather(*(tab.close() for tab in tabs))
        self.tell_lag()

    def tell_lag(self) -> None:
        """Record how late our own loop was at worst since somebody signed in, so that a judge can excuse a stall.

        Told when a part is over: while the loop is not driven at all, nothing of ours is late.
        """
        worst = self._lag.stop()
        if worst is not None:
            self.recorder.record("sample", series="loop_lag", unit="ms", max=worst)

    def end(self) -> None:
        """Close the loop, unless it is shared; after `close`, and after a Ctrl-C too."""
        if self._own_runner:
            self._runner.close()

    def made(self, session: Session, removed_by: str, id_: str) -> None:
        """Remember what was made there, to be removed at the end by an operation that takes its id (contract §10)."""
        self._made.append((session, removed_by, id_))

    # --- its own

    def _kept(self, session: RecordedSession) -> RecordedSession:
        session.prefix = f"zsh-{self.run_name}" if self.run_name else ""
        self._labels += 1
        session.label = f"s{self._labels}"
        self.sessions.append(session)
        return session

    def _account_for(self, person: Person) -> Person:
        accounts = self.profile.accounts
        if person.email in [account.email for account in accounts]:
            return person
        index = self._given.setdefault(person.name, len(self._given))
        if index >= len(accounts):
            raise AccountsUsedUpError(self.name, len(accounts), person.name)
        account = accounts[index]
        return Person(person.name, account.email, password_of(account), person.full_name)

    def _asking_me(self, session: RecordedSession) -> Callable[[], "asyncio.Future[tuple[int, int | None]]"]:
        async def ask() -> tuple[int, int | None]:
            answer = await session.call("me")
            return answer.status, retry_after_s(answer.headers)

        def start() -> "asyncio.Future[tuple[int, int | None]]":
            job = asyncio.ensure_future(ask())
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)
            return job

        return start

    async def _clean_up(self) -> None:
        try:
            async with asyncio.timeout(CLEAN_UP_S_MAX):
                await self._remove_made()
                for account_id in {session.account_id for session in self.sessions}:
                    session = next(s for s in reversed(self.sessions) if s.account_id == account_id)
                    await self._cancel_tasks(session)
        except TimeoutError:
            self.left_behind.append("unfinished tasks, or what else was made: removing it took too long")

    async def _remove_made(self) -> None:
        while self._made:
            session, operation, id_ = self._made.pop()
            answer = await session.call(operation, path={"id": id_})
            # 404: the test itself removed it.
            if answer.status not in (200, 404):
                self.left_behind.append(f"{operation} {id_} was answered {answer.status}")

    async def _cancel_tasks(self, session: RecordedSession) -> None:
        for status in ("queued", "assigned", "running"):
            answer = await session.call("list_tasks", query={"status": status, "limit": "200"})
            for task in _tasks_of(answer)[:TASKS_CANCELED_MAX]:
                ours = str(task.get("query", "")).startswith(session.prefix)
                if ours and str(task.get("status")) not in FINAL:
                    await session.call("cancel_task", path={"id": str(task.get("id"))})


def _tasks_of(answer: Answered) -> list[dict[str, Any]]:
    tasks = answer.body.get("tasks") if isinstance(answer.body, dict) else None
    return [task for task in tasks if isinstance(task, dict)] if isinstance(tasks, list) else []


class AccountsUsedUpError(SignInError):
    """More people are wanted than the profile has accounts, and none may be made."""

    def __init__(self, target: str, accounts: int, person: str) -> None:
        super().__init__(person, "register", Answered(0))
        self.target, self.accounts = target, accounts

    def __str__(self) -> str:
        told = f"{self.target} gives {self.accounts} accounts, none is left for {self.person!r}"
        return f"{told}; add one to the profile or allow accounts"


async def wait_healthy(base: str, *, ca: Path | None = None, deadline_s: float = 10.0) -> tuple[int, str]:
    """Ask `GET /health`; return the status of its answer, or 0 and the reason that there is none."""
    tls = tls_context(str(ca) if ca else None) if base.startswith("https") else None
    transport = HttpTransport(base, tls, deadline_s=deadline_s, body_bytes_max=HEALTH_BYTES_MAX)
    try:
        answer = await transport.send("GET", "/health", (), None)
    except NoAnswerError as fault:
        return 0, fault.why
    finally:
        await transport.close()
    return answer.status, ""
