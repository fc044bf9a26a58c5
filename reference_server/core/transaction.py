"""What a decision may ask of durable state; the stores implement it, one conformance suite holds them to it."""

from collections.abc import Sequence
from typing import Protocol

from reference_server.contract.lifecycle import TaskStatus
from reference_server.contract.operations import AgentsQuery
from reference_server.core.rows import AccountRow, AgentRow, DeploymentRow, KeyRow, TaskRow, VersionRow


class EmailTakenError(Exception):
    """Another account has this e-mail (compared without case)."""


class VersionTakenError(Exception):
    """The agent has a binary of this version."""


class Transaction(Protocol):
    """One unit of work; every change is seen by the reads that follow it in the same transaction."""

    # accounts and revocations
    def account(self, account_id: str) -> AccountRow | None:
        """Return the account of that id."""

    def account_by_email(self, email_key: str) -> AccountRow | None:
        """Return the account of that casefolded e-mail."""

    def insert_account(self, account: AccountRow) -> None:
        """Add an account; raises EmailTakenError."""

    def update_account(self, account: AccountRow) -> None:
        """Replace the account of the same id."""

    def revoke_token(self, jti: str, expires_at_ns: int) -> None:
        """Remember that the token of this id is dead; may be forgotten after `expires_at_ns`."""

    def token_revoked(self, jti: str) -> bool:
        """Say whether the token of this id was revoked by itself."""

    def forget_revocations(self, now_ns: int) -> None:
        """Forget revoked tokens that expired by `now_ns`, so that their number stays bounded."""

    def account_by_avatar(self, avatar: str) -> AccountRow | None:
        """Return the account whose picture has that name."""

    # API keys
    def key(self, key_id: str) -> KeyRow | None:
        """Return the API key of that id."""

    def key_by_hash(self, key_hash: str) -> KeyRow | None:
        """Return the API key whose secret has that SHA-256."""

    def put_key(self, key: KeyRow) -> None:
        """Add an API key or replace the one of the same id."""

    def keys_of(self, account_id: str, limit: int) -> tuple[Sequence[KeyRow], int]:
        """Return an account's newest API keys, newest first, and how many it has in all."""

    # agents
    def agent(self, agent_id: str) -> AgentRow | None:
        """Return the agent of that id."""

    def agents(self, query: AgentsQuery) -> tuple[Sequence[AgentRow], int]:
        """Return one page of the agents that match, sorted with ties by id, and how many match in all."""

    def put_agent(self, agent: AgentRow) -> None:
        """Add an agent or replace the one of the same id."""

    def fitting_agent(self, capability: str, price_max: float) -> AgentRow | None:
        """Return an active agent that offers `capability` for at most `price_max`, the cheapest, ties by id."""

    def delete_agent(self, agent_id: str) -> None:
        """Take an agent away, its binaries' rows too; nothing when there is none."""

    def insert_version(self, version: VersionRow) -> None:
        """Add a binary; raises VersionTakenError."""

    def version(self, agent_id: str, version: str) -> VersionRow | None:
        """Return an agent's binary of that version."""

    def versions_of(self, agent_id: str, limit: int | None) -> tuple[Sequence[VersionRow], int]:
        """Return an agent's newest binaries (None: all), the last uploaded first, and how many it has in all."""

    def delete_version(self, agent_id: str, version: str) -> None:
        """Take a binary's row away; nothing when there is none."""

    # deployments
    def deployment(self, deployment_id: str) -> DeploymentRow | None:
        """Return the deployment of that id."""

    def put_deployment(self, deployment: DeploymentRow) -> None:
        """Add a deployment or replace the one of the same id."""

    def deployments_of(self, user_id: str, limit: int) -> tuple[Sequence[DeploymentRow], int]:
        """Return an account's newest deployments, newest first, and how many it has in all."""

    def deployments_on(self, agent_id: str) -> Sequence[DeploymentRow]:
        """Return the deployments of an agent, whoever made them, oldest first."""

    # what other rows point at
    def blobs(self) -> Sequence[str]:
        """Return the name of every blob that a row points at (read once, at start)."""

    # tasks
    def next_order(self) -> int:
        """Return a number greater than every task's `order` so far."""

    def next_row_order(self) -> int:
        """Return a number greater than the `order` of every API key, binary and deployment so far."""

    def task(self, task_id: str) -> TaskRow | None:
        """Return the task of that id."""

    def put_task(self, task: TaskRow) -> None:
        """Add a task or replace the one of the same id."""

    def tasks_of(
        self, user_id: str, status: TaskStatus | None, type_: str | None, limit: int, offset: int
    ) -> tuple[Sequence[TaskRow], int]:
        """Return one page of an account's tasks by (created_at descending, id), and how many match in all."""

    def count_tasks(self, status: TaskStatus) -> int:
        """Return how many tasks of all accounts have this status."""

    def eligible_tasks(self, now_ns: int, limit: int) -> Sequence[TaskRow]:
        """Return queued tasks due by `now_ns`: higher priority first, then older first."""

    def unfit_tasks(self, limit: int) -> Sequence[TaskRow]:
        """Return queued tasks that have a `planned_outcome`, by `order`."""

    def due_tasks(self, now_ns: int, limit: int) -> Sequence[TaskRow]:
        """Return assigned and running tasks whose `due_at_ns` has come, earliest first, ties by `order`."""

    def next_due_ns(self, *, queued: bool = True) -> int | None:
        """Return the earliest `due_at_ns` of all unfinished tasks; None when there is none.

        Without `queued` only of the assigned and running ones: what matters when no worker is free.
        """

    def unfinished_tasks(self) -> Sequence[TaskRow]:
        """Return every assigned and running task, by `order`; there are as many as workers have something in hand."""

    def plan_queued(self, outcome: str, budget_under: float) -> None:
        """Set the `planned_outcome` of every queued task whose budget is smaller."""
