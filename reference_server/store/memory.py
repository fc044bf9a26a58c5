"""The store in memory: dictionaries, sorted indexes, and an undo log that makes a transaction all or nothing."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from reference_server.contract.lifecycle import FINAL, TaskStatus
from reference_server.contract.operations import AgentsQuery
from reference_server.core.agents import cheapest_fitting, page_of
from reference_server.core.rows import AccountRow, AgentRow, DeploymentRow, KeyRow, TaskRow, VersionRow, replaced
from reference_server.core.tasks import TASK_TYPE
from reference_server.core.transaction import EmailTakenError, Transaction, VersionTakenError
from reference_server.store.base import ReadWroteError, Revision, StoreError
from reference_server.store.ended_credentials import ends_key, ends_tokens
from reference_server.store.ranks import RANK

T = TypeVar("T")
R = TypeVar("R", KeyRow, VersionRow, DeploymentRow)
Key = tuple[Any, ...]


class MemoryStore:
    """Durable for as long as the process lives; what `Store` asks for otherwise."""

    def __init__(self) -> None:
        self._tx = MemoryTransaction()
        self._closed = False

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; what it raised is undone."""
        self.check()
        try:
            result = work(self._tx)
        except BaseException:
            self._tx.undo()
            raise
        self._tx.keep()
        return result

    def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; what it wrote is undone, and it is told so."""
        self.check()
        try:
            result = work(self._tx)
        finally:
            wrote = self._tx.undo()
        if wrote:
            raise ReadWroteError
        return result

    def revision(self) -> Revision:
        """Return how many writes ended credentials; nobody else writes to this memory."""
        self.check()
        return (self._tx.ended,)

    def check(self) -> None:
        """Raise StoreError when the store is closed."""
        if self._closed:
            raise StoreError("the store in memory is closed; open a new one")

    def close(self) -> None:
        """End the store; repeatable."""
        self._closed = True


class MemoryTransaction:
    """The tables; one instance serves all transactions, as they run one after another."""

    def __init__(self) -> None:
        self.ended = 0
        self._accounts: dict[str, AccountRow] = {}
        self._ids_by_email: dict[str, str] = {}
        self._revoked: dict[str, int] = {}
        self._agents: dict[str, AgentRow] = {}
        self._keys: dict[str, KeyRow] = {}
        self._keys_by_hash: dict[str, str] = {}
        self._versions: dict[tuple[str, str], VersionRow] = {}
        self._deployments: dict[str, DeploymentRow] = {}
        self._tasks: dict[str, TaskRow] = {}
        self._last_order = 0
        self._by_user: dict[str, list[Key]] = {}
        self._by_status: dict[TaskStatus, int] = {}
        self._eligible: list[Key] = []
        self._queued_due: list[Key] = []
        self._active_due: list[Key] = []
        self._unfit: list[Key] = []
        self._undo: list[Callable[[], object]] = []

    def keep(self) -> None:
        """Make what was written since the last call final."""
        self._undo.clear()

    def undo(self) -> bool:
        """Take back what was written since the last `keep`, last first; say whether there was anything."""
        wrote = bool(self._undo)
        while self._undo:
            self._undo.pop()()
        return wrote

    # accounts and revocations

    def account(self, account_id: str) -> AccountRow | None:
        return self._accounts.get(account_id)

    def account_by_email(self, email_key: str) -> AccountRow | None:
        account_id = self._ids_by_email.get(email_key)
        return None if account_id is None else self._accounts[account_id]

    def insert_account(self, account: AccountRow) -> None:
        if account.email_key in self._ids_by_email:
            raise EmailTakenError(account.email_key)
        self._set(self._accounts, account.id, account)
        self._set(self._ids_by_email, account.email_key, account.id)

    def update_account(self, account: AccountRow) -> None:
        before = self._accounts[account.id]
        if before.email_key != account.email_key:
            if account.email_key in self._ids_by_email:
                raise EmailTakenError(account.email_key)
            self._set(self._ids_by_email, before.email_key, None)
            self._set(self._ids_by_email, account.email_key, account.id)
        self._set(self._accounts, account.id, account)
        self.ended += ends_tokens(before, account)

    def revoke_token(self, jti: str, expires_at_ns: int) -> None:
        self.ended += 1
        self._set(self._revoked, jti, expires_at_ns)

    def token_revoked(self, jti: str) -> bool:
        return jti in self._revoked

    def forget_revocations(self, now_ns: int) -> None:
        for jti in [jti for jti, expires_at_ns in self._revoked.items() if expires_at_ns <= now_ns]:
            self._set(self._revoked, jti, None)

    def account_by_avatar(self, avatar: str) -> AccountRow | None:
        return next((account for account in self._accounts.values() if account.avatar == avatar), None)

    # API keys

    def key(self, key_id: str) -> KeyRow | None:
        return self._keys.get(key_id)

    def key_by_hash(self, key_hash: str) -> KeyRow | None:
        key_id = self._keys_by_hash.get(key_hash)
        return None if key_id is None else self._keys[key_id]

    def put_key(self, key: KeyRow) -> None:
        self._set(self._keys, key.id, key)
        self._set(self._keys_by_hash, key.key_hash, key.id)
        self.ended += ends_key(key)

    def keys_of(self, account_id: str, limit: int) -> tuple[Sequence[KeyRow], int]:
        return _newest((key for key in self._keys.values() if key.account_id == account_id), limit)

    # agents

    def agent(self, agent_id: str) -> AgentRow | None:
        return self._agents.get(agent_id)

    def agents(self, query: AgentsQuery) -> tuple[Sequence[AgentRow], int]:
        return page_of(self._agents.values(), query)

    def put_agent(self, agent: AgentRow) -> None:
        self._set(self._agents, agent.id, agent)

    def fitting_agent(self, capability: str, price_max: float) -> AgentRow | None:
        return cheapest_fitting(self._agents.values(), capability, price_max)

    def delete_agent(self, agent_id: str) -> None:
        self._set(self._agents, agent_id, None)
        for version in self.versions_of(agent_id, None)[0]:
            self.delete_version(agent_id, version.version)

    # binaries

    def insert_version(self, version: VersionRow) -> None:
        if (version.agent_id, version.version) in self._versions:
            raise VersionTakenError
        self._set(self._versions, (version.agent_id, version.version), version)

    def version(self, agent_id: str, version: str) -> VersionRow | None:
        return self._versions.get((agent_id, version))

    def versions_of(self, agent_id: str, limit: int | None) -> tuple[Sequence[VersionRow], int]:
        return _newest((version for version in self._versions.values() if version.agent_id == agent_id), limit)

    def delete_version(self, agent_id: str, version: str) -> None:
        self._set(self._versions, (agent_id, version), None)

    def blobs(self) -> Sequence[str]:
        avatars = [account.avatar for account in self._accounts.values() if account.avatar is not None]
        return [version.blob for version in self._versions.values()] + avatars

    # deployments

    def deployment(self, deployment_id: str) -> DeploymentRow | None:
        return self._deployments.get(deployment_id)

    def put_deployment(self, deployment: DeploymentRow) -> None:
        self._set(self._deployments, deployment.id, deployment)

    def deployments_of(self, user_id: str, limit: int) -> tuple[Sequence[DeploymentRow], int]:
        return _newest((row for row in self._deployments.values() if row.user_id == user_id), limit)

    def deployments_on(self, agent_id: str) -> Sequence[DeploymentRow]:
        rows = (row for row in self._deployments.values() if row.agent_id == agent_id)
        return sorted(rows, key=lambda row: row.order)

    def next_row_order(self) -> int:
        tables: tuple[dict[Any, Any], ...] = (self._keys, self._versions, self._deployments)
        return max((row.order for table in tables for row in table.values()), default=0) + 1

    # tasks

    def next_order(self) -> int:
        return self._last_order + 1

    def task(self, task_id: str) -> TaskRow | None:
        return self._tasks.get(task_id)

    def put_task(self, task: TaskRow) -> None:
        before, last_order = self._tasks.get(task.id), self._last_order
        self._undo.append(lambda: self._replace_task(task, before, last_order))
        self._replace_task(before, task, max(last_order, task.order))

    def tasks_of(
        self, user_id: str, status: TaskStatus | None, type_: str | None, limit: int, offset: int
    ) -> tuple[Sequence[TaskRow], int]:
        if type_ not in (None, TASK_TYPE):
            return [], 0
        rows = [self._tasks[key[-1]] for key in self._by_user.get(user_id, ())]
        found = [row for row in rows if status is None or row.status == status]
        return found[offset : offset + limit], len(found)

    def count_tasks(self, status: TaskStatus) -> int:
        return self._by_status.get(status, 0)

    def eligible_tasks(self, now_ns: int, limit: int) -> Sequence[TaskRow]:
        found: list[TaskRow] = []
        for key in self._eligible:
            row = self._tasks[key[-1]]
            if row.due_at_ns <= now_ns:
                found.append(row)
            if len(found) == limit:
                break
        return found

    def unfit_tasks(self, limit: int) -> Sequence[TaskRow]:
        return [self._tasks[key[-1]] for key in self._unfit[:limit]]

    def due_tasks(self, now_ns: int, limit: int) -> Sequence[TaskRow]:
        due = self._active_due[: bisect_left(self._active_due, (now_ns + 1,))]
        return [self._tasks[key[-1]] for key in due[:limit]]

    def next_due_ns(self, *, queued: bool = True) -> int | None:
        indexes = (self._active_due, self._queued_due) if queued else (self._active_due,)
        return min((index[0][0] for index in indexes if index), default=None)

    def unfinished_tasks(self) -> Sequence[TaskRow]:
        return sorted((self._tasks[key[-1]] for key in self._active_due), key=lambda row: row.order)

    def plan_queued(self, outcome: str, budget_under: float) -> None:
        queued = [self._tasks[key[-1]] for key in self._eligible]
        for row in queued:
            if row.budget < budget_under:
                self.put_task(replaced(row, planned_outcome=outcome))

    # writing

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """Put a value (None takes the key away) and remember how to take that back."""
        before = table.get(key)
        self._undo.append(lambda: _place(table, key, before))
        _place(table, key, value)

    def _replace_task(self, before: TaskRow | None, after: TaskRow | None, last_order: int) -> None:
        if before is not None:
            for index, key in self._keys_of(before):
                del index[bisect_left(index, key)]
            self._by_status[before.status] -= 1
            del self._tasks[before.id]
        if after is not None:
            for index, key in self._keys_of(after):
                insort(index, key)
            self._by_status[after.status] = self._by_status.get(after.status, 0) + 1
            self._tasks[after.id] = after
        self._last_order = last_order

    def _keys_of(self, row: TaskRow) -> list[tuple[list[Key], Key]]:
        """Return every index a row stands in, with its key there; a key ends with the task's id."""
        of_user = self._by_user.setdefault(row.user_id, [])
        keys: list[tuple[list[Key], Key]] = [(of_user, (-row.created_at_ns, row.id))]
        due: Key = (row.due_at_ns, row.order, row.id)
        if row.status == "queued":
            keys += [(self._eligible, (-RANK[row.priority], row.order, row.id)), (self._queued_due, due)]
            if row.planned_outcome is not None:
                keys.append((self._unfit, (row.order, row.id)))
        elif row.status not in FINAL:
            keys.append((self._active_due, due))
        return keys


def _newest(rows: Iterable[R], limit: int | None) -> tuple[Sequence[R], int]:
    found = sorted(rows, key=lambda row: -row.order)
    return found[:limit], len(found)


def _place(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
