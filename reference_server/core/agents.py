"""Agents as everyone sees them: list, search, get; the fifteen that exist from the first start (contract §3)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Literal

from reference_server.contract import limits
from reference_server.contract.messages import AgentUpdateData
from reference_server.contract.models import Agent, AgentPage, AgentSearch
from reference_server.contract.operations import AgentsQuery, SearchQuery
from reference_server.contract.seeded_agents import QUERY_CAPABILITY, SEEDED_AGENTS, SeededAgent
from reference_server.core.accounts import caller_of
from reference_server.core.answers import Answer, Decision, Everyone, Publish, error
from reference_server.core.calls import Call, Context
from reference_server.core.envelopes import timestamp
from reference_server.core.ids import is_agent_id
from reference_server.core.rows import AgentRow, replaced_agent
from reference_server.core.transaction import Transaction
from reference_server.core.units import SECOND_NS, whole_microseconds

_DAY_NS: Final = 24 * 3600 * SECOND_NS

_SORT_KEYS: Final[dict[str, Callable[[AgentRow], tuple[Any, str]]]] = {
    "recent": lambda agent: (-agent.created_at_ns, agent.id),
    "rating": lambda agent: (-agent.rating, agent.id),
    "tasks": lambda agent: (-agent.tasks_completed, agent.id),
    "price": lambda agent: (agent.price, agent.id),
    "name": lambda agent: (agent.name, agent.id),
}


def list_agents(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show one page of the agents that match."""
    query = call.query if isinstance(call.query, AgentsQuery) else AgentsQuery()
    rows, total = tx.agents(query)
    pages = -(-total // query.limit)
    page = AgentPage([agent_view(row) for row in rows], total, query.page, query.limit, pages)
    return Decision(Answer(200, page))


def search_agents(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show the newest `LISTED_MAX` agents that the text is found in, and how many there are."""
    if not isinstance(call.query, SearchQuery):
        raise TypeError("search_agents needs its query")
    # The one way to look for agents; its bound here is not the one of a page, which a query string is held to.
    rows, total = tx.agents(AgentsQuery(search=call.query.q, limit=limits.LISTED_MAX))
    return Decision(Answer(200, AgentSearch([agent_view(row) for row in rows], total, call.query.q)))


def get_agent(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show one agent."""
    row = agent_at(tx, call)
    return Decision(row if isinstance(row, Answer) else Answer(200, agent_view(row)))


def agent_at(tx: Transaction, call: Call) -> AgentRow | Answer:
    """Return the agent of the call's path; 404 for an unknown or malformed id."""
    agent_id = call.path["id"]
    row = tx.agent(agent_id) if is_agent_id(agent_id) else None
    return error(404, "there is no such agent") if row is None else row


def own_agent(tx: Transaction, call: Call) -> AgentRow | Answer:
    """Return the agent of the call's path when the caller may change it; 404, then 403."""
    row = agent_at(tx, call)
    return row if isinstance(row, Answer) else owner_fault(row, call) or row


def owner_fault(agent: AgentRow, call: Call) -> Answer | None:
    """Return the 403 of a change to an agent that is seeded or another's; every 404 comes before it (contract §1)."""
    if agent.owner_id == caller_of(call).account_id:
        return None
    whose = "belongs to the system" if agent.owner_id is None else "belongs to another account"
    return error(403, f"this agent {whose}; only its owner may change it")


def touched(agent: AgentRow, context: Context, **changes: Any) -> AgentRow:
    """Return the agent changed now; never back in time."""
    return replaced_agent(agent, updated_at_ns=max(whole_microseconds(context.now_ns), agent.updated_at_ns), **changes)


def agent_update(agent: AgentRow, action: Literal["registered", "updated", "deleted"]) -> Publish:
    """Return the push that says a change of an agent to everyone (contract §5)."""
    return Publish("agent_update", AgentUpdateData(agent.id, agent.name, action), Everyone())


def agent_view(row: AgentRow) -> Agent:
    """Return the agent as every operation shows it."""
    return Agent(
        id=row.id,
        name=row.name,
        description=row.description,
        capabilities=list(row.capabilities),
        status=row.status,
        price=row.price,
        tasks_completed=row.tasks_completed,
        rating=row.rating,
        created_at=timestamp(row.created_at_ns),
        updated_at=timestamp(row.updated_at_ns),
        owner_id=row.owner_id,
    )


def page_of(agents: Iterable[AgentRow], query: AgentsQuery) -> tuple[Sequence[AgentRow], int]:
    """Filter, sort and cut; every store answers `Transaction.agents` with it, so that all agree on letter case."""
    found = sorted((agent for agent in agents if _matches(agent, query)), key=_SORT_KEYS[query.sort])
    start = (query.page - 1) * query.limit
    return found[start : start + query.limit], len(found)


def cheapest_fitting(agents: Iterable[AgentRow], capability: str, price_max: float) -> AgentRow | None:
    """Choose among the agents that fit (contract §4); every store answers `Transaction.fitting_agent` with it."""
    fitting = (
        agent
        for agent in agents
        if agent.status == "active" and agent.price <= price_max and capability in agent.capabilities
    )
    return min(fitting, key=_SORT_KEYS["price"], default=None)


def _matches(agent: AgentRow, query: AgentsQuery) -> bool:
    if query.status is not None and agent.status != query.status:
        return False
    if not query.search:
        return True
    wanted = query.search.casefold()
    return any(wanted in text.casefold() for text in (agent.name, agent.description, *agent.capabilities))


def seed(tx: Transaction, now_ns: int) -> None:
    """Put the seeded agents into a store that has none of them (contract §9); later starts change nothing."""
    if tx.agent(SEEDED_AGENTS[0].id) is None:
        for seeded in SEEDED_AGENTS:
            tx.put_agent(_seeded_row(seeded, whole_microseconds(now_ns)))


def _seeded_row(seeded: SeededAgent, now_ns: int) -> AgentRow:
    created_ns = now_ns - seeded.age_days * _DAY_NS
    return AgentRow(
        id=seeded.id,
        name=seeded.name,
        description=seeded.description,
        capabilities=(*seeded.capabilities, QUERY_CAPABILITY),
        status=seeded.status,
        price=seeded.price,
        tasks_completed=seeded.tasks_completed,
        rating=seeded.rating,
        created_at_ns=created_ns,
        updated_at_ns=created_ns,
    )
