"""Which answers lead where: links from what one operation gives to what another is asked with (OpenAPI links).

They are what a reader follows from `submit_task` to `get_task`, and a stateful tester too.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from reference_server.contract.operations import BY_NAME
from reference_server.contract.operations.model import Operation

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class Link(NamedTuple):
    """One way on: `parameters` and `body` hold runtime expressions (OpenAPI §4.8.20.4)."""

    source: str
    target: str
    parameters: Mapping[str, str] = _NONE
    body: Mapping[str, Any] = _NONE


_TASK: Final = {"id": "$response.body#/task_id"}
_REGISTERED: Final = {"id": "$response.body#/agent_id"}
_SAME: Final = {"id": "$request.path.id"}
_OWN_ID: Final = {"id": "$response.body#/id"}
_GREETING: Final = {"type": "system", "data": {"message": "Welcome.", "level": "info"}}
_UPLOADED: Final = {**_SAME, "version": "$response.body#/version"}

LINKS: Final = (
    Link("register", "login", body={"email": "$request.body#/email", "password": "$request.body#/password"}),
    Link("register", "ws_send", body={"user_id": "$response.body#/user/id", **_GREETING}),
    Link("submit_task", "get_task", _TASK),
    Link("submit_task", "get_task_status", _TASK),
    Link("submit_task", "get_task_result", _TASK),
    Link("submit_task", "cancel_task", _TASK),
    Link("list_tasks", "get_task", {"id": "$response.body#/tasks/0/id"}),
    Link("list_agents", "get_agent", {"id": "$response.body#/agents/0/id"}),
    Link("search_agents", "get_agent", {"id": "$response.body#/agents/0/id"}),
    *(
        Link("register_agent", target, _REGISTERED)
        for target in (
            "get_agent",
            "update_agent",
            "upload_binary",
            "put_binary",
            "get_binary",
            "list_versions",
            "delete_binary",
            "delete_agent",
        )
    ),
    Link("register_agent", "deploy", body={"agent_id": "$response.body#/agent_id"}),
    *(
        Link(source, target, parameters)
        for source in ("upload_binary", "put_binary")
        for target, parameters in (("get_binary", _UPLOADED), ("delete_binary", _UPLOADED), ("list_versions", _SAME))
    ),
    Link("update_agent", "get_agent", _SAME),
    Link("list_versions", "get_binary", {**_SAME, "version": "$response.body#/versions/0/version"}),
    Link("make_api_key", "revoke_api_key", _OWN_ID),
    Link("deploy", "get_deployment", _OWN_ID),
    Link("deploy", "stop_deployment", _OWN_ID),
    Link("list_deployments", "get_deployment", {"id": "$response.body#/deployments/0/id"}),
)


def links_of(operation: Operation, status: int) -> dict[str, Any]:
    """Return the links of one answer, by the name of the operation that each leads to."""
    if status != operation.success:
        return {}
    return {link.target: _described(link) for link in LINKS if link.source == operation.name}


def _described(link: Link) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": link.target, "description": BY_NAME[link.target].summary}
    if link.parameters:
        described["parameters"] = dict(link.parameters)
    if link.body:
        described["requestBody"] = dict(link.body)
    return described
