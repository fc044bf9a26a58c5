"""What a message of the server means for a page: badges, toasts and what to read again (contract §6).

Text from the server is quoted into toasts as text. Unknown types, fields and malformed messages mean nothing.
"""

from typing import Any, Final

import msgspec

from harness.client.signals import AnyEffect, Badge, Reload, Toast

KNOWN_TYPES: Final = ("system", "task_update", "agent_update", "pong")
LEVELS: Final = ("info", "success", "warning", "error")
TASK_STATUSES: Final = ("queued", "assigned", "running", "completed", "failed", "canceled")
AGENT_ACTIONS: Final = ("registered", "updated", "deleted")

EXACT_MAX: Final = 2**53
"""Beyond this a JavaScript number is no longer exact."""


class Message(msgspec.Struct, frozen=True):
    """A message of the server as far as a page looks at it; `data` is `{}` when it is no object."""

    type: str
    data: dict[str, Any]


def parse(text: str) -> Message | None:
    """Read a frame's text; None when it is no JSON object with a `type`."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return None
    data = value.get("data")
    return Message(value["type"], data if isinstance(data, dict) else {})


def is_welcome(message: Message) -> bool:
    """Tell whether this can be a connection's first message (§5, row `system`)."""
    return message.type == "system" and isinstance(message.data.get("client_id"), str)


def effects_of(message: Message) -> tuple[AnyEffect, ...]:
    """Give what a page does on a message that is neither welcome nor pong."""
    match message.type:
        case "system":
            return _system(message.data)
        case "task_update":
            return _task_update(message.data)
        case "agent_update":
            return _agent_update(message.data)
        case _:
            return ()


def _system(data: dict[str, Any]) -> tuple[AnyEffect, ...]:
    text, level = data.get("message"), data.get("level")
    if not isinstance(text, str):
        return ()
    return (Toast(level if level in LEVELS else "info", text, "system"),)


def _task_update(data: dict[str, Any]) -> tuple[AnyEffect, ...]:
    task_id, status = data.get("task_id"), data.get("status")
    if not isinstance(task_id, str) or status not in TASK_STATUSES:
        return ()
    badge = Badge(task_id, status, _whole(data.get("progress")), _whole(data.get("revision")))
    return (badge, *_task_toast(status, data), Reload("tasks", task_id))


def _task_toast(status: str, data: dict[str, Any]) -> tuple[Toast, ...]:
    query, error = data.get("query"), data.get("error")
    name = f'Task "{query}"' if isinstance(query, str) else "Task"
    if status == "completed":
        return (Toast("success", f"{name} completed!", "task"),)
    if status == "failed":
        because = f": {error}" if isinstance(error, str) and error else ""
        return (Toast("error", f"{name} failed{because}", "task"),)
    return ()


def _agent_update(data: dict[str, Any]) -> tuple[AnyEffect, ...]:
    agent_id, name, action = data.get("agent_id"), data.get("name"), data.get("action")
    if not isinstance(agent_id, str) or not isinstance(name, str) or action not in AGENT_ACTIONS:
        return ()
    return (Toast("info", f'Agent "{name}" {action}', "agent"), Reload("agents", agent_id))


def _whole(value: object) -> int | None:
    """Take a whole number; 50 and 50.0 are one number to JavaScript, so they are here."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < EXACT_MAX and value == value // 1 else None
