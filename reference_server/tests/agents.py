"""Agents with owners, put on a desk: what tests of agents, binaries and their tasks begin with."""

from typing import Any

from reference_server.core.answers import Publish
from reference_server.core.calls import Caller, Upload
from reference_server.core.rows import VersionRow
from reference_server.tests.desk import Desk, encoded, shown

FORM: dict[str, Any] = {"name": "Mine", "capabilities": ["etl"], "pricing": {"per_execution": 0.5}}


def upload(number: int = 1) -> Upload:
    """Return a file that lies in the blob store already; blob and hash tell its number."""
    return Upload(f"blob{number}", 1024 + number, f"{number:064x}", b"\0asm\1\0\0\0")


def registered(desk: Desk, owner: Caller, *, file: Upload | None = None, **fields: Any) -> str:
    """Register an agent; return its id."""
    answer = desk.decide("register_agent", owner, FORM | fields, upload=file or upload()).answer
    assert answer.status == 201, answer
    return str(shown(answer)["agent_id"])


def agent(desk: Desk, caller: Caller, agent_id: str) -> dict[str, Any]:
    """Return the agent as a GET shows it."""
    return shown(desk.decide("get_agent", caller, path={"id": agent_id}).answer)


def agent_pushes(desk: Desk, agent_id: str) -> list[tuple[str, str]]:
    """Return (action, name) of every push about an agent, in order."""
    told = [encoded(one.data) for one in desk.outgoing if isinstance(one, Publish) and one.type == "agent_update"]
    return [(data["action"], data["name"]) for data in told if data["agent_id"] == agent_id]


def versions(desk: Desk, agent_id: str) -> list[VersionRow]:
    """Return the rows of an agent's binaries, the last uploaded first."""
    return list(desk.store.transact(lambda tx: tx.versions_of(agent_id, None)[0]))
