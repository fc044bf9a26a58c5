"""Group commit: what is asked in one turn of the loop shares one transaction (law 1).

Outcomes leave only after the commit, in the order in which the work came. Work that raises sinks nobody else: its
group is rolled back and every member runs again alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from reference_server.core.transaction import Transaction
from reference_server.store.base import Store

T = TypeVar("T")
Work = Callable[[Transaction], T]


class Loop(Protocol):
    """What group commit needs of the environment."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run `callback` after what runs now."""


@dataclass(frozen=True, slots=True)
class _Member:
    work: Work[Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]

    def succeed(self, value: Any) -> Callable[[], None]:
        return lambda: self.done(value)

    def fail(self, fault: Exception) -> Callable[[], None]:
        return lambda: self.failed(fault)


class GroupCommit:
    """Collect work until the turn ends, then commit it together."""

    def __init__(self, loop: Loop, store: Store) -> None:
        self._loop = loop
        self._store = store
        self._group: list[_Member] = []

    def submit(self, work: Work[T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run `work` in the next transaction; once it is durable `done(value)`, or `failed(what it raised)`."""
        self._group.append(_Member(work, done, failed))
        if len(self._group) == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        group, self._group = self._group, []
        for leave in self._outcomes(group):
            leave()

    def _outcomes(self, group: list[_Member]) -> list[Callable[[], None]]:
        try:
            values = self._store.transact(lambda tx: [member.work(tx) for member in group])
        except Exception as fault:  # noqa: BLE001 - whatever one member raised must not reach the others
            return [member.fail(fault) for member in group] if len(group) == 1 else [self._alone(one) for one in group]
        return [member.succeed(value) for member, value in zip(group, values, strict=True)]

    def _alone(self, member: _Member) -> Callable[[], None]:
        try:
            value = self._store.transact(member.work)
        except Exception as fault:  # noqa: BLE001 - it is handed to whoever asked for this work
            return member.fail(fault)
        return member.succeed(value)
