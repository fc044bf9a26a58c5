"""Deployments: make, list, get, stop; each belongs to the account that made it (contract §3 deployments)."""

from typing import Final

from reference_server.contract import limits
from reference_server.contract.models import Deployment, DeploymentList, DeployRequest
from reference_server.core.accounts import caller_of
from reference_server.core.answers import Answer, Decision, error
from reference_server.core.calls import Call, Context
from reference_server.core.envelopes import timestamp
from reference_server.core.ids import is_agent_id, is_uuid
from reference_server.core.rows import DeploymentRow, replaced_deployment
from reference_server.core.transaction import Transaction
from reference_server.core.units import whole_microseconds

_NO_SUCH_DEPLOYMENT: Final = "there is no such deployment"


def deploy(tx: Transaction, call: Call, context: Context) -> Decision:
    """Deploy an agent, whatever its status and whoever owns it; 404 for an unknown or malformed `agent_id`."""
    body = call.body
    if not isinstance(body, DeployRequest):
        raise TypeError("deploy needs its body")
    if not is_agent_id(body.agent_id) or tx.agent(body.agent_id) is None:
        return Decision(error(404, "there is no such agent"))
    now_ns = whole_microseconds(context.now_ns)
    row = DeploymentRow(
        id=context.new_id(),
        user_id=caller_of(call).account_id,
        agent_id=body.agent_id,
        order=tx.next_row_order(),
        status="deployed",
        environment=body.environment,
        config=body.config,
        created_at_ns=now_ns,
        updated_at_ns=now_ns,
    )
    tx.put_deployment(row)
    return Decision(Answer(201, deployment_view(row)))


def list_own(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show the newest `LISTED_MAX` of the caller's deployments, newest first, and how many there are."""
    rows, total = tx.deployments_of(caller_of(call).account_id, limits.LISTED_MAX)
    return Decision(Answer(200, DeploymentList([deployment_view(row) for row in rows], total)))


def get(tx: Transaction, call: Call, context: Context) -> Decision:  # noqa: ARG001 - decisions share one shape
    """Show one own deployment; another's, an unknown and a malformed id are 404."""
    row = _own_deployment(tx, call)
    return Decision(error(404, _NO_SUCH_DEPLOYMENT) if row is None else Answer(200, deployment_view(row)))


def stop(tx: Transaction, call: Call, context: Context) -> Decision:
    """Stop a deployment and show it; stopping it again changes nothing."""
    row = _own_deployment(tx, call)
    if row is None:
        return Decision(error(404, _NO_SUCH_DEPLOYMENT))
    return Decision(Answer(200, deployment_view(put_stopped(tx, row, context.now_ns))))


def put_stopped(tx: Transaction, row: DeploymentRow, now_ns: int) -> DeploymentRow:
    """Stop a deployment, as its owner does and as its agent's end does; return it as it is now."""
    if row.status == "stopped":
        return row
    stopped = replaced_deployment(
        row, status="stopped", updated_at_ns=max(whole_microseconds(now_ns), row.updated_at_ns)
    )
    tx.put_deployment(stopped)
    return stopped


def _own_deployment(tx: Transaction, call: Call) -> DeploymentRow | None:
    deployment_id = call.path["id"]
    row = tx.deployment(deployment_id) if is_uuid(deployment_id) else None
    return row if row is not None and row.user_id == caller_of(call).account_id else None


def deployment_view(row: DeploymentRow) -> Deployment:
    """Return the deployment as every operation shows it."""
    return Deployment(
        id=row.id,
        agent_id=row.agent_id,
        user_id=row.user_id,
        status=row.status,
        environment=row.environment,
        config=row.config,
        created_at=timestamp(row.created_at_ns),
        updated_at=timestamp(row.updated_at_ns),
    )
