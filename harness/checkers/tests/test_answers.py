"""Tables for the form of REST answers."""

from typing import Any

import pytest

from harness.checkers.answers import JSON, SCHEMA, TIME, VARY, Answers
from harness.checkers.tests.histories import History, stamp, status, task
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
JSON_HEADER = {"Content-Type": "application/json"}
NOT_FOUND = {"error": "not found", "message": "there is no such task"}


def answered(code: int, body: Any, operation: str = "get_task", **fields: Any) -> History:
    return History().call(operation, code, body, **{"headers": JSON_HEADER, "path": "/api/v1/tasks/x", **fields})


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (answered(200, task()), HOLDS),
        (answered(200, task(novelty=1)), HOLDS),
        (answered(404, NOT_FOUND), HOLDS),
        (answered(200, {"id": 3}), VIOLATED),
        (answered(200, {**task(), "revision": "1"}), VIOLATED),
        (answered(418, NOT_FOUND), VIOLATED),
        (answered(405, NOT_FOUND, method="PATCH"), UNKNOWN),
        (answered(0, None), UNKNOWN),
    ],
)
def test_an_answer_has_a_status_and_a_body_of_its_operation(history: History, expected: Status) -> None:
    assert status(Answers(), history, SCHEMA) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (task(), HOLDS),
        (task(created_at="2026-01-01T00:00:00Z"), VIOLATED),
        (task(created_at="2026-01-01T00:00:00.5+02:00"), VIOLATED),
        (task(metadata={"made_at": "yesterday"}), HOLDS),
        ({"message": "bye"}, UNKNOWN),
    ],
)
def test_timestamps_are_utc_with_a_fraction(body: Any, expected: Status) -> None:
    assert status(Answers(), answered(200, body), TIME) is expected


@pytest.mark.parametrize(
    ("headers", "path", "expected"),
    [
        ({**JSON_HEADER, "Vary": "Origin"}, "/api/v1/tasks/x", HOLDS),
        ({**JSON_HEADER, "Vary": "Accept-Encoding, origin"}, "/api/v1/tasks/x", HOLDS),
        (JSON_HEADER, "/api/v1/tasks/x", VIOLATED),
        (JSON_HEADER, "/health", UNKNOWN),
    ],
)
def test_answers_of_the_api_vary_with_the_origin(headers: Any, path: str, expected: Status) -> None:
    assert status(Answers(), answered(200, task(), headers=headers, path=path), VARY) is expected


def test_json_is_called_json_and_written_raw() -> None:
    assert status(Answers(), answered(200, task()), JSON) is HOLDS
    assert status(Answers(), answered(200, task(), headers={"content-type": "text/plain"}), JSON) is VIOLATED
    escaped = (
        History()
        .add("invoke", op=1, operation="me")
        .add("ok", op=1, status=200, body={"id": "1"}, headers={"content-type": "application/json"}, escaped=True)
    )
    assert status(Answers(), escaped, JSON) is VIOLATED


def test_a_stamp_of_another_instant_is_allowed_to_be_late() -> None:
    assert status(Answers(), answered(200, task(updated_at=stamp(86_399_000))), TIME) is HOLDS
