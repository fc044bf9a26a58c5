"""The lifecycle as a state machine over both stores in step: any order of submits, cancels, steps, restarts, agents.

The model knows how each task was steered and what was last seen of it. What a rule can't have changed must not have
changed, the stores must agree word for word, and at the end every task is what its steering says (contract §4).
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reference_server.contract.lifecycle import FINAL, PROGRESS, PUSHED, reachable
from reference_server.contract.seeded_agents import SEEDED_AGENTS
from reference_server.core.calls import Caller
from reference_server.core.transaction import Transaction
from reference_server.store import MemoryStore, SqliteStore
from reference_server.tests.desk import Desk, shown

T = TypeVar("T")
AGENTS = ("agent_012", "agent_001", "agent_006")
"""The three that are kept, at 0.01, 0.02 and 0.25."""
WORKERS = 2
TIMEOUT_S = 1
STEERING = st.fixed_dictionaries(
    {},
    optional={
        "outcome": st.sampled_from(("complete", "fail", "hang")),
        "duration_ms": st.sampled_from((0, 1, 400, 999, 1000, 5000)),
        "fail_times": st.integers(0, 5),
    },
)
CHANGES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda status: {"status": status}, st.sampled_from(("active", "active", "inactive", "beta"))),
    st.builds(lambda price: {"price": price}, st.sampled_from((0.01, 0.02, 5.0))),
)


@dataclass
class Known:
    """What the model knows of a task; `seen` is its last view."""

    steering: dict[str, Any]
    seen: dict[str, Any]
    canceled: bool = False


class Lifecycle(RuleBasedStateMachine):
    """Everything that can happen to tasks, done to a desk over each store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="zs-lifecycle-")
        stores = (MemoryStore(), SqliteStore(Path(self.folder.name) / "store.db"))
        self.desks = [Desk(store, workers=WORKERS, queue_max=1000) for store in stores]
        self.agents = set(AGENTS)
        self.known: dict[str, Known] = {}
        self.caller: Caller = self.each(lambda desk: desk.register())
        for agent in (agent for agent in SEEDED_AGENTS if agent.id not in self.agents):
            self.each(partial(Desk.change_agent, agent_id=agent.id))

    def each(self, act: Callable[[Desk], T]) -> T:
        """Do one thing to each desk; return what both agree on."""
        first, second = (act(desk) for desk in self.desks)
        assert first == second
        return first

    def views(self) -> dict[str, dict[str, Any]]:
        pages = self.each(lambda desk: shown(desk.decide("list_tasks", self.caller, query="limit=200").answer))
        return {task["id"]: task for task in pages["tasks"]}

    def teardown(self) -> None:
        self.each(lambda desk: desk.run())
        for task_id, task in self.views().items():
            _check_end(self.known[task_id], task)
        _check_figures(self.desks[0], list(self.views().values()))
        for desk in self.desks:
            desk.store.close()
        self.folder.cleanup()

    # what happens

    @rule(
        steering=STEERING,
        priority=st.sampled_from(("low", "normal", "high", "critical")),
        budget=st.sampled_from((0.005, 0.01, 0.02, 1)),
    )
    def submit(self, steering: dict[str, Any], priority: str, budget: float) -> None:
        body = {"timeout": TIMEOUT_S, "priority": priority, "budget": budget, "constraints": {"simulate": steering}}
        task_id = self.each(lambda desk: desk.submit(self.caller, **body))
        self.known[task_id] = Known(steering, self.views()[task_id])
        assert self.known[task_id].seen["revision"] == 1

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.known)))
        known = self.known[task_id]
        status = self.each(lambda desk: desk.decide("cancel_task", self.caller, path={"id": task_id}).answer.status)
        assert status == (409 if known.seen["status"] in FINAL else 200)
        known.canceled = known.canceled or status == 200

    @rule()
    def step(self) -> None:
        self.each(lambda desk: desk.advance())

    @rule(ms=st.sampled_from((1, 50, 400, 1000, 4000)))
    def wait(self, ms: int) -> None:
        """Let time pass and do all that is due by then: nothing fitting waits beside a free worker."""
        until_ns = self.desks[0].now_ns + ms * 1_000_000
        self.each(lambda desk: _run_to(desk, until_ns))
        self.each(lambda desk: desk.store.transact(partial(_check_settled, now_ns=until_ns)))

    @rule(back_ms=st.integers(0, 3000))
    def restart(self, back_ms: int) -> None:
        """Another process takes over, whose wall clock may be behind."""
        for desk in self.desks:
            desk.now_ns -= back_ms * 1_000_000
        retries = self.retries()
        self.each(lambda desk: desk.restart())
        assert self.retries() == retries
        assert not {task["status"] for task in self.views().values()} & {"assigned", "running"}

    @precondition(lambda self: self.agents)
    @rule(data=st.data(), changes=CHANGES)
    def change_agent(self, data: st.DataObject, changes: dict[str, Any]) -> None:
        agent_id = data.draw(st.sampled_from(sorted(self.agents)))
        self._agent(agent_id, changes)

    @precondition(lambda self: len(self.agents) > 2)
    @rule(data=st.data())
    def delete_agent(self, data: st.DataObject) -> None:
        agent_id = data.draw(st.sampled_from(sorted(self.agents)))
        self._agent(agent_id, {})
        self.agents.discard(agent_id)

    def _agent(self, agent_id: str, changes: dict[str, Any]) -> None:
        retries = self.retries()
        self.each(lambda desk: desk.change_agent(agent_id, **changes))
        assert self.retries() == retries

    def retries(self) -> dict[str, int]:
        return {task_id: task["retry_count"] for task_id, task in self.views().items()}

    # what holds whatever happens

    @invariant()
    def every_task_went_on_as_the_table_allows(self) -> None:
        views = self.views()
        assert views.keys() == self.known.keys()
        for task_id, task in views.items():
            _check_change(self.known[task_id].seen, task)
            pushes = self.desks[0].pushes(task_id)
            assert [revision for _, revision in pushes] == sorted({revision for _, revision in pushes})
            if task["status"] in PUSHED:
                assert pushes[-1] == (task["status"], task["revision"])
            self.known[task_id].seen = task

    @invariant()
    def both_stores_pushed_the_same(self) -> None:
        assert self.desks[0].outgoing == self.desks[1].outgoing

    @invariant()
    def workers_are_not_exceeded_and_every_task_in_hand_has_an_active_agent(self) -> None:
        self.each(lambda desk: desk.store.transact(_check_in_hand))


