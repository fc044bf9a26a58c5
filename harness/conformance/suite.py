"""What a conformance suite is made of: rows of one request each, acts of several steps, and how they are played.

Both only act and record: what a row expects travels in the event that begins it, and checkers judge it from the
record. An act that can't go on (nobody could sign up, no socket opened) says so in a note; its clauses stay unknown.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from harness.checkers.expectations import expect
from harness.client.rest import JSON_TYPE, Request, SignInError, bearer
from harness.conformance.stage import NoSocketError, NotAcceptedError, Stage
from harness.targets.base import Answered, Capabilities
from harness.targets.manners import TooManyConnectionsError
from reference_server.contract.clauses import CLAUSES_BY_ID, Depth
from reference_server.contract.operations import BY_NAME

Who = Literal["nobody", "user", "admin"]
Place = Literal["main", "limits", "short"]
ACT_S_MAX: Final = 40.0


class Row(Struct, frozen=True):
    """One request and what it expects; `raw` bytes go out as they stand, `body` as JSON."""

    clause: str
    name: str
    expect: dict[str, Any]
    operation: str = ""
    who: Who = "user"
    method: str = ""
    path: str = ""
    body: Any = None
    raw: bytes | None = None
    content_type: str | None = JSON_TYPE
    query: dict[str, str] = {}
    ids: dict[str, str] = {}
    headers: tuple[tuple[str, str], ...] = ()

    def request(self, credential: Sequence[tuple[str, str]]) -> Request:
        """Return the request that this row sends."""
        row = BY_NAME.get(self.operation)
        path = self.path or (row.path if row is not None else "")
        for name, value in self.ids.items():
            path = path.replace("{" + name + "}", value)
        content = self.raw if self.raw is not None else None if self.body is None else msgspec.json.encode(self.body)
        typed = (("Content-Type", self.content_type),) if content is not None and self.content_type else ()
        shown = self.body if self.raw is None else _shown(self.raw)
        return Request(
            operation=self.operation,
            method=self.method or (row.method if row is not None else "GET"),
            path=path,
            query=self.query,
            headers=(*typed, *credential, *self.headers),
            content=content,
            shown=shown,
        )

    async def send(self, stage: Stage) -> Answered:
        """Send the request in the name of whom the row says."""
        session = {"nobody": None, "user": stage.user, "admin": stage.admin}[self.who]
        return await stage.client.send(
            self.request(bearer(session.token) if session is not None else ()),
            account=session.account_id if session is not None else None,
            case=f"{self.clause}/{self.name}",
            expect=expect(**self.expect),
        )


def _shown(raw: bytes) -> Any:
    """Return what the history tells of hand-made bytes: the object that they mean, or how many they are."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"{len(raw)} bytes that are no JSON object"


class Act(NamedTuple):
    """Several steps that together exercise `clauses`.

    `socket`: it opens a connection of its own, so that it can't be played where there are none. `slow` ones run beside
    everything else, those that want to be `alone` before it.
    """

    clauses: tuple[str, ...]
    play: Callable[[Stage], Awaitable[None]]
    place: Place = "main"
    socket: bool = False
    slow: bool = False
    alone: bool = False
    seconds_max: float = ACT_S_MAX

    @property
    def name(self) -> str:
        """How notes call it."""
        return self.play.__name__


def in_scope(clauses: Iterable[str], depth: str) -> bool:
    """Say whether a run at this depth asks for any of these clauses."""
    return any(Depth(depth).reaches(CLAUSES_BY_ID[clause].depth) for clause in clauses)


def permitted(clauses: Iterable[str], able: Capabilities) -> bool:
    """Say whether the target has and allows what some of these clauses need; doing more would be trespass."""
    found = [CLAUSES_BY_ID[clause] for clause in clauses]
    return any(set(one.needs) <= able.needs and set(one.grants) <= able.grants for one in found)


def chosen_acts(acts: Sequence[Act], depth: str, able: Capabilities, place: Place = "main") -> list[Act]:
    """Return the acts that a run plays at this place."""
    here = [act for act in acts if act.place == place]
    return [act for act in here if in_scope(act.clauses, depth) and permitted(act.clauses, able)]


def chosen_rows(rows: Sequence[Row], depth: str, able: Capabilities) -> list[Row]:
    """Return the rows that a run sends."""
    return [row for row in rows if in_scope((row.clause,), depth) and permitted((row.clause,), able)]


async def play(stage: Stage, act: Act) -> None:
    """Play one act within its time; what stops it is noted, never raised, unless it is a defect of ours."""
    try:
        async with asyncio.timeout(act.seconds_max):
            await act.play(stage)
    except (SignInError, NoSocketError, NotAcceptedError, TooManyConnectionsError) as fault:
        stage.recorder.record("note", why=f"act {act.name} could not go on: {fault}", clauses=list(act.clauses))
    except TimeoutError:
        told = f"act {act.name} took over {act.seconds_max:g} s at {traceback.format_exc(limit=-1).splitlines()[-1]}"
        stage.recorder.record("note", why=told, clauses=list(act.clauses))


async def _nothing() -> None:
    pass


async def play_all(
    stage: Stage,
    rows: Sequence[Row],
    acts: Sequence[Act],
    done: Callable[[str], None] = lambda _: None,
    meanwhile: Callable[[], Awaitable[None]] = _nothing,
) -> None:
    """Send the rows and play the acts: those that want to be alone first, slow ones beside all that follows.

    `meanwhile` is run last, while the slow ones go on; `done` is told what is played now.
    """
    stage.recorder.record("phase", name="start", scenario="conformance")
    for act in (act for act in acts if act.alone):
        done(act.name)
        await play(stage, act)
    async with asyncio.TaskGroup() as group:
        for act in (act for act in acts if act.slow):
            group.create_task(play(stage, act))
        for row in rows:
            await row.send(stage)
        for act in (act for act in acts if not act.slow and not act.alone):
            done(act.name)
            await play(stage, act)
        await meanwhile()
        done("waiting for what is slow")
