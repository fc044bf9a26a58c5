"""The binaries of an agent: upload, read, delete, list (contract §3 agents).

Rows only: the bytes lie in the blob store already when an upload is decided, and what a decision drops the shell
deletes after the commit.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from reference_server.contract import limits
from reference_server.contract.models import (
    AgentVersion,
    AgentVersions,
    BinariesDeleted,
    BinaryForm,
    BinaryUploaded,
)
from reference_server.contract.operations import BY_NAME, VersionQuery
from reference_server.core.agents import agent_at, agent_update, own_agent, owner_fault, touched
from reference_server.core.answers import Answer, BlobBody, Decision, error
from reference_server.core.calls import Call, Context, Upload
from reference_server.core.envelopes import timestamp
from reference_server.core.rows import AgentRow, VersionRow
from reference_server.core.transaction import Transaction, VersionTakenError
from reference_server.core.units import whole_microseconds

_DOWNLOAD: Final = BY_NAME["get_binary"]


def upload_binary(tx: Transaction, call: Call, context: Context) -> Decision:
    """Add a binary to an own agent; 409 when it has one of that version."""
    form, upload = call.body, call.upload
    if not isinstance(form, BinaryForm) or upload is None:
        raise TypeError(f"{call.operation.name} needs its form and a file")
    agent = own_agent(tx, call)
    if isinstance(agent, Answer):
        return Decision(agent)
    row = new_version(tx, agent.id, form.version, upload, context)
    try:
        tx.insert_version(row)
    except VersionTakenError:
        return Decision(error(409, f"this agent has a version {row.version} already; upload another or delete it"))
    uploaded = BinaryUploaded(
        agent_id=agent.id,
        binary_url=_url_of(row),
        binary_hash=row.binary_hash,
        binary_size=row.binary_size,
        version=row.version,
        status="uploaded",
    )
    return _updated(tx, agent, Answer(201, uploaded), context)


def new_version(tx: Transaction, agent_id: str, version: str, upload: Upload, context: Context) -> VersionRow:
    """Return the row of a binary that is the agent's last."""
    return VersionRow(
        agent_id=agent_id,
        version=version,
        order=tx.next_row_order(),
        blob=upload.blob,
        binary_hash=upload.sha256,
        binary_size=upload.size,
        created_at_ns=whole_microseconds(context.now_ns),
    )


def get_binary(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Give the bytes of one version, by default the last uploaded; 404 where there is none."""
    agent = agent_at(tx, call)
    if isinstance(agent, Answer):
        return Decision(agent)
    found = _asked_for(tx, agent, call, limit=1)
    if not found:
        return Decision(_no_such_binary())
    row = found[0]
    body = BlobBody(row.blob, row.binary_size)
    return Decision(Answer(200, body, (("ETag", f'"{row.binary_hash}"'),), _DOWNLOAD.media))


def delete_binary(tx: Transaction, call: Call, context: Context) -> Decision:
    """Delete one version of an own agent, or all: of an agent without binaries that is none, and no change."""
    agent = agent_at(tx, call)
    if isinstance(agent, Answer):
        return Decision(agent)
    found = _asked_for(tx, agent, call, limit=None)
    if not found and _version_of(call) is not None:
        return Decision(_no_such_binary())
    fault = owner_fault(agent, call)
    if fault is not None:
        return Decision(fault)
    answer = Answer(200, BinariesDeleted(agent.id, [row.version for row in found]))
    if not found:
        return Decision(answer)
    for row in found:
        tx.delete_version(agent.id, row.version)
    return _updated(tx, agent, answer, context, dropped=tuple(row.blob for row in found))


def list_versions(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show the newest `LISTED_MAX` that were uploaded, and how many there are; seeded agents have none."""
    agent = agent_at(tx, call)
    if isinstance(agent, Answer):
        return Decision(agent)
    rows, total = tx.versions_of(agent.id, limits.LISTED_MAX)
    versions = [
        AgentVersion(row.version, row.binary_hash, row.binary_size, timestamp(row.created_at_ns)) for row in rows
    ]
    return Decision(Answer(200, AgentVersions(agent.id, versions, total)))


def _asked_for(tx: Transaction, agent: AgentRow, call: Call, limit: int | None) -> Sequence[VersionRow]:
    """Return the binary that the call's query names, if there is one; without a version the last uploaded ones."""
    version = _version_of(call)
    if version is None:
        return tx.versions_of(agent.id, limit)[0]
    row = tx.version(agent.id, version)
    return () if row is None else (row,)


def _version_of(call: Call) -> str | None:
    return call.query.version if isinstance(call.query, VersionQuery) else None


def _no_such_binary() -> Answer:
    return error(404, "this agent has no such binary")


def _url_of(row: VersionRow) -> str:
    """Return the path of the binary's download; a version may hold `+`, which a query would read as a space."""
    return f"{_DOWNLOAD.path.format(id=row.agent_id)}?version={quote(row.version, safe='')}"


def _updated(
    tx: Transaction, agent: AgentRow, answer: Answer, context: Context, *, dropped: tuple[str, ...] = ()
) -> Decision:
    """Finish a change to an agent's binaries: it is a change of the agent too, which everyone is told."""
    tx.put_agent(touched(agent, context))
    return Decision(answer, (agent_update(agent, "updated"),), dropped=dropped)
