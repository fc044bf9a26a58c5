"""Ids (contract §1): UUID v4 for what is made, `agent_001` to `agent_015` for what is seeded."""

import re
from collections.abc import Iterator
from typing import Any, Final

from harness.checkers.calls import Calls
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract.seeded_agents import SEEDED_AGENTS

IDS: Final = "REST-ID-2"
UUID4: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
SEEDED: Final = frozenset(agent.id for agent in SEEDED_AGENTS)
AGENT_FIELDS: Final = frozenset({"agent_id", "assigned_to"})
UUID_FIELDS: Final = frozenset({"task_id", "user_id", "owner_id"})
LISTS: Final = ("tasks", "agents", "deployments", "api_keys")
OF_AGENTS: Final = ("get_agent", "update_agent")
OF_OTHERS: Final = (
    "register", "login", "me", "update_me", "submit_task", "get_task", "get_task_status", "get_task_result",
    "make_api_key", "revoke_api_key", "deploy", "get_deployment", "stop_deployment", "register_agent", "list_tasks",
    "list_deployments", "list_api_keys",
)  # fmt: skip


class Identity(Fold):
    """Judges the ids of each answer by themselves; memory is bounded by the calls in flight."""

    name = "identity"
    clauses = (IDS,)
    live = True

    def begin(self) -> None:
        """Forget everything."""
        self._calls = Calls()

    def take(self, event: Event) -> None:
        """Judge the ids that this event brings."""
        call = self._calls.see(event)
        if call is None or (body := call.shown) is None:
            return
        if call.operation not in OF_AGENTS and call.operation not in ("list_agents", "search_agents", *OF_OTHERS):
            return
        of_agents = call.operation in (*OF_AGENTS, "list_agents", "search_agents")
        for field, value, agent in _ids(body, of_agents):
            told = f"{call.told} answered {field} {value!r}, not a UUID v4{' nor a seeded id' if agent else ''}"
            fits = isinstance(value, str) and (UUID4.fullmatch(value) is not None or (agent and value in SEEDED))
            self.tally.judge(IDS, fits, told, call.done)


def _ids(body: dict[str, Any], of_agents: bool) -> Iterator[tuple[str, Any, bool]]:
    """Yield name and value of each id, and whether it is an agent's; what is null or absent is none."""
    for name, value in body.items():
        if value is None:
            continue
        if name == "id" or name in UUID_FIELDS:
            yield name, value, name == "id" and of_agents
        elif name in AGENT_FIELDS:
            yield name, value, True
        elif name == "user" and isinstance(value, dict):
            yield from _ids(value, of_agents=False)
        elif name in LISTS and isinstance(value, list):
            for item in (one for one in value if isinstance(one, dict)):
                yield from _ids(item, of_agents)
