"""What an owner does to an agent: register, change, delete (contract §3 agents).

Every change is pushed to everyone, once. Tasks and deployments follow in the same transaction, so that nobody ever
sees them on an agent that went away.
"""

from typing import Any, Final

import msgspec
from msgspec import UNSET

from reference_server.contract.models import AgentChange, AgentDeleted, AgentForm, AgentRegistered, FieldFault
from reference_server.core.accounts import caller_of
from reference_server.core.agents import agent_update, agent_view, own_agent, touched
from reference_server.core.answers import Answer, Decision, error
from reference_server.core.binaries import new_version
from reference_server.core.calls import Call, Context
from reference_server.core.deployments import put_stopped
from reference_server.core.envelopes import timestamp
from reference_server.core.executor import agent_changed
from reference_server.core.rows import AgentRow
from reference_server.core.transaction import Transaction
from reference_server.core.units import whole_microseconds

NOTHING_GIVEN: Final = f"must hold at least one of {', '.join(AgentChange.__struct_fields__)}"


def register_agent(tx: Transaction, call: Call, context: Context) -> Decision:
    """Add an agent of the caller's with its first binary; it offers what it declares and nothing else."""
    form, upload = call.body, call.upload
    if not isinstance(form, AgentForm) or upload is None:
        raise TypeError("register_agent needs its form and a file")
    agent = _new_agent(form, caller_of(call).account_id, context)
    tx.put_agent(agent)
    tx.insert_version(new_version(tx, agent.id, form.version, upload, context))
    registered = AgentRegistered(
        agent_id=agent.id,
        name=agent.name,
        status="registered",
        wasm_hash=upload.sha256,
        card_published=True,
        index_updated=True,
        timestamp=timestamp(agent.created_at_ns),
    )
    return Decision(Answer(201, registered), (agent_update(agent, "registered"),))


def _new_agent(form: AgentForm, owner_id: str, context: Context) -> AgentRow:
    created_ns = whole_microseconds(context.now_ns)
    manifest = {"pricing": form.pricing, "resources": form.resources, "metadata": form.metadata}
    return AgentRow(
        id=context.new_id(),
        name=form.name,
        description=form.description,
        capabilities=tuple(form.capabilities),
        status="active",
        price=form.pricing.per_execution,
        tasks_completed=0,
        rating=0.0,
        created_at_ns=created_ns,
        updated_at_ns=created_ns,
        owner_id=owner_id,
        manifest=msgspec.to_builtins(manifest),
    )


def update_agent(tx: Transaction, call: Call, context: Context) -> Decision:
    """Change an own agent; when it is active no longer, its tasks are assigned anew.

    What a task costs was settled when it was assigned, so that a new price never exceeds a budget (contract §4).
    """
    if not isinstance(call.body, AgentChange):
        raise TypeError("update_agent needs its body")
    changes = {name: value for name, value in msgspec.structs.asdict(call.body).items() if value is not UNSET}
    if not changes:
        return Decision(error(400, f"the body {NOTHING_GIVEN}", details=[FieldFault("body", NOTHING_GIVEN)]))
    before = own_agent(tx, call)
    if isinstance(before, Answer):
        return Decision(before)
    after = touched(before, context, **_as_columns(before, changes))
    tx.put_agent(after)
    pushes = (agent_update(after, "updated"), *agent_changed(tx, after.id, context))
    return Decision(Answer(200, agent_view(after)), pushes)


def _as_columns(agent: AgentRow, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes as a row holds them; `price` stays what the manifest calls `per_execution`."""
    columns = dict(changes)
    if "capabilities" in changes:
        columns["capabilities"] = tuple(changes["capabilities"])
    if "price" in changes:
        pricing = agent.manifest.get("pricing", {}) | {"per_execution": changes["price"]}
        columns["manifest"] = agent.manifest | {"pricing": pricing}
    return columns


def delete_agent(tx: Transaction, call: Call, context: Context) -> Decision:
    """Take an own agent away: its binaries go, its deployments stop, its unfinished tasks are assigned anew."""
    agent = own_agent(tx, call)
    if isinstance(agent, Answer):
        return Decision(agent)
    versions, _ = tx.versions_of(agent.id, None)
    dropped = tuple(version.blob for version in versions)
    tx.delete_agent(agent.id)
    for deployment in tx.deployments_on(agent.id):
        put_stopped(tx, deployment, context.now_ns)
    pushes = (agent_update(agent, "deleted"), *agent_changed(tx, agent.id, context))
    return Decision(Answer(200, AgentDeleted(agent.id, "deleted")), pushes, dropped=dropped)
