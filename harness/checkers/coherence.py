"""What a push says, a GET started after it was read shows, or something later (contract §5 e)."""

from typing import Final

from harness.checkers.calls import Call, is_before
from harness.checkers.moves import fewest_moves
from harness.checkers.tally import Fold
from harness.checkers.tasks import Sighting, Sightings
from harness.history import Event
from reference_server.contract.lifecycle import FINAL

COHERENCE: Final = "RT-COHERENCE-1"


class Coherence(Fold):
    """Keeps the newest pushes of each task; memory is bounded by the tasks."""

    name = "coherence"
    clauses = (COHERENCE,)

    def begin(self) -> None:
        """Forget everything."""
        self._sightings = Sightings()
        self._pushes: dict[str, list[Sighting]] = {}

    def take(self, event: Event) -> None:
        """Hold each GET against the pushes that were read before it was invoked."""
        for seen in self._sightings.see(event):
            if seen.source == "push":
                self._keep(seen)
            else:
                self._judge(seen)
        call = self._sightings.last_call
        if call is not None and call.operation == "get_task" and call.status == 404:
            self._judge_lost(call)

    def _keep(self, seen: Sighting) -> None:
        # The highest revision and the last state decide; more need not be kept.
        kept = self._pushes.setdefault(seen.task_id, [])
        highest = max((push.revision or 0 for push in kept), default=0)
        if seen.revision is None or seen.revision >= highest:
            kept.append(seen)
        del kept[:-8]

    def _judge(self, seen: Sighting) -> None:
        before = [push for push in self._pushes.get(seen.task_id, []) if self._read_before(push, seen.begin)]
        numbered = [push for push in before if push.revision is not None]
        if numbered and seen.revision is not None:
            newest = max(numbered, key=lambda push: push.revision or 0)
            self._judge_pair(newest, seen, seen.revision >= (newest.revision or 0))
        elif before:
            holds = _by_status(before[-1].status, seen.status)
            if holds is None:
                self.tally.undecided(COHERENCE, "without revision the states alone did not decide")
            else:
                self._judge_pair(before[-1], seen, holds)

    def _judge_pair(self, push: Sighting, seen: Sighting, holds: bool) -> None:
        at = f" at revision {seen.revision}" if seen.revision is not None else ""
        then = f" at revision {push.revision}" if push.revision is not None else ""
        told = f"a read of task {seen.task_id} showed {seen.status}{at} after a push of {push.status}{then} was read"
        self.tally.judge(COHERENCE, holds, told, push.event, seen.begin, seen.event)

    def _judge_lost(self, call: Call) -> None:
        for push in self._pushes.get(call.path_id, [])[-1:]:
            if push.socket is not None and push.socket.account == call.account and self._read_before(push, call.invoke):
                told = f"a read of task {push.task_id} was 404 after a push of it was read"
                self.tally.judge(COHERENCE, False, told, push.event, call.invoke, call.done)

    def _read_before(self, push: Sighting, invoke: Event) -> bool:
        return is_before(push.event, invoke, self.run.shared_clock)


def _by_status(pushed: str, shown: str) -> bool | None:
    """Return what the states alone decide: None when the shown one may be earlier or later."""
    if pushed == shown:
        return True
    if pushed in FINAL:
        return False
    later = fewest_moves(pushed, shown) is not None
    earlier = fewest_moves(shown, pushed) is not None
    if later and earlier:
        return None
    return later
