"""Writes of every kind, each with what has to be read once it was acknowledged: what a crash must not lose.

A write goes to a server that may die under it. What was answered 2xx is kept; what was under way when the server went
is owed nothing. To add a kind, write its function and give it its place in `WRITES` or `ONCE`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from msgspec import Struct

from harness.client.forms import File
from harness.conformance.agent_cases import WASM, register
from harness.conformance.stage import NotAcceptedError, Stage, read_as
from harness.targets.base import Answered

CRASH: Final = "LIVE-CRASH-1"
TASK_MS: Final = 20
CANCELED_MS: Final = 500
"""Long enough to be canceled before its end, short enough to end between two kills when its cancel was cut off."""
AGENT: Final = "agent_001"
TOO_LATE: Final = 409
BINARY: Final = File("wasm_binary", WASM + bytes(64 * 1024))


class Kept(NamedTuple):
    """An acknowledged write: the call that shows it, its status, and what its answer (a file's digest) must be."""

    name: str
    operation: str
    path: dict[str, str]
    body_has: dict[str, Any]
    status: int = 200
    sha256: str = ""


Keep = Callable[[Kept], None]
Write = Callable[[Stage, str, Keep], Awaitable[None]]


class _Made(Struct):
    id: str


async def submit(stage: Stage, name: str, keep: Keep) -> None:
    """Submit a task that soon completes."""
    await _submitted(stage, name, keep, TASK_MS)


async def submit_and_cancel(stage: Stage, name: str, keep: Keep) -> None:
    """Submit a task and cancel it at once: to cancel it again is a conflict."""
    task = await _submitted(stage, name, keep, CANCELED_MS)
    answer = await stage.ask(stage.user, "cancel_task", path={"id": task})
    if answer.status == TOO_LATE:
        return
    _accepted(answer)
    keep(Kept("canceled", "get_task", {"id": task}, {"status": "canceled"}))
    keep(Kept("canceled for good", "cancel_task", {"id": task}, {}, 409))


async def deploy_and_stop(stage: Stage, name: str, keep: Keep) -> None:
    """Deploy an agent, and stop that."""
    config = f'"{stage.named(name)}"'
    answer = _accepted(await stage.ask(stage.user, "deploy", body={"agent_id": AGENT, "config": config}))
    path = {"id": read_as(answer, _Made).id}
    keep(Kept("deployed", "get_deployment", path, {"agent_id": AGENT, "config": config}))
    _accepted(await stage.ask(stage.user, "stop_deployment", path=path))
    keep(Kept("stopped", "get_deployment", path, {"status": "stopped"}))


async def rename(stage: Stage, name: str, keep: Keep) -> None:
    """Take another name."""
    full_name = stage.named(f"write {name}")
    _accepted(await stage.ask(stage.user, "update_me", body={"full_name": full_name}))
    keep(Kept("renamed", "me", {}, {"full_name": full_name}))


async def make_key(stage: Stage, name: str, keep: Keep) -> None:
    """Make an API key: to revoke it takes that it is there."""
    body = {"name": stage.named(f"write {name}"), "environment": "test"}
    answer = _accepted(await stage.ask(stage.user, "make_api_key", body=body))
    keep(Kept("key", "revoke_api_key", {"id": read_as(answer, _Made).id}, {"status": "revoked"}))


async def upload(stage: Stage, name: str, keep: Keep) -> None:
    """Register an agent with its binary; it offers nothing that a task asks for."""
    called = stage.named(f"write {name}")
    path = {"id": await register(stage, stage.user, content=BINARY.content, name=called)}
    keep(Kept("agent", "get_agent", path, {"name": called}))
    listed = {"total": 1, "versions.0.binary_hash": BINARY.sha256, "versions.0.binary_size": len(BINARY.content)}
    keep(Kept("version", "list_versions", path, listed))
    keep(Kept("binary", "get_binary", path, {}, sha256=BINARY.sha256))


WRITES: Final[tuple[Write, ...]] = (submit, submit_and_cancel, submit, deploy_and_stop, submit)
"""In this order, again and again: submits are what the system does most."""

ONCE: Final[tuple[Write, ...]] = (rename, make_key, upload)
"""Once between two kills: with a second name it were open which one counts, and each key is one more secret to mask."""


async def read_again(stage: Stage, kept: Kept) -> None:
    """Read an acknowledged write; what it shows is judged as a row of LIVE-CRASH-1."""
    row = f"{CRASH}/{kept.name}"
    await stage.ask(
        stage.user,
        kept.operation,
        row,
        path=kept.path,
        status=[kept.status],
        body_has=kept.body_has,
        sha256=kept.sha256,
    )


async def _submitted(stage: Stage, name: str, keep: Keep, duration_ms: int) -> str:
    constraints = {"simulate": {"outcome": "complete", "duration_ms": duration_ms}}
    task = await stage.submit(stage.user, f"write {name}", constraints=constraints)
    keep(Kept("submitted", "get_task", {"id": task}, {"query": stage.named(f"write {name}")}))
    return task


def _accepted(answer: Answered) -> Answered:
    """Return a 2xx; raises NotAcceptedError for any other, and when the server was gone."""
    if not 200 <= answer.status < 300:
        raise NotAcceptedError(f"a write was answered {answer.status}")
    return answer
