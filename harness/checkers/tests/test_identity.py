"""Tables for ids."""

from typing import Any

import pytest

from harness.checkers.identity import IDS, Identity
from harness.checkers.tests.histories import ANN, TASK, History, status, task
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
V1 = "aaaaaaaa-aaaa-1aaa-8aaa-aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("operation", "code", "body", "expected"),
    [
        ("get_task", 200, task(), HOLDS),
        ("get_task", 200, task(assigned_to="agent_012"), HOLDS),
        ("get_task", 200, task(id="7"), VIOLATED),
        ("get_task", 200, task(id=V1), VIOLATED),
        ("get_task", 200, task(user_id="ann"), VIOLATED),
        ("get_task", 200, task(assigned_to="agent_016"), VIOLATED),
        ("list_tasks", 200, {"tasks": [task(), task(id="agent_001")]}, VIOLATED),
        ("submit_task", 202, {"task_id": TASK, "status": "queued"}, HOLDS),
        ("login", 200, {"token": "t", "user": {"id": ANN.replace("-4", "-1")}}, VIOLATED),
        ("get_agent", 200, {"id": "agent_015", "owner_id": None}, HOLDS),
        ("get_agent", 200, {"id": TASK, "owner_id": ANN}, HOLDS),
        ("get_agent", 200, {"id": "agent_16", "owner_id": None}, VIOLATED),
        ("get_agent", 200, {"id": "agent_001", "owner_id": "agent_002"}, VIOLATED),
        ("list_agents", 200, {"agents": [{"id": "agent_000"}]}, VIOLATED),
        ("get_task", 404, {"error": "not found", "message": "m", "id": 7}, UNKNOWN),
        ("get_task", 200, {"id": 7}, UNKNOWN),
        ("health", 200, {"id": "x"}, UNKNOWN),
    ],
)
def test_an_id_is_a_uuid_of_version_4_or_a_seeded_agents(
    operation: str, code: int, body: Any, expected: Status
) -> None:
    assert status(Identity(), History().call(operation, code, body), IDS) is expected
