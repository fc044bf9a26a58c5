"""Which decision carries out which operation; the driver looks here and nowhere else.

The hub's operations and the service's (`ws_*`, `health`, `ready`) are not here: they ask no durable state.
`orchestrator_metrics` and `orchestrator_health` are in `orchestrator`: they take the process's figures too.
"""

from collections.abc import Callable
from typing import Final

from reference_server.core import accounts, agent_changes, agents, avatars, binaries, deployments, keys, tasks
from reference_server.core.answers import Decision
from reference_server.core.calls import Call, Context
from reference_server.core.transaction import Transaction

Decide = Callable[[Transaction, Call, Context], Decision]

DECISIONS: Final[dict[str, Decide]] = {
    "register": accounts.register,
    "login": accounts.login,
    "logout": accounts.logout,
    "me": accounts.me,
    "set_avatar": avatars.set_avatar,
    "get_avatar": avatars.get_avatar,
    "update_me": accounts.update_me,
    "list_api_keys": keys.list_own,
    "make_api_key": keys.make,
    "revoke_api_key": keys.revoke,
    "list_agents": agents.list_agents,
    "search_agents": agents.search_agents,
    "register_agent": agent_changes.register_agent,
    "get_agent": agents.get_agent,
    "update_agent": agent_changes.update_agent,
    "delete_agent": agent_changes.delete_agent,
    "upload_binary": binaries.upload_binary,
    "put_binary": binaries.upload_binary,
    "get_binary": binaries.get_binary,
    "delete_binary": binaries.delete_binary,
    "list_versions": binaries.list_versions,
    "submit_task": tasks.submit,
    "list_tasks": tasks.list_own,
    "get_task": tasks.get,
    "get_task_status": tasks.status,
    "get_task_result": tasks.result,
    "cancel_task": tasks.cancel,
    "deploy": deployments.deploy,
    "list_deployments": deployments.list_own,
    "get_deployment": deployments.get,
    "stop_deployment": deployments.stop,
}
