"""The life of a task (contract §4): its moves, its end, and what it shows in each state.

Revisions order all that was seen of one task, whoever saw it. Without them only what one connection read, or one
recorder asked for one call after another, has an order.
"""

from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.checkers.calls import is_before
from harness.checkers.moves import fewest_moves
from harness.checkers.stamps import stamp_ns
from harness.checkers.tally import Fold
from harness.checkers.tasks import Sighting, Sightings
from harness.history import Event
from reference_server.contract.lifecycle import FINAL, PROGRESS, PROGRESS_RUNNING_MAX, TRANSITIONS

MOVE, END, REVISION = "TASK-MOVE-1", "TASK-FINAL-1", "TASK-REVISION-1"
PROGRESSED, TIMES, COST = "TASK-PROGRESS-1", "TASK-TIMES-1", "TASK-COST-1"
REVISIONS_KEPT_MAX: Final = 64
"""Of one task: states by revision, the oldest forgotten first."""


class _Life(Struct):
    """What is remembered of one task."""

    by_revision: dict[int, Sighting] = {}
    bodies: dict[int, Sighting] = {}
    last_rest: Sighting | None = None
    ended: list[Sighting] = []
    pushes: dict[int, Sighting] = {}
    started_at: tuple[str, Event] | None = None


class Lifecycle(Fold):
    """Judges every sighting against what was seen of its task before; memory is bounded by the tasks."""

    name = "lifecycle"
    clauses = (MOVE, END, REVISION, PROGRESSED, TIMES, COST)

    def begin(self) -> None:
        """Forget everything."""
        self._sightings = Sightings()
        self._lives: dict[str, _Life] = {}

    def take(self, event: Event) -> None:
        """Judge what this event shows of tasks."""
        for seen in self._sightings.see(event):
            life = self._lives.setdefault(seen.task_id, _Life())
            self._judge_shown(life, seen)
            self._judge_end(life, seen)
            if seen.revision is not None:
                self._judge_revision(life, seen, seen.revision)
            else:
                self._judge_unnumbered(life, seen)
            self._remember(life, seen)

    def end(self) -> None:
        """Judge moves between revisions, now that all of them are known in their order."""
        for task_id, life in self._lives.items():
            numbers = sorted(life.by_revision)
            for first, second in pairwise(numbers):
                self._judge_step(task_id, life.by_revision[first], life.by_revision[second], second - first)

    # --- what one sighting shows

    def _judge_shown(self, life: _Life, seen: Sighting) -> None:
        body, told = seen.body, f"task {seen.task_id} is {seen.status}"
        progress = body.get("progress")
        if seen.status in PROGRESS and isinstance(progress, (int, float)):
            least = PROGRESS[seen.status]
            most = PROGRESS_RUNNING_MAX if seen.status == "running" else least
            self.tally.judge(PROGRESSED, least <= progress <= most, f"{told} with progress {progress}", seen.event)
        if seen.source == "rest":
            self._judge_times(life, seen)
            cost, budget = body.get("actual_cost"), body.get("budget")
            if isinstance(cost, (int, float)) and isinstance(budget, (int, float)):
                fits = cost <= budget if seen.status == "completed" else cost == 0
                self.tally.judge(COST, fits, f"{told} with actual_cost {cost} and budget {budget}", seen.event)

    def _judge_times(self, life: _Life, seen: Sighting) -> None:
        body, told = seen.body, f"task {seen.task_id} is {seen.status}"
        started, completed = body.get("started_at"), body.get("completed_at")
        has_end = completed is not None
        words = "with" if has_end else "without"
        self.tally.judge(TIMES, has_end == (seen.status in FINAL), f"{told} {words} completed_at", seen.event)
        if seen.status in ("running", "completed"):
            self.tally.judge(TIMES, started is not None, f"{told} without started_at", seen.event)
        order = [stamp_ns(body.get(name)) for name in ("created_at", "started_at", "completed_at")]
        known = [at_ns for at_ns in order if at_ns is not None]
        self.tally.judge(
            TIMES, known == sorted(known), f"{told}; created, started, completed are out of order", seen.event
        )
        if isinstance(started, str):
            if life.started_at is not None:
                same = life.started_at[0] == started
                self.tally.judge(TIMES, same, f"started_at of {told} has changed", life.started_at[1], seen.event)
            else:
                life.started_at = (started, seen.event)

    # --- what it shows beside what was seen before

    def _judge_end(self, life: _Life, seen: Sighting) -> None:
        for ended in life.ended:
            if not self._is_after(ended, seen):
                continue
            numbered = seen.revision is not None and ended.revision is not None
            same = seen.status == ended.status and (not numbered or seen.revision == ended.revision)
            who = "" if seen.socket is None else f"{seen.socket.told} received "
            told = f"{who}task {seen.task_id} {_shown(seen)} after {_shown(ended)}"
            self.tally.judge(END, same, told, ended.event, seen.event)

    def _is_after(self, first: Sighting, second: Sighting) -> bool:
        """Say whether `second` certainly shows the task as it was later than in `first`."""
        if first.revision is not None and second.revision is not None and second.revision != first.revision:
            return second.revision > first.revision
        if second.revision == first.revision is not None and second.status != first.status:
            return True
        if second.source == "push":
            return first.source == "push" and first.socket is second.socket
        return is_before(first.event, second.begin, self.run.shared_clock)

    def _judge_revision(self, life: _Life, seen: Sighting, revision: int) -> None:
        told = f"task {seen.task_id}"
        self.tally.judge(REVISION, revision >= 1, f"{told} has revision {revision}, expected 1 or more", seen.event)
        known = life.by_revision.get(revision)
        if known is not None:
            same = known.status == seen.status
            told_both = f"{told} was {known.status} and {seen.status} at revision {revision}"
            self.tally.judge(REVISION, same, told_both, known.event, seen.event)
        if seen.source != "rest":
            return
        shown = life.bodies.get(revision)
        if shown is not None:
            same = _canonical(shown.body) == _canonical(seen.body)
            self.tally.judge(REVISION, same, f"{told} changed and kept revision {revision}", shown.event, seen.event)
        before = life.last_rest
        if before is None or before.revision is None:
            return
        if is_before(before.event, seen.begin, self.run.shared_clock):
            back = f"{told} went back from revision {before.revision} to {revision}"
            self.tally.judge(REVISION, revision >= before.revision, back, before.event, seen.event)

    def _judge_unnumbered(self, life: _Life, seen: Sighting) -> None:
        before = life.last_rest if seen.source == "rest" else life.pushes.get(id(seen.socket))
        if before is None or before.status in FINAL or seen.status not in TRANSITIONS:
            return
        if seen.source == "rest" and not is_before(before.event, seen.begin, self.run.shared_clock):
            return
        possible = seen.status == before.status or fewest_moves(before.status, seen.status) is not None
        told = f"task {seen.task_id} was {before.status}, then {seen.status}"
        self.tally.judge(MOVE, possible, told, before.event, seen.event)

    def _judge_step(self, task_id: str, first: Sighting, second: Sighting, grown: int) -> None:
        if first.status in FINAL:
            return
        moves = 0 if first.status == second.status else fewest_moves(first.status, second.status)
        told = f"task {task_id} went from {_shown(first)} to {_shown(second)}"
        self.tally.judge(MOVE, moves is not None and moves <= grown, told, first.event, second.event)

    def _remember(self, life: _Life, seen: Sighting) -> None:
        if seen.revision is not None:
            life.by_revision.setdefault(seen.revision, seen)
            if seen.source == "rest":
                life.bodies.setdefault(seen.revision, seen)
            for book in (life.by_revision, life.bodies):
                if len(book) > REVISIONS_KEPT_MAX:
                    del book[min(book)]
        if seen.source == "rest":
            life.last_rest = seen
        else:
            life.pushes[id(seen.socket)] = seen
        if seen.status in FINAL and not any(_same(seen, ended) for ended in life.ended):
            life.ended.append(seen)


def _same(one: Sighting, two: Sighting) -> bool:
    return (one.status, one.revision, id(one.socket)) == (two.status, two.revision, id(two.socket))


def _shown(seen: Sighting) -> str:
    return seen.status if seen.revision is None else f"{seen.status} (revision {seen.revision})"


def _canonical(body: dict[str, Any]) -> bytes:
    return msgspec.json.encode(body, order="sorted")
