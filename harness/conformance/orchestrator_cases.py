"""The orchestrator's figures and what tasks leave behind on agents, at moments when nothing else runs (contract §3)."""

import asyncio
from typing import Final

from msgspec import Struct

from harness.conformance.stage import POLL_S, NotAcceptedError, Stage, read_as
from harness.conformance.suite import Act
from reference_server.contract import limits

STEERED_MS: Final = 30
RUNNING: Final = 3
RUNNING_S_MAX: Final = 5.0
PAGES_MAX: Final = 10
HANG: Final = {"simulate": {"outcome": "hang"}}


class _Figures(Struct):
    tasks_processed: int
    tasks_succeeded: int
    tasks_failed: int
    success_rate: float


class _Task(Struct):
    status: str
    assigned_to: str | None = None


class _Agent(Struct):
    id: str
    tasks_completed: int


class _Agents(Struct):
    agents: list[_Agent]
    total_pages: int


async def figures_of_the_orchestrator(stage: Stage) -> None:
    """REST-ORCH-1, at a moment when nothing of ours runs."""
    task = await stage.submit(stage.user, "for the figures")
    await stage.finished(stage.user, task)
    figures = read_as(await stage.ask(stage.user, "orchestrator_metrics"), _Figures)
    if not stage.has("exclusive"):
        return
    processed = figures.tasks_succeeded + figures.tasks_failed
    exact = 100 * figures.tasks_succeeded / processed if processed else 0
    rate = figures.success_rate
    wanted = {"tasks_processed": processed, "success_rate": rate if abs(rate - exact) <= 0.01 else exact}
    await stage.ask(stage.user, "orchestrator_metrics", "REST-ORCH-1/sums", status=[200], body_has=wanted)


async def what_is_counted(stage: Stage) -> None:
    """REST-ORCH-2: one more for a task that ended by itself, none for one that was canceled."""
    before = read_as(await stage.ask(stage.user, "orchestrator_metrics"), _Figures)
    canceled = await stage.submit(stage.user, "canceled, not counted", constraints=HANG, timeout=30)
    await stage.ask(stage.user, "cancel_task", path={"id": canceled})
    same = {"tasks_processed": before.tasks_processed, "tasks_failed": before.tasks_failed}
    await stage.ask(stage.user, "orchestrator_metrics", "REST-ORCH-2/canceled", status=[200], body_has=same)
    await stage.finished(stage.user, await stage.submit(stage.user, "counted"))
    one_more, none = {"tasks_processed": before.tasks_processed + 1}, {"avg_execution_ms": 0}
    case = "REST-ORCH-2/counted"
    await stage.ask(stage.user, "orchestrator_metrics", case, status=[200], body_has=one_more, body_not=none)


async def workers_that_run(stage: Stage) -> None:
    """REST-ORCH-3: as many as hang, and none once they were canceled."""
    tasks = [
        await stage.submit(stage.user, f"keeps a worker {n}", constraints=HANG, timeout=60) for n in range(RUNNING)
    ]
    for task in tasks:
        await _running(stage, task)
    wanted = {"active_workers": RUNNING}
    await stage.ask(stage.user, "orchestrator_metrics", "REST-ORCH-3/running", status=[200], body_has=wanted)
    for task in tasks:
        await stage.ask(stage.user, "cancel_task", path={"id": task})
    wanted = {"active_workers": 0}
    await stage.ask(stage.user, "orchestrator_metrics", "REST-ORCH-3/canceled", status=[200], body_has=wanted)


async def _running(stage: Stage, task: str) -> None:
    until = asyncio.get_running_loop().time() + RUNNING_S_MAX
    while read_as(await stage.ask(stage.user, "get_task", path={"id": task}), _Task).status != "running":
        if asyncio.get_running_loop().time() > until:
            raise NotAcceptedError(f"a task did not run within {RUNNING_S_MAX:g} s")
        await asyncio.sleep(POLL_S)


async def completed_tasks_count(stage: Stage) -> None:
    """TASK-COUNT-1 and RT-AGENT-2: the agent of a completed task has one more, and nobody is told of it.

    Who takes a task is the target's choice, so that all agents are read before.
    """
    watcher = await stage.dialed(stage.user)
    before = await _tasks_completed(stage)
    simulate = {"simulate": {"outcome": "complete", "duration_ms": STEERED_MS}}
    task = await stage.finished(stage.user, await stage.submit(stage.user, "one more", constraints=simulate))
    agent = str(task.get("assigned_to"))
    if task.get("status") != "completed" or agent not in before:
        told = f"a task of '{agent}' is {task.get('status')}"
        raise NotAcceptedError(f"{told}, expected one completed by one of the {len(before)} agents read before")
    wanted = {"tasks_completed": before[agent] + 1}
    await stage.ask(stage.user, "get_agent", "TASK-COUNT-1/one-more", path={"id": agent}, body_has=wanted)
    await watcher.leave()


async def _tasks_completed(stage: Stage) -> dict[str, int]:
    """Read how many tasks each active agent has completed, a page at a time."""
    found: dict[str, int] = {}
    for number in range(1, PAGES_MAX + 1):
        query = {"status": "active", "limit": str(limits.AGENTS_LIMIT_MAX), "page": str(number)}
        page = read_as(await stage.ask(stage.user, "list_agents", query=query), _Agents)
        found |= {agent.id: agent.tasks_completed for agent in page.agents}
        if number >= page.total_pages:
            break
    return found


ACTS: Final = (
    Act(("REST-ORCH-1",), figures_of_the_orchestrator, alone=True),
    Act(("REST-ORCH-2",), what_is_counted, alone=True),
    Act(("REST-ORCH-3",), workers_that_run, alone=True),
    Act(("TASK-COUNT-1", "RT-AGENT-2"), completed_tasks_count, socket=True, alone=True),
)
