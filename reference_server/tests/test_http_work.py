"""Tasks, deployments and the orchestrator over real HTTP: every status of each operation (contract §3)."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from reference_server.contract import limits
from reference_server.tests.process import DEADLINE_S, ServerProcess

UNKNOWN = "00000000-0000-4000-8000-000000000000"
JSON = {"Content-Type": "application/json"}
TEXT = {"content": b"{}", "headers": {"Content-Type": "text/plain"}}
TOO_LARGE = {"content": b" " * (limits.JSON_BODY_BYTES_MAX + 1), "headers": JSON}
TASK = {"query": "q", "budget": 1}
HANGS = {**TASK, "timeout": 300, "constraints": {"simulate": {"outcome": "hang"}}}
DEPLOYMENT = {"agent_id": "agent_001", "config": '{"replicas": 2}'}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--db", ":memory:", "--limits", "off", "--task-ms", "1:2") as running:
        yield running


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.register()


@pytest.fixture(scope="module")
def ids(server: ServerProcess, token: str) -> dict[str, str]:
    """One of each: a task that is done, one that never is, one of somebody else, a deployment, a foreign one."""
    other = server.register("ben@example.org")
    tasks = {"done": (token, TASK), "unfinished": (token, HANGS), "to cancel": (token, HANGS), "foreign": (other, TASK)}
    made = {
        name: server.call("POST", "/tasks/submit", who, json=body).json()["task_id"]
        for name, (who, body) in tasks.items()
    }
    until = time.monotonic() + DEADLINE_S
    while server.call("GET", f"/tasks/{made['done']}", token).json()["status"] != "completed":
        assert time.monotonic() < until
    for name, who in (("deployment", token), ("foreign deployment", other)):
        made[name] = server.call("POST", "/deployments", who, json=DEPLOYMENT).json()["id"]
    return {**made, "unknown": UNKNOWN, "malformed": "not-an-id"}


STATUSES: list[tuple[str, str, dict[str, Any], int]] = [
    ("POST", "/tasks/submit", {"json": TASK}, 202),
    ("POST", "/tasks/submit", {"json": {"query": "q"}}, 400),
    ("POST", "/tasks/submit", TOO_LARGE, 413),
    ("POST", "/tasks/submit", TEXT, 415),
    ("GET", "/tasks?type=anything&status=queued", {}, 200),
    ("GET", "/tasks?status=done", {}, 400),
    ("GET", "/tasks/{done}", {}, 200),
    ("GET", "/tasks/{foreign}", {}, 404),
    ("GET", "/tasks/{done}/status", {}, 200),
    ("GET", "/tasks/{unfinished}/status", {}, 200),
    ("GET", "/tasks/{foreign}/status", {}, 404),
    ("GET", "/tasks/{malformed}/status", {}, 404),
    ("GET", "/tasks/{done}/result", {}, 200),
    ("GET", "/tasks/{unfinished}/result", {}, 400),
    ("GET", "/tasks/{unknown}/result", {}, 404),
    ("GET", "/tasks/{foreign}/result", {}, 404),
    ("DELETE", "/tasks/{to cancel}", {}, 200),
    ("DELETE", "/tasks/{done}", {}, 409),
    ("DELETE", "/tasks/{foreign}", {}, 404),
    ("GET", "/orchestrator/metrics", {}, 200),
    ("GET", "/orchestrator/health", {}, 200),
    ("POST", "/deployments", {"json": DEPLOYMENT}, 201),
    ("POST", "/deployments", {"json": {**DEPLOYMENT, "config": "{"}}, 400),
    ("POST", "/deployments", {"json": {"agent_id": "agent_099"}}, 404),
    ("POST", "/deployments", TOO_LARGE, 413),
    ("POST", "/deployments", TEXT, 415),
    ("GET", "/deployments", {}, 200),
    ("GET", "/deployments/{deployment}", {}, 200),
    ("GET", "/deployments/{foreign deployment}", {}, 404),
    ("GET", "/deployments/{malformed}", {}, 404),
    ("POST", "/deployments/{deployment}/stop", {}, 200),
    ("POST", "/deployments/{foreign deployment}/stop", {}, 404),
    ("POST", "/deployments/{unknown}/stop", {}, 404),
]


@pytest.mark.parametrize(("method", "path", "named", "status"), STATUSES)
def test_every_status_of_tasks_deployments_and_the_orchestrator(
    server: ServerProcess, token: str, ids: dict[str, str], method: str, path: str, named: dict[str, Any], status: int
) -> None:
    answer = server.call(method, path.format(**ids), token, **named)

    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("method", "path"), sorted({(method, path) for method, path, _, _ in STATUSES}))
def test_without_a_credential_each_is_401(server: ServerProcess, ids: dict[str, str], method: str, path: str) -> None:
    assert server.call(method, path.format(**ids), json=TASK).status_code == 401


def test_an_unfinished_tasks_result_has_an_error_phrase_of_its_own(
    server: ServerProcess, token: str, ids: dict[str, str]
) -> None:
    answer = server.call("GET", f"/tasks/{ids['unfinished']}/result", token)

    assert answer.json()["error"] == "task not completed"


def test_a_full_queue_is_503_and_says_when_to_come_again() -> None:
    with ServerProcess("--db", ":memory:", "--limits", "off", "--queue-max", "1", "--workers", "1") as server:
        token = server.register()
        answers = [server.call("POST", "/tasks/submit", token, json=HANGS) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {202, 503}
    assert {(answer.headers["Retry-After"], answer.json()["retry_after"]) for answer in answers[3:]} == {("1", 1)}
