"""Where tasks end up (contract §4): all finish, retries and timeouts as steered, none without a fitting agent.

`constraints.simulate` of a submit says what the executor will do; the last state that was read says what came of it.
Which agents fit is known from the last `list_agents` and `get_agent` answers of the record; a reference server of
our own begins with the seeded ones. Where agents were changed, a task that none of the others fits may have failed for
want of one.
"""

import re
from typing import Any, Final

from harness.checkers.calls import Call
from harness.checkers.tally import Fold
from harness.checkers.tasks import Sighting, Sightings, Submitted
from harness.history import Event
from reference_server.contract import limits
from reference_server.contract.lifecycle import FINAL
from reference_server.contract.seeded_agents import QUERY_CAPABILITY, SEEDED_AGENTS

FINISH, RETRY, TIMEOUT, FIT = "TASK-FINISH-1", "TASK-RETRY-1", "TASK-TIMEOUT-1", "TASK-FIT-1"
NS_PER_S: Final = 1_000_000_000
SLACK_S: Final = 5.0
AT_ONCE_S: Final = 2.0
AGENT_CHANGES: Final = ("register_agent", "update_agent", "delete_agent")
SAYS_TIMEOUT: Final = re.compile(r"tim(?:e|ed)[ _-]?out", re.IGNORECASE)


class Steering(Fold):
    """Keeps the last sight of each task; memory is bounded by the tasks and agents."""

    name = "steering"
    clauses = (FINISH, RETRY, TIMEOUT, FIT)

    def begin(self) -> None:
        """Forget everything."""
        self._sightings = Sightings()
        self._last: dict[str, Sighting] = {}
        self._read: dict[str, Sighting] = {}
        self._first_read: dict[str, Sighting] = {}
        self._agents = _seeded() if self.run.local else {}
        self._all_agents_known = self.run.local
        self._touched: set[str] = set()
        self._calm_ns: int | None = None
        self._last_ns = 0

    def take(self, event: Event) -> None:
        """Remember tasks, agents and phases."""
        self._last_ns = max(self._last_ns, event.at_ns)
        if event.kind == "phase" and event.data.get("name") in ("healed", "quiet") and self._calm_ns is None:
            self._calm_ns = event.at_ns
        if event.kind == "process" or self.tally.faults:
            self._calm_ns = None
        if event.kind == "process" and event.data.get("action") == "ready":
            self._calm_ns = event.at_ns
        for seen in self._sightings.see(event):
            self._take_sighting(seen)
        if self._sightings.last_call is not None:
            self._take_call(self._sightings.last_call)

    def _take_sighting(self, seen: Sighting) -> None:
        last = self._last.get(seen.task_id)
        if last is None or last.status not in FINAL:
            self._last[seen.task_id] = seen
        if seen.source == "rest":
            self._read[seen.task_id] = seen
            submitted = self._sightings.submitted.get(seen.task_id)
            if submitted is not None:
                late = seen.begin.at_ns - submitted.call.done.at_ns >= AT_ONCE_S * NS_PER_S
                if late or seen.status in FINAL:
                    self._first_read.setdefault(seen.task_id, seen)

    def _take_call(self, call: Call) -> None:
        if call.operation == "get_agent" and call.shown is not None:
            self._agents[str(call.shown.get("id"))] = call.shown
        elif call.operation == "list_agents" and (page := call.shown) is not None:
            agents = page.get("agents")
            for agent in agents if isinstance(agents, list) else []:
                if isinstance(agent, dict):
                    self._agents[str(agent.get("id"))] = agent
            unfiltered = not ({"search", "status"} & set(call.query))
            if unfiltered and len(self._agents) >= (page.get("total") or 0):
                self._all_agents_known = True
        elif call.operation in AGENT_CHANGES:
            made = call.shown.get("agent_id") if call.shown is not None else None
            self._touched.add(str(made or call.path_id))

    def end(self) -> None:
        """Judge every submitted task by where it was seen last."""
        for task_id, submitted in self._sightings.submitted.items():
            last = self._last.get(task_id)
            self._judge_finish(submitted, last)
            read = self._read.get(task_id)
            if read is not None and submitted.simulate is not None and _was_started(read):
                self._judge_steered(submitted, submitted.simulate, read)
            self._judge_fit(submitted)

    # --- finishing

    def _judge_finish(self, submitted: Submitted, last: Sighting | None) -> None:
        if last is not None and last.status in FINAL:
            self.tally.judge(FINISH, True, "", last.event)
            return
        since_ns = max(submitted.call.done.at_ns, self._calm_ns or 0)
        seen_ns = last.begin.at_ns if last is not None else since_ns
        bound_s = _seconds_to_finish(submitted)
        if not self.tally.faults and seen_ns - since_ns >= bound_s * NS_PER_S and last is not None:
            told = f"task {submitted.task_id} is still {last.status} after {(seen_ns - since_ns) / NS_PER_S:.0f} s"
            self.tally.judge(FINISH, False, f"{told}, expected its end within {bound_s:.0f} s", last.event)
        else:
            self.tally.undecided(FINISH, "not every task was watched until it had to be finished")

    # --- steered executions

    def _judge_steered(self, submitted: Submitted, steered: dict[str, Any], read: Sighting) -> None:
        count = read.body.get("retry_count")
        if not isinstance(count, int):
            return
        fails, timed_out, status = _expected(submitted, steered)
        told = f"task {submitted.task_id} steered to {steered} is {read.status} with retry_count {count}"
        fits = count <= min(fails, limits.TASK_RETRIES_MAX)
        if read.status == "failed" and self._may_lack_agents(submitted):
            why = "agents were changed, and a task that no other fits may have failed for want of one"
            self.tally.undecided(TIMEOUT if timed_out else RETRY, why)
            return
        if read.status in ("completed", "failed"):
            fits = count == min(fails, limits.TASK_RETRIES_MAX) and read.status == status
            if timed_out:
                error = read.body.get("error")
                says = isinstance(error, str) and SAYS_TIMEOUT.search(error) is not None
                self.tally.judge(TIMEOUT, fits and says, f"{told} and error {error!r}", submitted.call.done, read.event)
        elif read.status not in FINAL and fits:
            return
        if not timed_out or fails:
            expected = f"expected {status} after {min(fails, limits.TASK_RETRIES_MAX)} retries"
            self.tally.judge(RETRY, fits, f"{told}, {expected}", submitted.call.done, read.event)

    # --- fitting agents

    def _judge_fit(self, submitted: Submitted) -> None:
        if not self._agents:
            return
        budget = submitted.call.sent.get("budget")
        read = self._first_read.get(submitted.task_id)
        if not isinstance(budget, (int, float)) or read is None or read.status == "canceled":
            return
        told = f"task {submitted.task_id} with budget {budget} is {read.status}"
        if self._fits_one_unchanged(budget):
            unserved = read.status == "failed" and not _was_started(read)
            self.tally.judge(FIT, not unserved, f"{told}, though an agent fits", submitted.call.done, read.event)
        elif self._all_agents_known and not self._touched:
            fits = read.status == "failed" and not _was_started(read)
            self.tally.judge(FIT, fits, f"{told}, though no agent fits", submitted.call.done, read.event)

    def _fits_one_unchanged(self, budget: float) -> bool:
        return any(_fits(agent, budget) for id_, agent in self._agents.items() if id_ not in self._touched)

    def _may_lack_agents(self, submitted: Submitted) -> bool:
        budget = submitted.call.sent.get("budget")
        return bool(self._touched) and not (isinstance(budget, (int, float)) and self._fits_one_unchanged(budget))


