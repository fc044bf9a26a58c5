"""The lifecycle of tasks as decisions over virtual time (contract §4)."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert

from reference_server.contract.lifecycle import FINAL, PROGRESS, PUSHED, TRANSITIONS, TaskStatus
from reference_server.contract.models import Task, TaskPage
from reference_server.core import executor, orchestrator
from reference_server.core.calls import Caller
from reference_server.core.rows import TaskRow
from reference_server.core.transaction import Transaction
from reference_server.core.units import SECOND_NS
from reference_server.store import MemoryStore
from reference_server.store.memory import MemoryTransaction
from reference_server.tests.desk import START_NS, Desk, shown


def simulate(**steering: Any) -> dict[str, Any]:
    return {"constraints": {"simulate": steering}}


def test_a_submitted_task_can_be_read_at_once_with_what_was_submitted() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, query="hé", budget=2, priority="medium", timeout=5, constraints={"k": 1})

    task = convert(desk.task(caller, task_id), Task)
    assert (task.query, task.description, task.input.query, task.type) == ("hé", "hé", "hé", "query")
    assert (task.budget, task.priority, task.timeout, task.input.constraints) == (2.0, "normal", 5.0, {"k": 1})
    assert (task.status, task.progress, task.revision, task.max_retries) == ("queued", 10, 1, 3)
    assert desk.pushes(task_id) == [("queued", 1)]


def test_a_task_completes_and_its_agent_counts_it() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **simulate(duration_ms=100))
    desk.run()

    task = desk.task(caller, task_id)
    agent = shown(desk.decide("get_agent", caller, path={"id": task["assigned_to"]}).answer)
    assert desk.pushes(task_id) == [("queued", 1), ("running", 3), ("completed", 4)]
    assert (task["actual_cost"], task["progress"]) == (agent["price"], 100)
    assert agent["tasks_completed"] == 2_500_001
    assert desk.now_ns == START_NS + SECOND_NS // 10


def test_a_failing_attempt_is_retried_after_1_2_and_3_seconds() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **simulate(duration_ms=0, outcome="fail"))
    desk.run()

    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"], task["actual_cost"]) == ("failed", 3, 0)
    assert [status for status, _ in desk.pushes(task_id)] == ["queued", "running"] * 4 + ["failed"]
    assert desk.now_ns == START_NS + 6 * SECOND_NS


@pytest.mark.parametrize(("fails", "status", "retries"), [(1, "completed", 1), (3, "completed", 3), (4, "failed", 3)])
def test_the_first_attempts_fail_as_often_as_asked(fails: int, status: str, retries: int) -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **simulate(fail_times=fails))
    desk.run()

    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"]) == (status, retries)


@pytest.mark.parametrize("steering", [{"outcome": "hang"}, {"duration_ms": 2000}, {"duration_ms": 1e7}])
def test_a_timeout_fails_the_task_at_once_and_says_so(steering: dict[str, Any]) -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, timeout=2, **simulate(**steering))
    desk.run()

    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"], task["error"]) == ("failed", 0, "timed out after 2 s")
    assert (desk.figures.timed_out, desk.now_ns) == (1, START_NS + 2 * SECOND_NS)


def test_a_task_that_no_agent_fits_fails_at_once_while_every_worker_is_busy() -> None:
    desk = Desk(workers=1)
    caller = desk.register()
    desk.submit(caller, **simulate(outcome="hang"))
    desk.advance()
    waiting, unfit = desk.submit(caller), desk.submit(caller, budget=0.001)
    desk.advance()

    task = desk.task(caller, unfit)
    assert (task["status"], task["progress"], "started_at" in task) == ("failed", 0, False)
    assert desk.task(caller, waiting)["status"] == "queued"


def test_higher_priority_goes_first_then_the_older() -> None:
    desk = Desk(workers=1)
    caller = desk.register()
    order = ["low", "normal", "critical", "high", "normal", "critical"]
    ids = [desk.submit(caller, priority=priority) for priority in order]
    desk.run()

    started = sorted(ids, key=lambda task_id: desk.task(caller, task_id)["started_at"])
    assert started == [ids[n] for n in (2, 5, 3, 1, 4, 0)]


def test_a_full_queue_is_503_with_retry_after_and_nothing_is_written() -> None:
    desk = Desk(queue_max=1)
    caller = desk.register()
    desk.submit(caller)
    answer = desk.decide("submit_task", caller, {"query": "q", "budget": 1}).answer

    assert (answer.status, answer.headers) == (503, (("Retry-After", "1"),))
    assert shown(desk.decide("list_tasks", caller).answer)["total"] == 1


def test_canceling_is_200_once_and_409_afterwards() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **simulate(outcome="hang"))
    desk.advance()
    assert desk.task(caller, task_id)["status"] == "assigned"
    first = desk.decide("cancel_task", caller, path={"id": task_id}).answer
    before = desk.task(caller, task_id)
    second = desk.decide("cancel_task", caller, path={"id": task_id}).answer
    desk.run()

    assert (first.status, second.status) == (200, 409)
    assert desk.task(caller, task_id) == before
    assert desk.pushes(task_id) == [("queued", 1), ("canceled", 3)]
    assert desk.figures == orchestrator.Figures()


@pytest.mark.parametrize("name", ["get_task", "cancel_task"])
def test_anothers_task_and_a_malformed_id_are_404(name: str) -> None:
    desk = Desk()
    owner, other = desk.register("a@b.c"), desk.register("x@b.c")
    task_id = desk.submit(owner)

    answers = [desk.decide(name, other, path={"id": id_}).answer for id_ in (task_id, task_id.upper(), "x", "\udc80")]
    assert {answer.status for answer in answers} == {404}
    assert shown(desk.decide("list_tasks", other).answer)["tasks"] == []


def test_own_tasks_are_listed_newest_first_in_pages() -> None:
    desk = Desk()
    caller = desk.register()
    for number in range(7):
        desk.now_ns += number % 2 * 1000
        desk.submit(caller)
    pages = [
        convert(shown(desk.decide("list_tasks", caller, query=f"limit=3&offset={offset}").answer), TaskPage)
        for offset in (0, 3, 6, 9)
    ]

    listed = [task for page in pages for task in page.tasks]
    assert [page.count for page in pages] == [3, 3, 1, 0]
    assert {page.total for page in pages} == {7}
    by_id = sorted(listed, key=lambda task: task.id)
    assert listed == sorted(by_id, key=lambda task: task.created_at, reverse=True)


def test_an_interrupted_task_runs_again_after_a_restart_without_counting_a_retry() -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, **simulate(duration_ms=1000, fail_times=1))
    desk.advance()
    desk.advance()
    started_at = desk.task(caller, task_id)["started_at"]
    desk.now_ns += SECOND_NS // 2

    assert desk.store.transact(lambda tx: executor.recover(tx, desk.now_ns, "p1")) == []
    desk.outgoing += desk.store.transact(lambda tx: executor.recover(tx, desk.now_ns, "p2"))
    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"], "assigned_to" in task) == ("queued", 0, False)
    desk.run()
    task = desk.task(caller, task_id)
    assert (task["status"], task["retry_count"], task["started_at"]) == ("completed", 1, started_at)


def test_the_figures_are_exact() -> None:
    desk = Desk(workers=3)
    caller = desk.register()
    for steering in ({"duration_ms": 100}, {"duration_ms": 300}, {"outcome": "hang"}):
        desk.submit(caller, timeout=1, **simulate(**steering))
    desk.submit(caller, budget=0.001)
    desk.advance()
    desk.advance()
    during = shown(desk.store.transact(lambda tx: orchestrator.metrics(tx, desk.figures)).answer)
    desk.run()

    after = shown(desk.store.transact(lambda tx: orchestrator.metrics(tx, desk.figures)).answer)
    assert (during["active_workers"], during["tasks_processed"], during["avg_execution_ms"]) == (3, 1, 0)
    assert after == {
        "tasks_processed": 4,
        "tasks_succeeded": 2,
        "tasks_failed": 2,
        "tasks_timed_out": 1,
        "avg_execution_ms": pytest.approx(1400 / 3, abs=0.01),
        "active_workers": 0,
        "success_rate": 50.0,
    }


class WatchedStore(MemoryStore):
    """Keeps what every write of a task changed."""

    def __init__(self) -> None:
        super().__init__()
        self.histories: dict[str, list[TaskRow]] = {}
        self._tx: MemoryTransaction = WatchedTransaction(self.histories)


class WatchedTransaction(MemoryTransaction):
    def __init__(self, histories: dict[str, list[TaskRow]]) -> None:
        super().__init__()
        self._histories = histories

    def put_task(self, task: TaskRow) -> None:
        self._histories.setdefault(task.id, []).append(task)
        super().put_task(task)


STEERING = st.fixed_dictionaries(
    {},
    optional={
        "outcome": st.sampled_from(("complete", "fail", "hang")),
        "duration_ms": st.sampled_from((0, 1, 100, 999, 1000, 1001)),
        "fail_times": st.integers(0, 5),
    },
)
SUBMITS = st.tuples(
    st.just("submit"), STEERING, st.sampled_from(("low", "normal", "high", "critical")), st.sampled_from((1, 0.001))
)
STEPS = st.lists(
    st.one_of(
        SUBMITS,
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from((0, 1, 50, 1000, 5000))),
        st.tuples(st.just("restart")),
        st.tuples(st.just("back"), st.integers(1, 3000)),
    ),
    max_size=25,
)


@given(steps=STEPS, workers=st.integers(1, 3))
@settings(deadline=None, max_examples=150)
def test_whatever_happens_a_task_keeps_to_the_table_and_finishes(steps: list[tuple[Any, ...]], workers: int) -> None:
    store = WatchedStore()
    desk = Desk(store, workers=workers)
    caller = desk.register()
    ids: list[str] = []
    for step in steps:
        _take(desk, caller, ids, step)
        busy = store.transact(_busy)
        assert busy <= workers
    desk.run()

    for task_id in ids:
        _check_history(store.histories[task_id], desk.pushes(task_id))
    finished = [store.histories[task_id][-1].status for task_id in ids]
    assert desk.figures.succeeded == finished.count("completed")
    assert desk.figures.failed == finished.count("failed")


def _busy(tx: Transaction) -> int:
    return tx.count_tasks("assigned") + tx.count_tasks("running")


def _take(desk: Desk, caller: Caller, ids: list[str], step: tuple[Any, ...]) -> None:
    match step:
        case ("submit", steering, priority, budget):
            ids.append(desk.submit(caller, timeout=1, priority=priority, budget=budget, **simulate(**steering)))
        case ("cancel", number) if ids:
            task_id = ids[number % len(ids)]
            final = desk.task(caller, task_id)["status"] in FINAL
            answer = desk.decide("cancel_task", caller, path={"id": task_id}).answer
            assert answer.status == (409 if final else 200)
        case ("wait", ms):
            desk.now_ns += ms * 1_000_000
            desk.advance()
        case ("restart",):
            desk.outgoing += desk.store.transact(lambda tx: executor.recover(tx, desk.now_ns, "another"))
        case ("back", ms):
            desk.now_ns -= ms * 1_000_000
        case _:
            pass


def _check_history(rows: list[TaskRow], pushes: list[tuple[str, int]]) -> None:
    moves = [rows[0]]
    for before, after in pairwise(rows):
        if after.status == before.status:
            assert after.revision == before.revision
            continue
        assert after.status in TRANSITIONS[before.status]
        assert after.revision == before.revision + 1
        assert after.updated_at_ns >= before.updated_at_ns
        assert before.retry_count <= after.retry_count <= before.retry_count + 1 <= 4
        moves.append(after)
    assert [(row.status, row.revision) for row in moves if row.status in PUSHED] == pushes
    last = moves[-1]
    assert last.status in FINAL
    assert last.completed_at_ns is not None
    assert last.retry_count <= 3
    assert (last.actual_cost > 0) == (last.status == "completed")
    assert last.started_at_ns == next((row.started_at_ns for row in moves if row.status == "running"), None)


def test_progress_is_what_the_table_says_in_every_state() -> None:
    desk = Desk(workers=1)
    caller = desk.register()
    task_id = desk.submit(caller, **simulate(duration_ms=10))
    seen: dict[TaskStatus, int] = {}
    for _ in range(4):
        task = desk.task(caller, task_id)
        seen[task["status"]] = task["progress"]
        desk.now_ns = max(desk.now_ns, desk.advance() or 0)

    assert seen == {status: PROGRESS[status] for status in ("queued", "assigned", "running", "completed")}
