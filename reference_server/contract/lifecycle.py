"""The task's states and the moves between them, as a table (contract §4)."""

from typing import Final, Literal

TaskStatus = Literal["queued", "assigned", "running", "completed", "failed", "canceled"]
FinalStatus = Literal["completed", "failed", "canceled"]

TRANSITIONS: Final[dict[TaskStatus, frozenset[TaskStatus]]] = {
    "queued": frozenset({"assigned", "canceled", "failed"}),
    "assigned": frozenset({"running", "queued", "canceled"}),
    "running": frozenset({"completed", "failed", "queued", "canceled"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
}

FINAL: Final[frozenset[TaskStatus]] = frozenset({"completed", "failed", "canceled"})

PROGRESS: Final[dict[TaskStatus, int]] = {
    "queued": 10,
    "assigned": 25,
    "running": 50,
    "completed": 100,
    "failed": 0,
    "canceled": 0,
}
"""A task's `progress` in each state; while running it may grow to `PROGRESS_RUNNING_MAX`."""

PROGRESS_RUNNING_MAX: Final = 99

PUSHED: Final[frozenset[TaskStatus]] = frozenset({"queued", "running", "completed", "failed", "canceled"})
"""States whose entry is pushed to the owner, once; `assigned` may be (contract §5)."""


def reachable(start: TaskStatus) -> frozenset[TaskStatus]:
    """Return every state that can follow `start` after one or more moves."""
    seen: set[TaskStatus] = set()
    todo = list(TRANSITIONS[start])
    while todo:
        status = todo.pop()
        if status not in seen:
            seen.add(status)
            todo.extend(TRANSITIONS[status])
    return frozenset(seen)
