"""When a page reads REST again: causes come as they like, loads stay few (contract §6, row `reloads`).

One load is in flight and one more may be pending. The first follows its cause within 250 ms, gathering what
comes together with it; while causes go on, loads start at least 1 s apart. A `Retry-After` is waited out, and
the load it refused stays due. The JavaScript twin is `reference_server/pages/js/reload.js`.
"""

from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

GATHER_MS: Final = 100
"""How long the first load waits for more causes; the contract allows 250."""
APART_MS: Final = 1000
RETRY_AFTER_S_MAX: Final = 3600


class ReloadState(Struct, frozen=True):
    """`due_ms` is the running timer's time, `pending` a cause that came while a load was in flight."""

    in_flight: bool = False
    pending: bool = False
    started_ms: int | None = None
    due_ms: int | None = None


class Cause(Struct, frozen=True, tag_field="type", tag="cause"):
    """Something changed, or may have."""

    at_ms: int


class Due(Struct, frozen=True, tag_field="type", tag="timer"):
    """The timer fired."""

    at_ms: int


class Done(Struct, frozen=True, tag_field="type", tag="done"):
    """The load ended, well or not; `retry_after` in seconds when it was told to wait."""

    at_ms: int
    retry_after: int | None = None


class Load(Struct, frozen=True, tag_field="type", tag="load"):
    """Start reading; end with `done`, always."""


class SetTimer(Struct, frozen=True, tag_field="type", tag="set_timer"):
    """Bring `timer` at that time; replaces the one before."""

    at_ms: int


ReloadEvent: TypeAlias = Cause | Due | Done
ReloadEffect: TypeAlias = Load | SetTimer


def step(state: ReloadState, event: ReloadEvent) -> tuple[ReloadState, tuple[ReloadEffect, ...]]:
    """Take one event and give the new state and what to do (contract §6, row `reloads`)."""
    match event:
        case Cause(at_ms=at_ms):
            return _cause(state, at_ms)
        case Due(at_ms=at_ms):
            return _due(state, at_ms)
        case Done(at_ms=at_ms, retry_after=retry_after):
            return _done(state, at_ms, retry_after)


def _cause(state: ReloadState, at_ms: int) -> tuple[ReloadState, tuple[ReloadEffect, ...]]:
    if state.in_flight:
        # What is being read may have been read before this cause: it needs a load of its own.
        return msgspec.structs.replace(state, pending=True), ()
    if state.due_ms is not None:
        return state, ()
    return _wait(state, at_ms + GATHER_MS)


def _due(state: ReloadState, at_ms: int) -> tuple[ReloadState, tuple[ReloadEffect, ...]]:
    if state.due_ms is None:
        return state, ()
    if at_ms < state.due_ms:
        return state, (SetTimer(state.due_ms),)
    return ReloadState(in_flight=True, started_ms=at_ms), (Load(),)


def _done(state: ReloadState, at_ms: int, retry_after: int | None) -> tuple[ReloadState, tuple[ReloadEffect, ...]]:
    if not state.in_flight:
        return state, ()
    ended = msgspec.structs.replace(state, in_flight=False, pending=False)
    if retry_after is not None:
        wait_ms = min(max(retry_after, 1), RETRY_AFTER_S_MAX) * 1000
        return _wait(ended, at_ms + wait_ms)
    return _wait(ended, at_ms) if state.pending else (ended, ())


def _wait(state: ReloadState, due_ms: int) -> tuple[ReloadState, tuple[ReloadEffect, ...]]:
    apart = due_ms if state.started_ms is None else max(due_ms, state.started_ms + APART_MS)
    return msgspec.structs.replace(state, due_ms=apart), (SetTimer(apart),)
