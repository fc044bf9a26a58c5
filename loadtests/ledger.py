"""The ledger of one virtual user: every push it is owed ends as received, lost or doubled, and the sum is checked.

A task is owed three pushes (contract §5 `task_update`): queued, running, and how it ended. Which push belongs to which
task stands in the query, which every target passes on. `assigned` may be sent and is owed to nobody. A push that comes
again with a higher `revision` is a transition of its own (an attempt was repeated), not a double.
"""

from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

OWED: Final = ("queued", "running", "ended")
ENDS: Final = ("completed", "failed", "canceled")
_MARK: Final = "zsh-"


class Sums(Struct, frozen=True):
    """A ledger's sums; `expected = received + lost + doubled` always.

    `received` came exactly once, `lost` never, `doubled` more than once. `undecided` pushes are in none of them: of
    tasks whose submit had no answer, or that a cut connection could not be told of. `foreign` were owed to somebody
    else, `unfinished` ones belong to tasks that were still at work when their user left, `frames` is every message
    read, the welcome and pongs included. `unreadable` ones may each have been any push, so what is missing beside them
    is undecided.
    """

    expected: int = 0
    received: int = 0
    lost: int = 0
    doubled: int = 0
    undecided: int = 0
    foreign: int = 0
    frames: int = 0
    submitted: int = 0
    ended: int = 0
    failed: int = 0
    unfinished: int = 0
    unreadable: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Return both ledgers' sums as one."""
        mine = (getattr(self, name) for name in self.__struct_fields__)
        theirs = (getattr(other, name) for name in self.__struct_fields__)
        return Sums(*(one + two for one, two in zip(mine, theirs, strict=True)))

    @property
    def balanced(self) -> bool:
        """Say whether every push owed is accounted for."""
        return self.expected == self.received + self.lost + self.doubled


@dataclass(slots=True)
class _Task:
    accepted: bool | None = None
    pushes: dict[str, int] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    end: str = ""
    at_work: bool = False


class Ledger:
    """What one user is owed and what it got; `owner` marks its queries, unique within the run."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.frames = 0
        self.foreign = 0
        self.unreadable = 0
        self._tasks: dict[int, _Task] = {}
        self._cut = False

    def open(self, sequence: int) -> str:
        """Begin a task and return its query; called before the submit is sent, since a push may overtake its answer."""
        self._tasks[sequence] = _Task()
        return f"{self.owner} #{sequence}"

    def answered(self, sequence: int, accepted: bool | None) -> None:
        """Note what the submit was answered: accepted, refused, or None when no answer came."""
        self._tasks[sequence].accepted = accepted

    def cut(self) -> None:
        """Note that the connection was lost: what is outstanding now can't be decided (contract §5(g))."""
        self._cut = True

    def unfinished(self, sequence: int) -> None:
        """Note that a task could still be canceled: what it has not pushed by then was never owed."""
        self._tasks[sequence].at_work = True

    def push(self, query: str, status: str, revision: int | None) -> tuple[int, str] | None:
        """Enter a push; return (sequence, which owed push) when it is the first of its kind, else None."""
        if not query or not status:
            self.unreadable += 1
            return None
        sequence = self._sequence(query)
        if sequence is None or sequence not in self._tasks:
            self.foreign += query.startswith(_MARK)
            return None
        kind = "ended" if status in ENDS else status
        if kind not in OWED:
            return None
        return (sequence, kind) if self._enter(self._tasks[sequence], kind, status, revision) else None

    def ended(self, sequence: int) -> bool:
        """Say whether the end of a task was read."""
        return bool(self._tasks[sequence].end)

    def sums(self) -> Sums:
        """Close the books: what has not come by now is lost."""
        whole = Sums(foreign=self.foreign, frames=self.frames, unreadable=self.unreadable)
        for task in self._tasks.values():
            whole = whole.plus(self._sums_of(task))
        return whole

    def _sequence(self, query: str) -> int | None:
        owner, mark, number = query.rpartition(" #")
        return int(number) if mark and owner == self.owner and number.isdecimal() else None

    @staticmethod
    def _enter(task: _Task, kind: str, status: str, revision: int | None) -> bool:
        if kind == "ended":
            task.end = task.end or status
        if revision is not None and kind in task.revisions and revision > task.revisions[kind]:
            task.revisions[kind] = revision
            return False
        task.revisions.setdefault(kind, revision or 0)
        task.pushes[kind] = task.pushes.get(kind, 0) + 1
        return task.pushes[kind] == 1

    def _sums_of(self, task: _Task) -> Sums:
        if task.accepted is None:
            return Sums(undecided=len(OWED))
        if not task.accepted:
            return Sums(foreign=sum(task.pushes.values()))
        counts = {kind: task.pushes.get(kind, 0) for kind in OWED}
        waiting = {kind for kind in OWED[1:] if task.at_work and not counts[kind]}
        missing = {kind for kind, count in counts.items() if not count} - waiting
        undecided = {kind for kind in missing if self._undecidable(task, kind)}
        owed = [count for kind, count in counts.items() if kind not in undecided | waiting]
        return Sums(
            expected=len(owed),
            received=sum(count == 1 for count in owed),
            lost=sum(count == 0 for count in owed),
            doubled=sum(count > 1 for count in owed),
            undecided=len(undecided),
            unfinished=len(waiting),
            submitted=1,
            ended=bool(task.end),
            failed=task.end == "failed",
        )

    def _undecidable(self, task: _Task, kind: str) -> bool:
        """A cut hides pushes, and so does what can't be read; a task that failed or was canceled may never have run."""
        return self._cut or bool(self.unreadable) or (kind == "running" and task.end in ("failed", "canceled"))