def _run_to(desk: Desk, until_ns: int) -> int:
    steps = 0
    while True:
        due_ns = desk.advance()
        steps += 1
        assert steps < 1000
        if due_ns is None or due_ns > until_ns:
            break
        desk.now_ns = max(desk.now_ns, due_ns)
    desk.now_ns = until_ns
    return steps


def _check_settled(tx: Transaction, now_ns: int) -> None:
    for row in tx.eligible_tasks(now_ns, 1000):
        assert tx.fitting_agent("query-processing", row.budget) is not None
        assert len(tx.unfinished_tasks()) == WORKERS
    assert not tx.unfit_tasks(1000)


def _check_in_hand(tx: Transaction) -> None:
    in_hand = tx.unfinished_tasks()
    assert len(in_hand) <= WORKERS
    for row in in_hand:
        agent = tx.agent(row.assigned_to or "")
        assert agent is not None
        assert agent.status == "active"
        assert row.price <= row.budget


def _check_change(before: dict[str, Any], after: dict[str, Any]) -> None:
    """What a GET showed and what it shows now: nothing changes without a revision, nothing final changes."""
    if before["revision"] == after["revision"] or before["status"] in FINAL:
        assert after == before
        return
    assert after["status"] in reachable(before["status"])
    assert after["revision"] > before["revision"]
    assert after["updated_at"] >= before["updated_at"]
    assert before["retry_count"] <= after["retry_count"] <= 3
    assert after["progress"] == PROGRESS[after["status"]]
    assert before.get("started_at") in (None, after.get("started_at"))
    assert ("completed_at" in after) == (after["status"] in FINAL)


def _check_end(known: Known, task: dict[str, Any]) -> None:
    """Hold a finished task against its steering; without an agent it may have failed at any time in the queue."""
    assert task["status"] in FINAL
    assert (task["status"] == "canceled") == known.canceled
    if known.canceled or task.get("error", "").startswith("no active agent"):
        return
    assert (task["status"], task["retry_count"], task.get("error")) == _foretold(known.steering)
    assert (task["actual_cost"] > 0) == (task["status"] == "completed")
    assert task["actual_cost"] <= task["budget"]


def _foretold(steering: dict[str, Any]) -> tuple[str, int, str | None]:
    fails, outcome = steering.get("fail_times", 0), steering.get("outcome", "complete")
    timed_out = f"timed out after {TIMEOUT_S} s"
    if steering.get("duration_ms", 0) >= 1000 * TIMEOUT_S:
        return "failed", 0, timed_out
    if outcome == "fail" or fails > 3:
        return "failed", 3, "failed after 4 attempts"
    return ("failed", fails, timed_out) if outcome == "hang" else ("completed", fails, None)


def _check_figures(desk: Desk, tasks: list[dict[str, Any]]) -> None:
    by_status = [task["status"] for task in tasks]
    timed_out = [task for task in tasks if task.get("error", "").startswith("timed out")]
    assert (desk.figures.succeeded, desk.figures.failed) == (by_status.count("completed"), by_status.count("failed"))
    assert desk.figures.timed_out == len(timed_out)
    counts = {agent.id: agent.tasks_completed for agent in SEEDED_AGENTS}

    def check(tx: Transaction) -> None:
        for agent_id in AGENTS:
            agent = tx.agent(agent_id)
            completed = [task for task in tasks if task["status"] == "completed" and task["assigned_to"] == agent_id]
            assert agent is None or agent.tasks_completed == counts[agent_id] + len(completed)

    desk.store.transact(check)


TestLifecycle = pytest.mark.property(Lifecycle.TestCase)
TestLifecycle.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
