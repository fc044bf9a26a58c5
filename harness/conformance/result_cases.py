"""Status and result of a task, and the orchestrator's health (contract §3 tasks, orchestrator)."""

from typing import Final

from msgspec import Struct

from harness.conformance.rest_cases import UNKNOWN_ID
from harness.conformance.stage import Stage, read_as
from harness.conformance.suite import Act, Row
from reference_server.contract.codes import TASK_NOT_COMPLETED

READ: Final = ("get_task_status", "get_task_result")
HANG: Final = {"simulate": {"outcome": "hang"}}
STEERED: Final = {"simulate": {"outcome": "complete", "duration_ms": 40}}
MANY: Final = 10
RATE_SLACK: Final = 0.0001

ROWS: Final = (
    *(Row("REST-RESULT-2", f"{name}-unknown", {"status": [404]}, name, ids={"id": UNKNOWN_ID}) for name in READ),
    *(Row("REST-ID-1", name, {"status": [404]}, name, ids={"id": "not-a-uuid"}) for name in READ),
)


async def what_came_of_a_task(stage: Stage) -> None:
    """REST-RESULT-1, REST-STATUS-1, TASK-DURATION-1, TASK-STEER-1: completed, too cheap to start, and canceled."""
    done = await stage.submit(stage.user, "for its result", constraints=STEERED)
    cheap = await stage.submit(stage.user, "too cheap for a result", budget=0.000001)
    canceled = await stage.submit(stage.user, "canceled, with a result", constraints=HANG, timeout=60)
    await stage.ask(stage.user, "cancel_task", path={"id": canceled})
    for task in (done, cheap, canceled):
        await stage.finished(stage.user, task)
        for operation in READ:
            await stage.ask(stage.user, operation, path={"id": task})
    never = {"task_id": cheap, "status": "failed", "cost": 0, "duration_ms": 0, "duration": 0}
    await stage.ask(stage.user, "get_task_result", "REST-RESULT-1/never-started", path={"id": cheap}, status=[200],
                    body_has={**never, "metadata.started_at": None})  # fmt: skip


async def an_unfinished_result(stage: Stage) -> None:
    """REST-RESULT-2."""
    task = await stage.submit(stage.user, "without a result yet", constraints=HANG, timeout=60)
    path, wanted = {"id": task}, {"error": TASK_NOT_COMPLETED}
    await stage.ask(stage.user, "get_task_result", "REST-RESULT-2/hangs", path=path, status=[400], body_has=wanted)
    await stage.ask(stage.user, "get_task_status", path=path)
    await stage.ask(stage.user, "cancel_task", path=path)


async def anothers_result(stage: Stage) -> None:
    """SEC-OWN-4: as if it were not there."""
    stage.two_people()
    task = await stage.submit(stage.user, "of one, finished")
    await stage.finished(stage.user, task)
    for operation in READ:
        unknown = f"{operation}-unknown"
        await stage.ask(stage.other, operation, f"SEC-OWN-4/{unknown}", path={"id": UNKNOWN_ID}, status=[404])
        case = f"SEC-OWN-4/{operation}"
        await stage.ask(stage.other, operation, case, path={"id": task}, status=[404], same_as=unknown)


class _Metrics(Struct):
    tasks_processed: int
    success_rate: float
    active_workers: int


class _Health(Struct):
    success_rate: float


async def health_of_the_orchestrator(stage: Stage) -> None:
    """REST-ORCH-4: beside the figures, at a moment when nothing of ours runs."""
    await stage.finished(stage.user, await stage.submit(stage.user, "for its health"))
    figures = read_as(await stage.ask(stage.user, "orchestrator_metrics"), _Metrics)
    health = read_as(await stage.ask(stage.user, "orchestrator_health"), _Health)
    rate = figures.success_rate / 100
    near = health.success_rate if abs(health.success_rate - rate) <= RATE_SLACK else rate
    wanted = {
        "tasks_processed": figures.tasks_processed, "active_workers": figures.active_workers, "success_rate": near,
        "status": "degraded" if figures.tasks_processed > MANY and rate < 1 / 2 else "healthy",
    }  # fmt: skip
    await stage.ask(stage.user, "orchestrator_health", "REST-ORCH-4/agrees", status=[200], body_has=wanted)


ACTS: Final = (
    Act(("REST-ORCH-4",), health_of_the_orchestrator, alone=True),
    Act(("REST-RESULT-1", "REST-STATUS-1", "TASK-DURATION-1", "TASK-STEER-1"), what_came_of_a_task),
    Act(("REST-RESULT-2",), an_unfinished_result),
    Act(("SEC-OWN-4",), anothers_result),
)
