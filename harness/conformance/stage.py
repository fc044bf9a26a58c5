"""The stage that rows and acts play on: a target, its people, and what an act may do with them.

An act looks into answers by `read_as` alone, and says what it could not build on by the errors here; what it records
is judged elsewhere.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from harness.checkers.expectations import expect
from harness.client.forms import Form
from harness.client.rest import RecordedSession, RestClient, bearer, request_for
from harness.conformance.raw_connection import DEFAULT_BOUNDS
from harness.conformance.raw_incoming import Bounds
from harness.conformance.raw_socket import RawSocket
from harness.history import Recorder
from harness.seeds import people
from harness.targets.base import Answered, Capabilities
from harness.targets.local import LocalTarget
from harness.targets.remote import RemoteTarget
from reference_server.contract import limits
from reference_server.contract.lifecycle import FINAL

T = TypeVar("T")
FINISH_S_MAX: Final = 20.0
POLL_S: Final = 0.05
FLOODS_MAX: Final = 3
"""Connections that may be cut off for a flood before no more are opened: each of them fills the record."""

HANDSHAKES_PER_S: Final = limits.HANDSHAKES_PER_S * 0.8
HANDSHAKES_AHEAD: Final = limits.HANDSHAKE_BURST / 2
"""The other half of the burst is for handshakes that acts and tabs make by themselves."""


class NoSocketError(Exception):
    """A socket that an act needs did not open."""


class NotAcceptedError(Exception):
    """What an act builds on was not accepted, or not answered in a way that it could build on."""


def read_as(answer: Answered, shape: type[T]) -> T:
    """Return an answer's body if it has this shape (fields it does not name may be there); raises NotAcceptedError.

    The one way for an act to look into an answer: a target may answer anything, and that is not ours to trip over.
    """
    try:
        return msgspec.convert(answer.body, shape, strict=True)
    except msgspec.ValidationError as fault:
        raise NotAcceptedError(f"an answer ({answer.status}) can't be used: {fault}") from fault


class Submitted(Struct):
    """What the answer to a submit is looked into for."""

    task_id: str


class Speech(Struct, frozen=True):
    """What a socket says: a first message by itself (`greets`), and an answer to a ping of the contract."""

    greets: bool = True
    answers: bool = True


class Stage:
    """The target with the people that every act may use: `user`, `other`, and `admin` where there is one."""

    def __init__(self, target: RemoteTarget, *, seed: int, run: str, prefix: str = "") -> None:
        self.target = target
        self.recorder: Recorder = target.recorder
        self.capabilities: Capabilities = target.capabilities
        self.run = run
        self._seed = seed
        self._prefix = prefix
        self._sockets = 0
        self._people = 0
        self._floods = 0
        self._dialed_until: dict[str, float] = {}
        self.user: RecordedSession
        self.other: RecordedSession
        self.admin: RecordedSession | None = None
        self.people: tuple[RecordedSession, ...] = ()
        self.open_sockets: list[RawSocket] = []
        self.speech: Speech | None = None
        self.cases_played = 0

    @property
    def client(self) -> RestClient:
        """The REST client."""
        return self.target.client

    def has(self, word: str) -> bool:
        """Say whether the target has a need or allows a grant."""
        return word in self.capabilities.needs or word in self.capabilities.grants

    async def set_up(self) -> None:
        """Sign the people in; raises SignInError when the target lets nobody in."""
        self.user = await self.newcomer("user")
        self.other = await self.newcomer("other") if self.has("accounts") or self.target.lends > 1 else self.user
        self.people = (self.user, self.other)
        self.admin = await self.target.admin_session()

    async def newcomer(self, name: str = "") -> RecordedSession:
        """Sign somebody up whom nobody else uses: registered, or an account of the profile; raises SignInError."""
        self._people += 1
        called = f"{self._prefix}{name or 'guest'}{self._people}"
        (person,) = people(self._seed, [called], run=self.run)
        return await self.target.sign_up(person)

    async def somebody(self, name: str) -> RecordedSession:
        """Sign in somebody who may be used by others too; raises SignInError."""
        return await self.newcomer(name) if self.has("accounts") else await self.target.sign_in(self.user.person)

    def two_people(self) -> None:
        """Make sure that `other` is somebody else than `user`; raises NotAcceptedError."""
        if self.other.account_id == self.user.account_id:
            raise NotAcceptedError("it takes two people: allow accounts, or give a second one in the profile")

    def named(self, text: str) -> str:
        """Return a text that says whose it is (contract §10)."""
        return f"zsh-{self.run} {text}"

    def raw_socket(self, session: RecordedSession | None = None, bounds: Bounds = DEFAULT_BOUNDS) -> RawSocket:
        """Return a socket of nobody's or somebody's, not dialed yet; raises NoSocketError once the target floods."""
        if self.floods:
            raise NoSocketError(self.floods)
        self._sockets += 1
        account = session.account_id if session is not None else None
        name = f"{self._prefix}raw{self._sockets}"
        socket = RawSocket(self.recorder, name, account, self.target.connections, bounds, self._flooded)
        self.open_sockets.append(socket)
        return socket

    @property
    def floods(self) -> str:
        """Why no more sockets are opened, or nothing."""
        if self._floods < FLOODS_MAX:
            return ""
        return f"{self._floods} connections were cut off since the target flooded them, so no more are opened"

    def _flooded(self) -> None:
        self._floods += 1

    async def dialed(
        self,
        session: RecordedSession,
        case: str | None = None,
        told: Mapping[str, Any] = MappingProxyType({}),
        **expected: Any,
    ) -> RawSocket:
        """Return an open socket whose welcome was read, as a row when `case` says so; raises NoSocketError.

        `told` goes into the event that begins it: `silent`, `expires_in_ms` (`harness.checkers.sockets`).
        """
        socket = self.raw_socket(session)
        row = expect(**expected) if case is not None else None
        await self.handshake_turn(session)
        if not await socket.dial(
            self.target.endpoint, session.token, case=case, expect=row, session=session.label, **told
        ):
            raise NoSocketError(f"a socket was refused with {socket.refused}")
        if not await socket.wait_welcome():
            raise NoSocketError("a socket brought no welcome")
        return socket

    async def handshake_turn(self, session: RecordedSession | None) -> None:
        """Keep below the handshakes that an account, or an address without one, is allowed (§2 limits).

        Unless the target is our own child.
        """
        if isinstance(self.target, LocalTarget):
            return
        now = asyncio.get_running_loop().time()
        who = session.account_id if session is not None else ""
        free_at = max(self._dialed_until.get(who, now), now) + 1 / HANDSHAKES_PER_S
        self._dialed_until[who] = free_at
        await asyncio.sleep(max(0.0, free_at - now - HANDSHAKES_AHEAD / HANDSHAKES_PER_S))

    async def ask(
        self,
        session: RecordedSession | None,
        operation: str,
        case: str | None = None,
        *,
        path: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
        body: Any = None,
        form: Form | None = None,
        token: str | None = None,
        client: RestClient | None = None,
        **expected: Any,
    ) -> Answered:
        """Invoke an operation, as a row when `case` says so; by `client` when it is not the one that keeps the pace.

        `token` is a credential of the session's account other than its own: an API key.
        """
        credential = bearer(token or session.token) if session is not None else ()
        return await (client or self.client).send(
            request_for(operation, path=path, query=query, body=body, form=form, headers=credential),
            account=session.account_id if session is not None else None,
            case=case,
            expect=expect(**expected) if case is not None else None,
            session=session.label or None if session is not None and token is None else None,
        )

    async def submit(self, session: RecordedSession, query: str, **fields: Any) -> str:
        """Submit a task and return its id; raises NotAcceptedError when it is not accepted."""
        body = {"query": self.named(query), "budget": 10.0, **fields}
        answer = await self.ask(session, "submit_task", body=body)
        if answer.status != 202:
            raise NotAcceptedError(f"a submit was answered {answer.status}")
        return read_as(answer, Submitted).task_id

    async def finished(self, session: RecordedSession, task: str, deadline_s: float = FINISH_S_MAX) -> dict[str, Any]:
        """Read the task until it has finished; return it as it was read last."""
        until = asyncio.get_running_loop().time() + deadline_s
        while True:
            answer = await self.ask(session, "get_task", path={"id": task})
            read = answer.body if isinstance(answer.body, dict) else {}
            if str(read.get("status")) in FINAL or asyncio.get_running_loop().time() > until:
                return read
            await asyncio.sleep(POLL_S)

    async def close_sockets(self) -> None:
        """Let go of every socket that an act left open."""
        sockets, self.open_sockets = self.open_sockets, []
        for socket in sockets:
            await socket.leave()
        self.target.tell_lag()