def _seeded() -> dict[str, dict[str, Any]]:
    return {
        seeded.id: {
            "status": seeded.status,
            "price": seeded.price,
            "capabilities": [*seeded.capabilities, QUERY_CAPABILITY],
        }
        for seeded in SEEDED_AGENTS
    }


def _was_started(read: Sighting) -> bool:
    return read.body.get("started_at") is not None


def _fits(agent: dict[str, Any], budget: float) -> bool:
    price, capabilities = agent.get("price"), agent.get("capabilities")
    offers = isinstance(capabilities, list) and QUERY_CAPABILITY in capabilities
    return agent.get("status") == "active" and offers and isinstance(price, (int, float)) and price <= budget


def _expected(submitted: Submitted, steered: dict[str, Any]) -> tuple[int, bool, str]:
    """Return how many attempts fail before the deciding one, whether that one times out, and the final state."""
    given = steered.get("fail_times", 0)
    fails = given if isinstance(given, int) else 0
    outcome = steered.get("outcome", "complete")
    duration_ms = steered.get("duration_ms", 0)
    if isinstance(duration_ms, (int, float)) and duration_ms >= submitted.timeout_s * 1000:
        return 0, True, "failed"
    if outcome == "fail" or fails > limits.TASK_RETRIES_MAX:
        return limits.TASK_RETRIES_MAX + 1, False, "failed"
    if outcome == "hang":
        return fails, True, "failed"
    return fails, False, "completed"


def _seconds_to_finish(submitted: Submitted) -> float:
    """Return how long a task may take at most, if nothing else delays it."""
    attempts = limits.TASK_RETRIES_MAX + 1
    steered = submitted.simulate
    if steered is not None and steered.get("outcome") != "hang":
        duration_ms = steered.get("duration_ms", 0)
        known_s = duration_ms / 1000 if isinstance(duration_ms, (int, float)) and duration_ms else submitted.timeout_s
        attempt_s = min(known_s, submitted.timeout_s)
    else:
        attempt_s = submitted.timeout_s
    return attempts * attempt_s + sum(limits.RETRY_DELAYS_S) + SLACK_S
