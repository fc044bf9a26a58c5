"""TASK: the lifecycle (contract §4)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Kind, Reach, held

_TASKS: Final = "reference_server/tests/test_decisions_tasks.py"
_ATTEMPTS: Final = "reference_server/tests/test_lifecycle_attempts.py"

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
    Clause("TASK-COST-2", "a completed task costs its agent's price, in the task and in its result", "§4",
           grants=("tasks",)),
    Clause("TASK-DURATION-1", "a result's durations are completed_at less started_at in milliseconds, 0 if it never "
           "started", "§1 durations, §4", needs=("results",), grants=("tasks",)),
    Clause("TASK-ERROR-1", "a failed task says why in at most 1,000 characters, and no other has an error",
           "§2 sizes, §3 tasks", grants=("tasks",)),
    Clause("TASK-REVISION-1", "revision is 1 at creation and grows with every change that a GET can show", "§3 tasks",
           grants=("tasks",), ext=True),
    Clause("TASK-FIT-1", "a task that no active agent fits fails at once", "§4", grants=("tasks",)),
    Clause("TASK-STEER-1", "a steered attempt lasts as long as it was told", "§4",
           reach=Reach.STEERED, needs=("steer",), grants=("tasks",), ext=True),
    Clause("TASK-RETRY-1", "a failing attempt is retried at most 3 times and retry_count counts the retries", "§4",
           reach=Reach.STEERED, needs=("steer",), grants=("tasks",), ext=True),
    held("TASK-RETRY-2", "retries come after 1, 2 and 3 s by setting", "§4",
         f"{_TASKS}::test_a_failing_attempt_is_retried_after_1_2_and_3_seconds"),
    Clause("TASK-TIMEOUT-1", "a timeout is not retried and says so in error", "§4",
           reach=Reach.STEERED, needs=("steer",), grants=("tasks",), ext=True),
    held("TASK-TIMEOUT-2", "a timeout runs from each attempt's start", "§4",
         f"{_ATTEMPTS}::test_a_timeout_runs_from_the_start_of_each_attempt"),
    held("TASK-STEER-2", "a task that nobody steers takes a drawn time, by setting, and succeeds", "§4",
         f"{_ATTEMPTS}::test_an_unsteered_task_takes_a_drawn_time_within_the_setting_and_succeeds"),
    held("TASK-CANCEL-1", "of a cancel and a completion at the same time exactly one wins", "§4",
         "reference_server/tests/test_lifecycle_races.py::test_of_a_cancel_and_a_completion_exactly_one_wins"),
    held("TASK-FIT-2", "a queued task fails at once when the last agent that fitted it is gone", "§4",
         "reference_server/tests/test_lifecycle_agents.py::"
         "test_a_queued_task_fails_at_once_when_the_last_agent_that_fitted_changes"),
    held("TASK-PRIORITY-1", "higher priority first, then older first", "§4",
         f"{_TASKS}::test_higher_priority_goes_first_then_the_older"),
    Clause("TASK-COUNT-1", "a completed task adds 1 to its agent's tasks_completed", "§3 agents",
           needs=("exclusive",), grants=("tasks",)),
    Clause("TASK-AWAY-1", "when its agent is deleted or no longer active a task is assigned anew, and no retry is "
           "counted", "§4", reach=Reach.STEERED, needs=("uploads", "steer"), grants=("tasks", "agents")),
    Clause("TASK-RESTART-1", "tasks survive a restart: none is lost or doubled, all finish", "§4",
           needs=("process",), grants=("tasks", "faults")),
    held("TASK-RESTART-2", "an attempt cut short by a restart counts as none", "§4",
         f"{_TASKS}::test_an_interrupted_task_runs_again_after_a_restart_without_counting_a_retry"),
)  # fmt: skip
