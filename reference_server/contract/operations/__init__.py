"""The operations as a table: routes, auth, bodies, statuses (contract §§1, 3), one module a noun.

Routes, OpenAPI, clients, cases and load-test names all derive from `OPERATIONS`. Statuses that stand on every
operation (500, 503, 429 where it is limited, 401 where a credential is needed) are not repeated in the rows.
"""

from typing import Final

from reference_server.contract.operations.agents import AGENTS, AgentsQuery, SearchQuery, VersionQuery
from reference_server.contract.operations.deployments import DEPLOYMENTS
from reference_server.contract.operations.model import BASE, FileField, Operation
from reference_server.contract.operations.orchestrator import ORCHESTRATOR
from reference_server.contract.operations.service import SERVICE
from reference_server.contract.operations.socket import SOCKET
from reference_server.contract.operations.tasks import TASKS, TasksQuery
from reference_server.contract.operations.users import USERS

OPERATIONS: Final[tuple[Operation, ...]] = (
    *USERS,
    *AGENTS,
    *TASKS,
    *ORCHESTRATOR,
    *DEPLOYMENTS,
    *SOCKET,
    *SERVICE,
)
BY_NAME: Final[dict[str, Operation]] = {operation.name: operation for operation in OPERATIONS}

__all__ = [
    "BASE",
    "BY_NAME",
    "OPERATIONS",
    "AgentsQuery",
    "FileField",
    "Operation",
    "SearchQuery",
    "TasksQuery",
    "VersionQuery",
]
