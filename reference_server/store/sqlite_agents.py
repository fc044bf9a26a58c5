"""Agents, their binaries and deployments, as SQL over one open transaction; all agents are cached."""

import math
import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from reference_server.contract.operations import AgentsQuery
from reference_server.core.agents import cheapest_fitting, page_of
from reference_server.core.rows import AgentRow, DeploymentRow, VersionRow
from reference_server.core.transaction import VersionTakenError
from reference_server.store.sqlite_schema import agent_of, blobs_of, newest, values_of

_AGENT_PLACES: Final = ", ".join("?" * len(AgentRow.__struct_fields__))
_VERSION_PLACES: Final = ", ".join("?" * len(VersionRow.__struct_fields__))
_DEPLOYMENT_PLACES: Final = ", ".join("?" * len(DeploymentRow.__struct_fields__))
_LAST_ORDERS: Final = " UNION ALL ".join(
    f"SELECT max(position) AS position FROM {table}" for table in ("api_keys", "versions", "deployments")
)


class SqliteAgents:
    """The agents' part of a transaction."""

    _connection: sqlite3.Connection
    _agents: dict[str, AgentRow] | None
    _cheapest: dict[str, str | None]

    def agent(self, agent_id: str) -> AgentRow | None:
        return self._all_agents().get(agent_id)

    def agents(self, query: AgentsQuery) -> tuple[Sequence[AgentRow], int]:
        return page_of(self._all_agents().values(), query)

    def put_agent(self, agent: AgentRow) -> None:
        agents = self._all_agents()
        before = agents.get(agent.id)
        agents[agent.id] = agent
        if before is not None and agent == msgspec.structs.replace(before, tasks_completed=agent.tasks_completed):
            # The common write by far: a completed task counts.
            self._connection.execute(
                "UPDATE agents SET tasks_completed = ? WHERE id = ?", (agent.tasks_completed, agent.id)
            )
        else:
            self._cheapest.clear()
            self._connection.execute(f"INSERT OR REPLACE INTO agents VALUES ({_AGENT_PLACES})", values_of(agent))

    def fitting_agent(self, capability: str, price_max: float) -> AgentRow | None:
        """Ask the one that is cheapest of all: if it costs too much, so does every other."""
        agents = self._all_agents()
        if capability not in self._cheapest:
            # A capability comes from a task, so their number is bounded by what the tasks' decisions ask for.
            found = cheapest_fitting(agents.values(), capability, math.inf)
            self._cheapest[capability] = None if found is None else found.id
        cheapest_id = self._cheapest[capability]
        cheapest = None if cheapest_id is None else agents[cheapest_id]
        return cheapest if cheapest is not None and cheapest.price <= price_max else None

    def _all_agents(self) -> dict[str, AgentRow]:
        if self._agents is None:
            rows = self._connection.execute("SELECT * FROM agents")
            self._agents = {row.id: row for row in map(agent_of, rows)}
            self._cheapest.clear()
        return self._agents

    def delete_agent(self, agent_id: str) -> None:
        self._all_agents().pop(agent_id, None)
        self._cheapest.clear()
        self._connection.execute("DELETE FROM agents WHERE id = ?", (agent_id,))
        self._connection.execute("DELETE FROM versions WHERE agent_id = ?", (agent_id,))

    # binaries

    def insert_version(self, version: VersionRow) -> None:
        try:
            self._connection.execute(f"INSERT INTO versions VALUES ({_VERSION_PLACES})", values_of(version))
        except sqlite3.IntegrityError as fault:
            raise VersionTakenError from fault

    def version(self, agent_id: str, version: str) -> VersionRow | None:
        statement = "SELECT * FROM versions WHERE agent_id = ? AND version = ?"
        found = self._connection.execute(statement, (agent_id, version)).fetchone()
        return None if found is None else VersionRow(*found)

    def versions_of(self, agent_id: str, limit: int | None) -> tuple[Sequence[VersionRow], int]:
        rows, total = newest(self._connection, "versions", "agent_id", agent_id, limit)
        return [VersionRow(*row) for row in rows], total

    def delete_version(self, agent_id: str, version: str) -> None:
        self._connection.execute("DELETE FROM versions WHERE agent_id = ? AND version = ?", (agent_id, version))

    def blobs(self) -> Sequence[str]:
        return blobs_of(self._connection)

    # deployments

    def deployment(self, deployment_id: str) -> DeploymentRow | None:
        found = self._deployments("WHERE id = ?", deployment_id)
        return found[0] if found else None

    def put_deployment(self, deployment: DeploymentRow) -> None:
        statement = f"INSERT OR REPLACE INTO deployments VALUES ({_DEPLOYMENT_PLACES})"
        self._connection.execute(statement, values_of(deployment))

    def deployments_of(self, user_id: str, limit: int) -> tuple[Sequence[DeploymentRow], int]:
        rows, total = newest(self._connection, "deployments", "user_id", user_id, limit)
        return [DeploymentRow(*row) for row in rows], total

    def deployments_on(self, agent_id: str) -> Sequence[DeploymentRow]:
        return self._deployments("WHERE agent_id = ? ORDER BY position", agent_id)

    def _deployments(self, rest: str, value: str) -> list[DeploymentRow]:
        return [DeploymentRow(*row) for row in self._connection.execute(f"SELECT * FROM deployments {rest}", (value,))]

    def next_row_order(self) -> int:
        (last,) = self._connection.execute(f"SELECT ifnull(max(position), 0) FROM ({_LAST_ORDERS})").fetchone()
        return int(last) + 1
