"""REST of work: tasks, orchestrator, deployments, and the socket's operations (contract §3)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, held

DEPLOYMENTS: Final = ("deployments",)
RESULTS: Final = ("results",)
TASKS: Final = ("tasks",)
_TASKS: Final = "reference_server/tests/test_decisions_tasks.py"

REST_WORK: Final = (
    Clause("REST-TASK-1", "a submitted task can be read at once with what was submitted", "§3 tasks",
           depth=Depth.SMOKE, grants=TASKS),
    Clause("REST-TASK-2", "own tasks are listed newest first and the pages of an unchanged list partition it",
           "§3 tasks", grants=TASKS),
    Clause("REST-TASK-3", "cancel answers 200 once; on a finished task 409 and nothing changes", "§3 tasks",
           depth=Depth.SMOKE, grants=TASKS),
    Clause("REST-TASK-4", "while tasks arrive no page skips one that was there throughout", "§3 tasks",
           grants=("accounts", "tasks")),
    held("REST-TASK-5", "a submit to a full queue is 503 with Retry-After", "§3 tasks",
         f"{_TASKS}::test_a_full_queue_is_503_with_retry_after_and_nothing_is_written"),
    Clause("REST-STATUS-1", "a task's status says what the task itself says", "§3 tasks",
           needs=RESULTS, grants=TASKS),
    Clause("REST-RESULT-1", "the result of a finished task says what the task itself says", "§3 tasks",
           needs=RESULTS, grants=TASKS),
    Clause("REST-RESULT-2", "the result of an unfinished task is 400 with error task not completed", "§3 tasks",
           needs=RESULTS, grants=TASKS),
    Clause("REST-ORCH-1", "processed = succeeded + failed, timed out within failed, success_rate within 0.01 of "
           "the exact", "§3 orchestrator", depth=Depth.SMOKE),
    Clause("REST-ORCH-2", "canceled tasks are not counted, and a mean is there once something ran", "§3 orchestrator",
           needs=("exclusive",), grants=TASKS),
    Clause("REST-ORCH-3", "active_workers counts the attempts that run now", "§3 orchestrator",
           needs=("exclusive", "steer"), grants=TASKS),
    Clause("REST-ORCH-4", "orchestrator health agrees with the figures: a rate as a fraction, degraded when over 10 "
           "were processed and under half succeeded", "§3 orchestrator", needs=("results", "exclusive"), grants=TASKS),
    Clause("REST-DEPLOY-1", "a deployment is made with what was asked for, or the defaults", "§3 deployments",
           needs=DEPLOYMENTS, grants=DEPLOYMENTS),
    Clause("REST-DEPLOY-2", "own deployments are listed newest first, each as it shows alone", "§3 deployments",
           needs=DEPLOYMENTS, grants=DEPLOYMENTS),
    Clause("REST-DEPLOY-3", "stopping answers the stopped deployment, again as well", "§3 deployments",
           needs=DEPLOYMENTS, grants=DEPLOYMENTS),
    Clause("REST-DEPLOY-4", "an unknown agent is 404, another environment and a config that is no JSON text of at "
           "most 16 KiB 400", "§3 deployments", needs=DEPLOYMENTS, grants=DEPLOYMENTS),
    Clause("REST-STATS-1", "ws stats count the connections that are open", "§3 socket", needs=("exclusive",)),
    Clause("REST-STATS-2", "ws stats count each message that was put in an outbox", "§3 socket",
           needs=("exclusive",)),
    Clause("REST-PUBLISH-1", "broadcast and send answer how many connections the message was accepted for",
           "§3 socket", needs=("admin", "exclusive"), grants=("publish",)),
    Clause("REST-PUBLISH-2", "data not valid for its type is 400, an unknown user 404, and nobody gets it",
           "§3 socket", needs=("admin",), grants=("publish",)),
    Clause("REST-PUBLISH-3", "what is published is passed on as given, fields of its own included", "§5",
           needs=("admin",), grants=("publish",)),
)  # fmt: skip
