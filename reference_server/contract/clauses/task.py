"""TASK: the lifecycle (contract §4)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Kind, Reach

TASK: Final = (
    Clause("TASK-MOVE-1", "a task moves only as the table of states allows", "§4", depth=Depth.SMOKE,
           grants=("tasks",)),
    Clause("TASK-FINAL-1", "nothing follows completed, failed or canceled", "§4", depth=Depth.SMOKE,
           grants=("tasks",)),
    Clause("TASK-FINISH-1", "every submitted task finishes once the system is healed and quiet", "§4",
           kind=Kind.LIVENESS, depth=Depth.SMOKE, grants=("tasks",)),
    Clause("TASK-PROGRESS-1", "progress is 10 queued, 25 assigned, 50 to 99 running, 100 completed, 0 failed and "
           "canceled", "§4", depth=Depth.SMOKE, grants=("tasks",)),
    Clause("TASK-TIMES-1", "started_at is the first attempt's start, completed_at stands on finished tasks only",
           "§4", depth=Depth.SMOKE, grants=("tasks",)),
    Clause("TASK-COST-1", "actual_cost is at most the budget and 0 unless completed", "§4", depth=Depth.SMOKE,
           grants=("tasks",)),
    Clause("TASK-REVISION-1", "revision is 1 at creation and grows with every change that a GET can show", "§3 tasks",
           grants=("tasks",), ext=True),
    Clause("TASK-FIT-1", "a task that no active agent fits fails at once", "§4", grants=("tasks",)),
    Clause("TASK-RETRY-1", "a failing attempt is retried at most 3 times and retry_count counts the retries", "§4",
           reach=Reach.STEERED, needs=("steer",), grants=("tasks",), ext=True),
    Clause("TASK-TIMEOUT-1", "a timeout is not retried and says so in error", "§4",
           reach=Reach.STEERED, needs=("steer",), grants=("tasks",), ext=True),
    Clause("TASK-PRIORITY-1", "higher priority first, then older first", "§4", reach=Reach.WHITE_BOX),
    Clause("TASK-RESTART-1", "tasks survive a restart: none is lost or doubled, all finish", "§4",
           needs=("process",), grants=("tasks", "faults")),
)  # fmt: skip
