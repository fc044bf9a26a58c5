"""Accounts and tasks as a state machine, written once over `Target`: any order of calls, at T0 and on sockets.

The model knows who owns what, which tokens live, and the last status seen of each task; the target must never
contradict it.
"""

import itertools
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from harness.client.rest import SignInError
from harness.history import Recorder
from harness.mutants.catalog import BY_NAME
from harness.seeds import people
from harness.targets.base import Answered, Person, Session, Target
from harness.targets.local import LocalTarget
from harness.targets.simulated import SimulatedTarget
from reference_server.contract.lifecycle import FINAL, TaskStatus, reachable

OUTCOMES: tuple[dict[str, Any], ...] = ({}, {"fail_times": 1}, {"outcome": "fail"}, {"duration_ms": 400})
QUIET_S = 12.0
"""The longest task: four attempts of at most 400 ms, with 1, 2 and 3 s between them, and room for a busy machine."""


class AccountsAndTasks(RuleBasedStateMachine):
    """Register, sign in and out, submit, get, cancel, list, let time pass."""

    target: Target
    persons = Bundle("persons")
    sessions = Bundle("sessions")
    tasks = Bundle("tasks")

    def __init__(self) -> None:
        super().__init__()
        self.seed = 0
        self.names = itertools.count(1)
        self.owner: dict[str, str] = {}
        self.last: dict[str, TaskStatus] = {}

    @initialize(seed=st.integers(0, 1000))
    def begin(self, seed: int) -> None:
        self.seed = seed
        self.target = self.make_target(seed)

    def make_target(self, seed: int) -> Target:
        raise NotImplementedError

    def teardown(self) -> None:
        if hasattr(self, "target"):
            self.target.run(self.target.close())

    @rule(target=persons)
    def register(self) -> Person:
        (person,) = people(self.seed, [f"guest-{next(self.names)}"])
        self.target.run(self.target.sign_up(person))
        return person

    @rule(person=persons)
    def register_again(self, person: Person) -> None:
        with pytest.raises(SignInError, match="409"):
            self.target.run(self.target.sign_up(person))

    @rule(target=sessions, person=persons)
    def log_in(self, person: Person) -> Session:
        return self.target.run(self.target.sign_in(person))

    @rule(person=persons)
    def log_in_with_a_wrong_password(self, person: Person) -> None:
        with pytest.raises(SignInError, match="401"):
            self.target.run(self.target.sign_in(Person(person.name, person.email, "not it at all", person.full_name)))

    @rule(session=consumes(sessions))
    def log_out(self, session: Session) -> None:
        assert self.call(session, "logout").status == 200
        refused = self.call(session, "me")
        assert refused.status == 401
        assert "revoked" in refused.body["message"]

    @rule(target=tasks, session=sessions, steered=st.sampled_from(OUTCOMES), budget=st.sampled_from([0.001, 1, 200]))
    def submit(self, session: Session, steered: dict[str, Any], budget: float) -> str:
        body = {"query": "anything", "budget": budget, "constraints": {"simulate": steered}}
        answer = self.call(session, "submit_task", body=body)
        assert answer.status == 202
        task_id = str(answer.body["task_id"])
        self.owner[task_id] = session.account_id
        self.last[task_id] = "queued"
        return task_id

    @rule(session=sessions, task_id=tasks)
    def get(self, session: Session, task_id: str) -> None:
        answer = self.call(session, "get_task", path={"id": task_id})
        assert answer.status == (200 if self.owner[task_id] == session.account_id else 404)
        if answer.status == 200:
            self.saw(answer.body)

    @rule(session=sessions, task_id=tasks)
    def cancel(self, session: Session, task_id: str) -> None:
        answer = self.call(session, "cancel_task", path={"id": task_id})
        if self.owner[task_id] != session.account_id:
            assert answer.status == 404
            return
        assert answer.status in ((409,) if self.last[task_id] in FINAL else (200, 409))
        after = self.call(session, "get_task", path={"id": task_id}).body
        assert after["status"] in FINAL
        if answer.status == 200:
            assert after["status"] == "canceled"
        self.saw(after)

    @rule(session=sessions)
    def list_tasks(self, session: Session) -> None:
        answer = self.call(session, "list_tasks", query={"limit": "200"})
        own = {task_id for task_id, owner in self.owner.items() if owner == session.account_id}
        assert {task["id"] for task in answer.body["tasks"]} == own
        assert answer.body["total"] == len(own)
        for task in answer.body["tasks"]:
            self.saw(task)

    @rule(seconds=st.sampled_from([0.05, 0.3, 1.5]))
    def let_time_pass(self, seconds: float) -> None:
        self.target.run(self.target.sleep(seconds))

    @precondition(lambda self: any(status not in FINAL for status in self.last.values()))
    @rule(session=sessions)
    def wait_until_quiet(self, session: Session) -> None:
        self.target.run(self.target.sleep(QUIET_S))
        mine = [task_id for task_id, owner in self.owner.items() if owner == session.account_id]
        for task_id in mine:
            task = self.call(session, "get_task", path={"id": task_id}).body
            assert task["status"] in FINAL
            self.saw(task)

    @invariant()
    def every_task_has_an_owner(self) -> None:
        assert self.owner.keys() == self.last.keys()

    def call(self, session: Session, operation: str, **given: Any) -> Answered:
        return self.target.run(session.call(operation, **given))

    def saw(self, task: dict[str, Any]) -> None:
        """Hold a status against the one seen before: only what can follow it may be there now."""
        before, now = self.last[task["id"]], task["status"]
        assert now == before or now in reachable(before), f"{before} was followed by {now}"
        assert task["user_id"] == self.owner[task["id"]]
        self.last[task["id"]] = now


class OnVirtualTime(AccountsAndTasks):
    def make_target(self, seed: int) -> Target:
        return SimulatedTarget(seed)


class OnSockets(AccountsAndTasks):
    def make_target(self, seed: int) -> Target:
        return LocalTarget(Recorder("client", time.monotonic_ns, lambda _: None), seed=seed)

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "target"):
            assert isinstance(self.target, LocalTarget)
            self.target.end()


class OnABrokenServer(AccountsAndTasks):
    def make_target(self, seed: int) -> Target:
        return SimulatedTarget(seed, BY_NAME["moves_a_finished_task"].parts)


UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestOnVirtualTime = pytest.mark.property(OnVirtualTime.TestCase)
TestOnVirtualTime.settings = settings(UNHURRIED, stateful_step_count=30)
TestOnSockets = pytest.mark.property(pytest.mark.slow(OnSockets.TestCase))
TestOnSockets.settings = settings(UNHURRIED, max_examples=3, stateful_step_count=12, database=None)


@pytest.mark.property
def test_the_machine_notices_a_task_that_moves_after_its_end() -> None:
    # To find it is the claim; to make it small would only take time.
    hunt = settings(UNHURRIED, max_examples=200, stateful_step_count=30, phases=[Phase.generate], derandomize=True)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(OnABrokenServer, settings=hunt)
