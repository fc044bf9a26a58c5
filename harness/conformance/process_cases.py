"""What only a process shows: kill -9 under writes, and an orderly end (contract §5 Liveness, §4 restart).

Runs on a server of its own that it may kill. Every acknowledged write is read again after the restart; what that
proves is judged from the record, and so is how fast was written.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from harness.conformance.stage import NotAcceptedError, Stage, read_as
from harness.conformance.writes import ONCE, WRITES, Kept, Write, read_again
from harness.targets.local import LocalTarget
from reference_server.contract import limits

EXERCISES: Final = ("LIVE-CRASH-1", "TASK-RESTART-1", "TASK-FINISH-1", "LIVE-SHUTDOWN-1")
KILLS: Final = {"smoke": 1, "standard": 2, "thorough": 50}
KILLING_S_MAX: Final = 7 * 60.0
WRITERS: Final = 8
WRITING_S: Final = (0.1, 0.9)
KEPT_MAX: Final = 5_000
"""Of one round; writers stop there until the kill. It is far above what a round brings."""
READERS: Final = 4
QUIET_S_MAX: Final = 60.0
POLL_S: Final = 0.2
SHUTDOWN_S_MAX: Final = 15.0


async def kill_under_writes(
    stage: Stage, target: LocalTarget, kills: int, told: Callable[[str], None] = lambda _: None
) -> None:
    """LIVE-CRASH-1 and TASK-RESTART-1: write without a pause, kill at a drawn instant, start again, read all.

    What was written in a round is read after its restart; at the end all tasks are read once more, by list.
    """
    clock = asyncio.get_running_loop()
    until_s = clock.time() + KILLING_S_MAX
    stage.recorder.record("phase", name="start", scenario="kill_under_writes")
    for number in range(kills):
        if clock.time() > until_s:
            why = f"killed {number} times in {KILLING_S_MAX:g} s, not {kills} times: this machine is too slow"
            stage.recorder.record("note", why=why, clauses=["LIVE-CRASH-1"])
            break
        told(f"kill {number + 1} of {kills}")
        await _read_all(stage, await _killed_round(stage, target, number))
    stage.recorder.record("phase", name="healed")
    stage.recorder.record("phase", name="quiet")
    await stage.ask(None, "me", "SEC-TOKEN-1/after-restarts", status=[401], error_says="missing")
    try:
        await _wait_quiet(stage)
        await _list_all(stage)
    except NotAcceptedError as fault:
        stage.recorder.record("note", why=f"the tasks can't be read at the end: {fault}", clauses=["TASK-RESTART-1"])
    stage.recorder.record("phase", name="end")


async def _killed_round(stage: Stage, target: LocalTarget, number: int) -> list[Kept]:
    """Write, kill and start again; return what was acknowledged."""
    kept: list[Kept] = []
    stage.recorder.record("phase", name="faults")
    jobs = [_write(stage, f"{number}-{writer}", kept, itertools.cycle(WRITES)) for writer in range(WRITERS)]
    writers = [asyncio.create_task(job) for job in (*jobs, _write(stage, f"{number}-once", kept, ONCE))]
    shortest_s, longest_s = WRITING_S
    await target.sleep(shortest_s + (longest_s - shortest_s) * target.draw())
    stage.recorder.record("fault", name="kill", action="inject")
    await target.kill()
    await asyncio.gather(*writers)
    await target.restart()
    stage.recorder.record("fault", name="kill", action="heal")
    return kept


async def _write(stage: Stage, name: str, kept: list[Kept], writes: Iterable[Write]) -> None:
    """Write until the server is gone, or all is written."""
    for number, write in enumerate(writes):
        if len(kept) >= KEPT_MAX:
            return
        try:
            await write(stage, f"{name}-{number}", kept.append)
        except NotAcceptedError:
            return


async def _read_all(stage: Stage, kept: list[Kept]) -> None:
    async def read_some(first: int) -> None:
        for one in kept[first::READERS]:
            await read_again(stage, one)

    await asyncio.gather(*(read_some(first) for first in range(READERS)))


class _Total(Struct):
    total: int


async def _wait_quiet(stage: Stage) -> None:
    """Wait until no task is unfinished, or the deadline came: then their judge says which."""
    clock = asyncio.get_running_loop()
    until_s = clock.time() + QUIET_S_MAX
    while clock.time() < until_s:
        queries = ({"status": status, "limit": "1"} for status in ("queued", "assigned", "running"))
        answers = [await stage.ask(stage.user, "list_tasks", query=query) for query in queries]
        if not any(read_as(answer, _Total).total for answer in answers):
            return
        await asyncio.sleep(POLL_S)


async def _list_all(stage: Stage) -> None:
    """Page through every task: what all lists say once everything is quiet shows doubled and lost ones."""
    offset, total = 0, 1
    while offset < total:
        query = {"limit": str(limits.TASKS_LIMIT_MAX), "offset": str(offset)}
        total = read_as(await stage.ask(stage.user, "list_tasks", query=query), _Total).total
        offset += limits.TASKS_LIMIT_MAX


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
