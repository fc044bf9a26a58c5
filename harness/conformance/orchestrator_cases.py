"""The orchestrator's figures and what tasks leave behind on agents, at moments when nothing else runs (contract §3)."""

import asyncio
from typing import Final

from msgspec import Struct

from harness.conformance.suite import POLL_S, Act, NotAcceptedError, Stage, read_as

STEERED_MS: Final = 30
RUNNING: Final = 3
RUNNING_S_MAX: Final = 5.0
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
    tasks_completed: int


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
    """TASK-COUNT-1 and RT-AGENT-2: the agent of a completed task has one more, and nobody is told of it."""
    watcher = await stage.dialed(stage.user)
    simulate = {"simulate": {"outcome": "complete", "duration_ms": STEERED_MS}}
    first = await stage.submit(stage.user, "who takes it", constraints=simulate)
    agent = str((await stage.finished(stage.user, first)).get("assigned_to"))
    before = read_as(await stage.ask(stage.user, "get_agent", path={"id": agent}), _Agent).tasks_completed
    task = await stage.finished(stage.user, await stage.submit(stage.user, "one more", constraints=simulate))
    more = 1 if task.get("assigned_to") == agent and task.get("status") == "completed" else 0
    wanted = {"tasks_completed": before + more}
    await stage.ask(stage.user, "get_agent", "TASK-COUNT-1/one-more", path={"id": agent}, body_has=wanted)
    await watcher.leave()


ACTS: Final = (
    Act(("REST-ORCH-1",), figures_of_the_orchestrator, alone=True),
    Act(("REST-ORCH-2",), what_is_counted, alone=True),
    Act(("REST-ORCH-3",), workers_that_run, alone=True),
    Act(("TASK-COUNT-1", "RT-AGENT-2"), completed_tasks_count, alone=True),
)
