"""What only a process shows: kill -9 under writes, and an orderly end (contract §5 Liveness, §4 restart).

Runs on a server of its own that it may kill. Every acknowledged write is read again after the restart; what that
proves is judged from the record.
"""

import asyncio
from typing import Final

from harness.conformance.suite import NotAcceptedError, Stage
from harness.targets.local import LocalTarget
from reference_server.contract import limits

EXERCISES: Final = ("LIVE-CRASH-1", "TASK-RESTART-1", "TASK-FINISH-1", "LIVE-SHUTDOWN-1")
KILLS: Final = {"smoke": 1, "standard": 2, "thorough": 5}
WRITERS: Final = 3
WRITING_S_MAX: Final = 0.8
SHUTDOWN_S_MAX: Final = 15.0
TASK_MS: Final = 40


async def kill_under_writes(stage: Stage, target: LocalTarget, kills: int) -> None:
    """LIVE-CRASH-1 and TASK-RESTART-1: submit without a pause, kill at a drawn instant, start again, read all."""
    accepted: list[str] = []
    stage.recorder.record("phase", name="start", scenario="kill_under_writes")
    for number in range(kills):
        stage.recorder.record("phase", name="faults")
        writers = [asyncio.create_task(_write(stage, f"{number}-{writer}", accepted)) for writer in range(WRITERS)]
        await target.sleep(0.1 + WRITING_S_MAX * target.draw())
        stage.recorder.record("fault", name="kill", action="inject")
        await target.kill()
        await asyncio.gather(*writers)
        await target.restart()
        stage.recorder.record("fault", name="kill", action="heal")
        for task in accepted:
            await stage.ask(stage.user, "get_task", path={"id": task})
    stage.recorder.record("phase", name="healed")
    stage.recorder.record("phase", name="quiet")
    for task in accepted:
        await stage.finished(stage.user, task)
    # What all lists say once everything is quiet shows doubled and lost tasks.
    for offset in range(0, len(accepted) + 1, limits.TASKS_LIMIT_MAX):
        query = {"limit": str(limits.TASKS_LIMIT_MAX), "offset": str(offset)}
        await stage.ask(stage.user, "list_tasks", query=query)
    stage.recorder.record("phase", name="end")


async def _write(stage: Stage, name: str, accepted: list[str]) -> None:
    """Submit until the server is gone."""
    number = 0
    while True:
        try:
            simulate = {"simulate": {"outcome": "complete", "duration_ms": TASK_MS}}
            accepted.append(await stage.submit(stage.user, f"write {name}-{number}", constraints=simulate))
        except NotAcceptedError:
            return
        number += 1


async def end_in_order(stage: Stage, target: LocalTarget) -> None:
    """LIVE-SHUTDOWN-1: with sockets open, SIGTERM; they are warned and closed, and the process ends with 0."""
    sockets = [await stage.dialed(session) for session in (stage.user, stage.user, stage.other)]
    ending = asyncio.create_task(target.terminate(SHUTDOWN_S_MAX))
    for socket in sockets:
        await socket.wait_closed(limits.SHUTDOWN_CLOSE_S_MAX + 2)
    for socket in sockets:
        await socket.wait_tcp_end(limits.ABORT_AFTER_CLOSE_S + 1)
    await ending
    for socket in sockets:
        await socket.leave()
