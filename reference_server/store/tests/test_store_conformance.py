"""The one suite that every store passes; a new store gets its row in `STORES`."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference_server.contract.lifecycle import TaskStatus
from reference_server.contract.models import Priority
from reference_server.contract.operations import AgentsQuery
from reference_server.core.rows import (
    TaskRow,
    replaced,
    replaced_account,
    replaced_agent,
    replaced_deployment,
    replaced_key,
)
from reference_server.core.transaction import EmailTakenError, Transaction, VersionTakenError
from reference_server.store import MemoryStore, SqliteStore, Store, StoreError
from reference_server.store.base import ReadWroteError
from reference_server.store.tests.rows import NOW_NS, account, agent, deployment, id_of, key, put, task, version

T = TypeVar("T")
STORES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "store.db"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


class BrokenError(Exception):
    pass


def test_an_account_is_found_by_id_and_by_e_mail(store: Store) -> None:
    store.transact(lambda tx: tx.insert_account(account(1)))

    assert store.transact(lambda tx: tx.account(id_of(1))) == account(1)
    assert store.transact(lambda tx: tx.account_by_email("p1@example.org")) == account(1)
    assert store.transact(lambda tx: tx.account(id_of(2))) is None
    assert store.transact(lambda tx: tx.account_by_email("P1@example.org")) is None


def test_a_taken_e_mail_is_refused_and_the_rest_of_the_commit_stands(store: Store) -> None:
    def work(tx: Transaction) -> None:
        tx.insert_account(account(1))
        with pytest.raises(EmailTakenError):
            tx.insert_account(account(2, email_key=account(1).email_key))
        tx.insert_account(account(3))

    store.transact(work)

    assert store.transact(lambda tx: [tx.account(id_of(n)) for n in (1, 2, 3)]) == [account(1), None, account(3)]


def test_an_account_is_replaced(store: Store) -> None:
    after = replaced_account(account(1), role="admin", revoked_until_ns=5, issued_until_ns=7, email_key="new@x.y")
    store.transact(lambda tx: tx.insert_account(account(1)))
    store.transact(lambda tx: tx.update_account(after))

    assert store.transact(lambda tx: tx.account_by_email("new@x.y")) == after
    assert store.transact(lambda tx: tx.account_by_email("p1@example.org")) is None


def test_an_account_does_not_get_a_taken_e_mail(store: Store) -> None:
    put(store, account(1), account(2))
    taken = replaced_account(account(2), email_key=account(1).email_key)

    with pytest.raises(EmailTakenError):
        store.transact(lambda tx: tx.update_account(taken))

    assert store.transact(lambda tx: tx.account(id_of(2))) == account(2)


def test_revoked_tokens_are_remembered_until_they_expire(store: Store) -> None:
    for jti, expires_at_ns in (("a", 10), ("b", 11), ("b", 11)):
        store.transact(partial(_revoke, jti, expires_at_ns))
    assert store.transact(lambda tx: [tx.token_revoked(jti) for jti in "abc"]) == [True, True, False]

    store.transact(lambda tx: tx.forget_revocations(10))

    assert store.transact(lambda tx: [tx.token_revoked(jti) for jti in "abc"]) == [False, True, False]


def _revoke(jti: str, expires_at_ns: int, tx: Transaction) -> None:
    tx.revoke_token(jti, expires_at_ns)


@pytest.mark.parametrize(
    ("ends", "work"),
    [
        (True, partial(_revoke, "jti", 10)),
        (True, lambda tx: tx.update_account(account(1, role="admin"))),
        (True, lambda tx: tx.update_account(account(1, revoked_until_ns=5))),
        (True, lambda tx: tx.put_key(key(1, status="revoked"))),
        (False, lambda tx: tx.account(id_of(1))),
        (False, lambda tx: tx.insert_account(account(2))),
        (False, lambda tx: tx.update_account(account(1, issued_until_ns=7, password_hash="newer", full_name="Ann"))),
        (False, lambda tx: tx.put_key(key(2))),
        (False, lambda tx: tx.put_key(key(1, last_used_at_ns=9))),
        (False, lambda tx: tx.put_task(task(1))),
        (False, lambda tx: tx.forget_revocations(NOW_NS)),
    ],
)
def test_the_revision_differs_once_a_credential_may_have_ended(
    store: Store, ends: bool, work: Callable[[Transaction], None]
) -> None:
    put(store, account(1), key(1))
    before = store.revision()
    assert store.revision() == before
    store.transact(work)

    assert (store.revision() != before) == ends


def test_api_keys_are_found_by_id_and_by_hash_and_listed_newest_first(store: Store) -> None:
    put(store, key(1), key(2), key(3, account_id=id_of(2)))
    revoked = replaced_key(key(1), status="revoked", last_used_at_ns=7)
    store.transact(lambda tx: tx.put_key(revoked))

    assert store.transact(lambda tx: tx.key(key(1).id)) == revoked
    assert store.transact(lambda tx: tx.key_by_hash(key(2).key_hash)) == key(2)
    assert store.transact(lambda tx: tx.key_by_hash("0")) is None
    assert store.transact(lambda tx: tx.keys_of(id_of(1), 2)) == ([key(2), revoked], 2)
    assert store.transact(lambda tx: tx.keys_of(id_of(1), 1)) == ([key(2)], 2)


def test_an_account_is_found_by_its_picture(store: Store) -> None:
    pictured = account(1, avatar="unguessable", avatar_type="image/png")
    put(store, pictured, account(2))

    assert store.transact(lambda tx: tx.account_by_avatar("unguessable")) == pictured
    assert store.transact(lambda tx: tx.account_by_avatar("other")) is None


def test_binaries_are_listed_last_first_and_go_with_their_agent(store: Store) -> None:
    put(store, agent(1), agent(2), version(1), version(2), version(3, 2))
    with pytest.raises(VersionTakenError):
        put(store, version(2))
    assert store.transact(lambda tx: tx.versions_of("agent_001", None)) == ([version(2), version(1)], 2)
    assert store.transact(lambda tx: tx.versions_of("agent_001", 1)) == ([version(2)], 2)
    assert store.transact(lambda tx: tx.version("agent_001", "1.0.1")) == version(1)
    assert store.transact(lambda tx: tx.version("agent_001", "1.0.3")) is None

    store.transact(lambda tx: tx.delete_version("agent_001", "1.0.2"))
    assert store.transact(lambda tx: tx.versions_of("agent_001", None)) == ([version(1)], 1)
    assert sorted(store.transact(lambda tx: tx.blobs())) == ["blob1", "blob3"]

    store.transact(lambda tx: tx.delete_agent("agent_001"))
    assert store.transact(lambda tx: tx.agent("agent_001")) is None
    assert store.transact(lambda tx: tx.versions_of("agent_001", None)) == ([], 0)
    assert store.transact(lambda tx: tx.versions_of("agent_002", None)) == ([version(3, 2)], 1)


def test_deployments_are_listed_by_account_and_by_agent(store: Store) -> None:
    put(store, deployment(1), deployment(2), deployment(3, user_id=id_of(2)), deployment(4, agent_id="agent_002"))
    stopped = replaced_deployment(deployment(1), status="stopped", updated_at_ns=NOW_NS + 5)
    store.transact(lambda tx: tx.put_deployment(stopped))

    assert store.transact(lambda tx: tx.deployment(stopped.id)) == stopped
    assert store.transact(lambda tx: tx.deployment(id_of(9))) is None
    rows = [deployment(4, agent_id="agent_002"), deployment(2), stopped]
    assert store.transact(lambda tx: tx.deployments_of(id_of(1), 9)) == (rows, 3)
    assert store.transact(lambda tx: tx.deployments_of(id_of(1), 2)) == (rows[:2], 3)
    assert [row.order for row in store.transact(lambda tx: tx.deployments_on("agent_001"))] == [1, 2, 3]


def test_the_order_of_rows_grows_over_keys_binaries_and_deployments(store: Store) -> None:
    assert store.transact(lambda tx: tx.next_row_order()) == 1
    put(store, key(4), version(7), deployment(5))
    assert store.transact(lambda tx: tx.next_row_order()) == 8


def test_agents_are_replaced_filtered_sorted_and_paged(store: Store) -> None:
    rows = [agent(n, created_at_ns=NOW_NS - n, rating=4.0) for n in (3, 1, 2)] + [agent(4, status="beta", rating=5.0)]
    put(store, *rows)
    store.transact(lambda tx: tx.put_agent(replaced_agent(rows[0], tasks_completed=9)))

    def ids(query: AgentsQuery) -> list[str]:
        return [row.id[-1] for row in store.transact(lambda tx: tx.agents(query))[0]]

    assert ids(AgentsQuery()) == ["4", "1", "2", "3"]
    assert ids(AgentsQuery(sort="rating")) == ["4", "1", "2", "3"]
    assert ids(AgentsQuery(sort="tasks")) == ["3", "1", "2", "4"]
    assert ids(AgentsQuery(sort="price", page=2, limit=3)) == ["4"]
    assert ids(AgentsQuery(sort="name", status="active")) == ["1", "2", "3"]
    assert ids(AgentsQuery(search="SKILL_2")) == ["2"]
    assert ids(AgentsQuery(search="%")) == []
    assert store.transact(lambda tx: tx.agents(AgentsQuery(page=9)))[1] == 4
    assert store.transact(lambda tx: tx.agent("agent_003")) == replaced_agent(rows[0], tasks_completed=9)


def test_the_cheapest_active_agent_within_the_price_fits(store: Store) -> None:
    rows = [agent(1, status="inactive"), agent(2, status="beta"), agent(3), agent(4, price=3.0)]
    put(store, *rows)

    def fitting(capability: str, price: float) -> str | None:
        found = store.transact(lambda tx: tx.fitting_agent(capability, price))
        return None if found is None else found.id

    assert fitting("query-processing", 3.0) == "agent_003"
    assert fitting("query-processing", 2.9) is None
    assert fitting("skill_4", 99) == "agent_004"
    assert fitting("query", 99) is None
    for change, cheapest in (({"tasks_completed": 9}, "agent_003"), ({"price": 9.0}, "agent_004"), ({}, "agent_003")):
        put(store, agent(3, **({"price": 3.0} | change)))
        assert fitting("query-processing", 9.0) == cheapest
    found = store.transact(lambda tx: tx.fitting_agent("query-processing", 9.0))
    assert found == store.transact(lambda tx: tx.agent("agent_003"))
    store.transact(lambda tx: tx.delete_agent("agent_003"))
    assert fitting("query-processing", 9.0) == "agent_004"


def test_a_task_comes_back_as_it_was_put(store: Store) -> None:
    row = task(
        1,
        status="completed",
        result={"text": "ü", "n": [1.5, None]},
        error="e",
        assigned_to="agent_001",
        planned_outcome="complete",
        started_at_ns=1,
        attempt_started_at_ns=2,
        completed_at_ns=2**62,
        leased_by="p",
        retry_count=3,
        revision=9,
        actual_cost=0.1,
        priority="critical",
    )
    put(store, task(1))
    put(store, row)

    assert store.transact(lambda tx: tx.task(row.id)) == row
    assert store.transact(lambda tx: tx.task(id_of(9))) is None


def test_a_task_put_twice_in_one_transaction_counts_once(store: Store) -> None:
    put(store, task(1), task(2), task(1, status="running"), task(1, status="failed"), task(2, status="assigned"))

    def counts(tx: Transaction) -> dict[str, int]:
        statuses: Sequence[TaskStatus] = ("queued", "assigned", "running", "failed")
        return {status: tx.count_tasks(status) for status in statuses}

    assert store.transact(counts) == {"queued": 0, "assigned": 1, "running": 0, "failed": 1}


def test_order_grows_past_every_task(store: Store) -> None:
    def two(tx: Transaction) -> list[int]:
        orders = []
        for number in (1, 2):
            orders.append(tx.next_order())
            tx.put_task(task(number, order=orders[-1]))
        return orders

    assert store.transact(two) == [1, 2]
    assert store.transact(lambda tx: tx.next_order()) == 3


def test_the_pages_of_an_accounts_tasks_partition_them_newest_first(store: Store) -> None:
    rows = [task(n, created_at_ns=NOW_NS + n // 3) for n in range(10)]
    put(store, *rows, task(50, user_id=id_of(2)))
    wanted = sorted(rows, key=lambda row: (-row.created_at_ns, row.id))

    def page(offset: int) -> tuple[Sequence[TaskRow], int]:
        return store.transact(lambda tx: tx.tasks_of(id_of(1), None, None, 3, offset))

    assert [row for offset in range(0, 12, 3) for row in page(offset)[0]] == wanted
    assert page(99) == ([], 10)


def test_an_accounts_tasks_are_filtered_by_status_and_type(store: Store) -> None:
    put(store, task(1), task(2, status="failed"))

    def ids(status: TaskStatus | None, type_: str | None) -> list[str]:
        return [row.id for row in store.transact(lambda tx: tx.tasks_of(id_of(1), status, type_, 9, 0))[0]]

    assert ids("failed", None) == [task(2).id]
    assert ids("queued", "query") == [task(1).id]
    assert ids(None, "training") == []


def test_eligible_tasks_come_by_priority_then_age_once_they_are_due(store: Store) -> None:
    priorities: list[Priority] = ["low", "high", "normal", "high", "critical"]
    put(store, *(task(n, priority=priority) for n, priority in enumerate(priorities, start=1)))
    put(store, task(6, priority="critical", due_at_ns=NOW_NS + 1), task(7, priority="critical", status="running"))

    def orders(now_ns: int, limit: int) -> list[int]:
        return [row.order for row in store.transact(lambda tx: tx.eligible_tasks(now_ns, limit))]

    assert orders(NOW_NS, 9) == [5, 2, 4, 3, 1]
    assert orders(NOW_NS + 1, 3) == [5, 6, 2]
    assert orders(NOW_NS - 1, 9) == []


def test_queued_tasks_with_a_smaller_budget_are_planned_and_no_others(store: Store) -> None:
    put(store, task(1, budget=0.5), task(2, budget=1.0), task(3, budget=0.5, status="running"), task(4, budget=0.9))
    store.transact(lambda tx: tx.plan_queued("no_agent", 1.0))

    assert [row.order for row in store.transact(lambda tx: tx.unfit_tasks(9))] == [1, 4]
    assert store.transact(lambda tx: tx.task(task(1).id)) == task(1, budget=0.5, planned_outcome="no_agent")
    assert store.transact(lambda tx: tx.task(task(3).id)) == task(3, budget=0.5, status="running")
    store.transact(lambda tx: tx.plan_queued("no_agent", inf))
    assert [row.order for row in store.transact(lambda tx: tx.unfit_tasks(9))] == [1, 2, 4]


def test_unfit_tasks_are_queued_ones_with_a_planned_outcome(store: Store) -> None:
    put(store, task(1), task(3, planned_outcome="no_agent"), task(2, planned_outcome="no_agent"))
    put(store, task(4, planned_outcome="complete", status="running"))

    assert [row.order for row in store.transact(lambda tx: tx.unfit_tasks(9))] == [2, 3]
    assert [row.order for row in store.transact(lambda tx: tx.unfit_tasks(1))] == [2]


def test_a_task_that_becomes_unfit_is_found_though_there_was_none_before(store: Store) -> None:
    def unfit() -> Sequence[TaskRow]:
        return store.transact(lambda tx: tx.unfit_tasks(9))

    put(store, task(1))
    assert unfit() == []
    for number in (1, 2):
        row = task(number, planned_outcome="no_agent")
        put(store, row)
        assert unfit() == [row]
        put(store, replaced(row, planned_outcome=None))
        assert unfit() == []
    store.transact(lambda tx: tx.plan_queued("no_agent", inf))
    assert [row.order for row in unfit()] == [1, 2]


def test_due_tasks_are_assigned_and_running_ones_whose_time_has_come(store: Store) -> None:
    put(
        store,
        task(1, status="running", due_at_ns=NOW_NS + 5),
        task(2, status="assigned", due_at_ns=NOW_NS),
        task(3, status="running", due_at_ns=NOW_NS),
        task(4, due_at_ns=NOW_NS),
        task(5, status="canceled", due_at_ns=NOW_NS),
    )

    def orders(now_ns: int) -> list[int]:
        return [row.order for row in store.transact(lambda tx: tx.due_tasks(now_ns, 9))]

    assert orders(NOW_NS - 1) == []
    assert orders(NOW_NS) == [2, 3]
    assert orders(NOW_NS + 5) == [2, 3, 1]
    assert [row.order for row in store.transact(lambda tx: tx.unfinished_tasks())] == [1, 2, 3]


def test_the_next_due_time_looks_at_unfinished_tasks_only(store: Store) -> None:
    def next_due(*, queued: bool) -> int | None:
        return store.transact(lambda tx: tx.next_due_ns(queued=queued))

    assert next_due(queued=True) is None
    put(store, task(1, due_at_ns=9), task(2, status="running", due_at_ns=11), task(3, status="failed", due_at_ns=1))
    assert (next_due(queued=True), next_due(queued=False)) == (9, 11)
    put(store, task(2, status="canceled"))
    assert (next_due(queued=True), next_due(queued=False)) == (9, None)


def test_work_that_raises_leaves_nothing(store: Store) -> None:
    put(store, agent(1), account(1), task(1))

    def work(tx: Transaction) -> None:
        tx.insert_account(account(2))
        tx.update_account(replaced_account(account(1), role="admin"))
        tx.revoke_token("jti", NOW_NS)
        tx.put_agent(agent(1, tasks_completed=5))
        tx.put_agent(agent(2))
        tx.put_task(task(1, status="running", due_at_ns=3))
        tx.put_task(task(2))
        raise BrokenError

    with pytest.raises(BrokenError):
        store.transact(work)

    def left(tx: Transaction) -> list[object]:
        return [
            tx.account(id_of(2)),
            tx.account(id_of(1)),
            tx.token_revoked("jti"),
            tx.agent("agent_001"),
            tx.agents(AgentsQuery())[1],
            tx.task(task(1).id),
            tx.task(task(2).id),
            tx.next_order(),
            tx.count_tasks("running"),
            tx.count_tasks("queued"),
            tx.next_due_ns(),
            tx.tasks_of(id_of(1), None, None, 9, 0)[1],
        ]

    assert store.transact(left) == [None, account(1), False, agent(1), 1, task(1), None, 2, 0, 1, NOW_NS, 1]


def test_a_read_sees_what_is_committed_and_writes_nothing(store: Store) -> None:
    put(store, task(1))

    assert store.read(lambda tx: tx.task(task(1).id)) == task(1)
    with pytest.raises(ReadWroteError):
        store.read(lambda tx: tx.put_task(task(2)))
    assert store.read(_census) == (task(1), None, 1, 2)


def _census(tx: Transaction) -> tuple[TaskRow | None, TaskRow | None, int, int]:
    return tx.task(task(1).id), tx.task(task(2).id), tx.count_tasks("queued"), tx.next_order()


def test_a_read_that_raises_leaves_the_store_usable(store: Store) -> None:
    def broken(tx: Transaction) -> None:
        tx.put_task(task(2))
        raise BrokenError

    with pytest.raises(BrokenError):
        store.read(broken)
    put(store, task(1))

    assert store.read(_census) == (task(1), None, 1, 2)


def test_a_closed_store_says_so(store: Store) -> None:
    store.check()
    store.close()
    store.close()

    with pytest.raises(StoreError, match="closed"):
        store.check()
    with pytest.raises(StoreError, match="closed"):
        store.revision()
    with pytest.raises(StoreError, match="closed"):
        store.transact(lambda tx: tx.account("x"))
    with pytest.raises(StoreError, match="closed"):
        store.read(lambda tx: tx.account("x"))


STATUSES = st.sampled_from(("queued", "assigned", "running", "completed", "failed", "canceled"))
WRITES = st.lists(
    st.tuples(st.integers(1, 6), STATUSES, st.integers(0, 4), st.sampled_from(("low", "normal", "critical"))),
    max_size=12,
)


@given(groups=st.lists(st.tuples(WRITES, st.booleans()), max_size=6))
@settings(deadline=None, max_examples=60)
def test_memory_and_sqlite_answer_alike(tmp_path_factory: pytest.TempPathFactory, groups: object) -> None:
    stores: list[Store] = [MemoryStore(), SqliteStore(tmp_path_factory.mktemp("alike") / "store.db")]
    assert isinstance(groups, list)
    for writes, breaks in groups:
        for one in stores:
            _write(one, writes, breaks=breaks)
        first, second = (one.transact(_everything) for one in stores)
        assert first == second
    for one in stores:
        one.close()


def _write(store: Store, writes: list[tuple[int, TaskStatus, int, Priority]], *, breaks: bool) -> None:
    def work(tx: Transaction) -> None:
        for number, status, due_ns, priority in writes:
            before = tx.task(task(number).id) or task(number, priority=priority)
            tx.put_task(replaced(before, status=status, due_at_ns=due_ns))
        if breaks:
            raise BrokenError

    try:
        store.transact(work)
    except BrokenError:
        assert breaks


def _everything(tx: Transaction) -> list[object]:
    statuses: Sequence[TaskStatus] = ("queued", "assigned", "running", "completed", "failed", "canceled")
    return [
        [list(tx.eligible_tasks(now_ns, 3)) for now_ns in range(5)],
        [list(tx.due_tasks(now_ns, 3)) for now_ns in range(5)],
        [tx.next_due_ns(queued=queued) for queued in (True, False)],
        [tx.count_tasks(status) for status in statuses],
        list(tx.unfinished_tasks()),
        list(tx.tasks_of(id_of(1), None, None, 4, 1)[0]),
        tx.next_order(),
    ]
