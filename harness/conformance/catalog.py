"""Which part of `harness verify` exercises which clause; a test holds that none of the registry is forgotten."""

from typing import Final

from harness.conformance import (
    abuse_cases,
    agent_cases,
    binary_cases,
    credential_cases,
    deployment_cases,
    handshake_cases,
    key_cases,
    orchestrator_cases,
    process_cases,
    profile_cases,
    rest_cases,
    result_cases,
    security_cases,
    socket_cases,
    task_cases,
)
from harness.conformance.rfc6455 import acts as rfc6455
from harness.conformance.suite import Act, Row
from harness.targets.profiles import UNBUILT
from reference_server.contract.clauses import CLAUSES, Reach

PARTS: Final = ("rest", "security", "socket", "rfc6455", "scenario", "process", "load", "browser")

ROWS: Final[dict[str, tuple[Row, ...]]] = {
    "rest": (
        *rest_cases.ROWS, *profile_cases.ROWS, *agent_cases.ROWS, *binary_cases.ROWS, *deployment_cases.ROWS,
        *result_cases.ROWS, *key_cases.ROWS,
    ),
    "security": security_cases.ROWS,
}  # fmt: skip
ACTS: Final[dict[str, tuple[Act, ...]]] = {
    "rest": (
        *orchestrator_cases.ACTS, *result_cases.ACTS, *agent_cases.ACTS, *binary_cases.ACTS, *deployment_cases.ACTS,
        *profile_cases.ACTS, *rest_cases.ACTS, *task_cases.ACTS,
    ),
    "security": (*security_cases.ACTS, *credential_cases.ACTS, *key_cases.ACTS, *abuse_cases.ACTS),
    "socket": (*socket_cases.ACTS, *handshake_cases.ACTS),
    "rfc6455": rfc6455.ACTS,
}  # fmt: skip

EVERY_ANSWER: Final = (
    "REST-JSON-1", "REST-SCHEMA-1", "REST-TIME-1", "REST-ERR-1", "REST-ERR-2", "REST-ID-2", "SEC-ORIGIN-2",
)  # fmt: skip
"""Judged on every answer of every part that calls operations."""

EVERY_REFUSAL: Final = ("SEC-TOKEN-7",)
"""Judged on every 401: of the suites, which call without a valid credential too."""

EVERY_MESSAGE: Final = ("RT-SCHEMA-1", "RT-WELCOME-1", "RT-TIME-1", "RT-PREFIX-2")
"""Judged on every message of every part that reads a socket."""

EVERY_FRAME: Final = ("RT-FRAME-1",)
"""Judged on every frame of the server, where frames are read by hand: in the suites."""

EVERY_PONG: Final = ("RT-PONG-1", "PERF-P6")
"""Judged on every ping: of the suite of sockets. A tab of a scenario is gone before its first one is due."""

SCENARIO: Final = (
    "RT-PUSH-1", "RT-PREFIX-1", "RT-PREFIX-3", "RT-ISOLATION-1", "RT-JOIN-1", "RT-COHERENCE-1", "RT-ORDER-1",
    "TASK-MOVE-1", "TASK-FINAL-1", "TASK-FINISH-1", "TASK-PROGRESS-1", "TASK-TIMES-1",
    "TASK-COST-1", "TASK-COST-2", "TASK-ERROR-1", "TASK-REVISION-1", "RT-PUSH-2", "CLIENT-BACKOFF-1",
)  # fmt: skip
LOAD: Final = ("PERF-P1", "PERF-P2", "RT-PUSH-1", "RT-PREFIX-2", "RT-ISOLATION-1")
"""Two budgets, and what a ledger accounts for."""
BROWSER_BESIDES: Final = ("CLIENT-BACKOFF-1",)
"""Not CLIENT-STOP-1: a page that must stay away leaves for the login, and nothing of it is left to be judged."""

JUDGED_BESIDE: Final = frozenset((
    *EVERY_ANSWER, *EVERY_REFUSAL, *EVERY_MESSAGE, *EVERY_FRAME, *EVERY_PONG,
    *(clause.id for clause in CLAUSES if clause.id.startswith("TASK-")),
))  # fmt: skip
"""Judged on every answer, every message, every submit and reading of a task, whoever makes them."""


def exercised() -> dict[str, frozenset[str]]:
    """Return, for each clause that can be judged from outside, the parts that exercise it."""
    found: dict[str, set[str]] = {}
    for part in PARTS:
        for clause in clauses_of(part):
            found.setdefault(clause, set()).add(part)
    return {clause: frozenset(parts) for clause, parts in found.items()}


def clauses_of(part: str) -> frozenset[str]:
    """Return the clauses that a part exercises."""
    match part:
        case "scenario":
            return frozenset((*SCENARIO, *EVERY_ANSWER, *EVERY_MESSAGE))
        case "process":
            return frozenset((*process_cases.EXERCISES, *EVERY_ANSWER))
        case "load":
            return frozenset(LOAD)
        case "browser":
            seen = frozenset(clause.id for clause in CLAUSES if "browser" in clause.needs)
            return seen & from_outside() | frozenset(BROWSER_BESIDES)
        case _:
            return _of_suite(part)


def _of_suite(part: str) -> frozenset[str]:
    own = {row.clause for row in ROWS.get(part, ())}
    own |= {clause for act in ACTS.get(part, ()) for clause in act.clauses}
    if part == "rfc6455":
        # It calls no operation, and nobody publishes to its sockets.
        return frozenset((*own, *EVERY_FRAME, *(clause for clause in EVERY_MESSAGE if clause != "RT-PREFIX-2")))
    on_sockets = (*EVERY_MESSAGE, *EVERY_FRAME, *EVERY_PONG) if part == "socket" else ()
    return frozenset((*own, *EVERY_ANSWER, *EVERY_REFUSAL, *on_sockets))


def from_outside() -> frozenset[str]:
    """Return every clause that a run can judge: none that tests of the project hold, and none of what is not built."""
    seen = (clause for clause in CLAUSES if clause.reach is not Reach.WHITE_BOX)
    return frozenset(clause.id for clause in seen if not UNBUILT & set(clause.needs))
