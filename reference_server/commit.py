"""Group commit: what is asked in one turn of the loop shares one transaction (law 1).

Outcomes leave only after the commit, in the order in which the work came. A turn in which everybody only reads takes
no write lock and commits nothing. Work that raises sinks nobody else: its group is rolled back and every member runs
again alone.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from reference_server.core.transaction import Transaction
from reference_server.store.base import Store

T = TypeVar("T")
Work = Callable[[Transaction], T]


class Loop(Protocol):
    """What group commit needs of the environment."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run `callback` after what runs now."""


class _Member(NamedTuple):
    work: Work[Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]
    writes: bool


class GroupCommit:
    """Collect work until the turn ends, then commit it together."""

    def __init__(self, loop: Loop, store: Store) -> None:
        self._loop = loop
        self._store = store
        self._group: list[_Member] = []

    def submit(self, work: Work[T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run `work` in the next transaction; once it is durable `done(value)`, or `failed(what it raised)`."""
        self._join(_Member(work, done, failed, writes=True))

    def read(self, work: Work[T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run `work`, which only reads, with the next transaction, then `done(value)` or `failed(what it raised)`."""
        self._join(_Member(work, done, failed, writes=False))

    def _join(self, member: _Member) -> None:
        self._group.append(member)
        if len(self._group) == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        group, self._group = self._group, []
        try:
            values = self._run(group)
        except Exception as fault:  # noqa: BLE001 - whatever one member raised must not reach the others
            outcomes = [_failed(group[0], fault)] if len(group) == 1 else [self._alone(one) for one in group]
            for leave in outcomes:
                leave()
            return
        for member, value in zip(group, values, strict=True):
            member.done(value)

    def _run(self, group: list[_Member]) -> list[Any]:
        def work(tx: Transaction) -> list[Any]:
            return [member.work(tx) for member in group]

        return self._store.transact(work) if any(member.writes for member in group) else self._store.read(work)

    def _alone(self, member: _Member) -> Callable[[], None]:
        try:
            (value,) = self._run([member])
        except Exception as fault:  # noqa: BLE001 - it is handed to whoever asked for this work
            return _failed(member, fault)
        return lambda: member.done(value)


def _failed(member: _Member, fault: Exception) -> Callable[[], None]:
    return lambda: member.failed(fault)
