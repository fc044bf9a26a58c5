"""Tables for errors of REST."""

from typing import Any

import pytest

from harness.checkers.errors import AGAIN, FORM, SILENT, WHICH, Errors
from harness.checkers.tests.histories import History, status
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
NOT_FOUND = {"error": "not found", "message": "there is no such task"}
BUSY = {"error": "too many requests", "message": "wait a little", "retry_after": 2}


def failed(code: int, body: Any, operation: str = "get_task", path: str = "/api/v1/tasks/x", **headers: str) -> History:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return History().call(operation, code, body, headers=told, path=path)


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (404, NOT_FOUND, HOLDS),
        (404, {"detail": "Not Found"}, VIOLATED),
        (404, {"error": "x" * 81, "message": "m"}, VIOLATED),
        (404, None, VIOLATED),
        (200, {}, UNKNOWN),
        (0, None, UNKNOWN),
    ],
)
def test_an_error_has_phrase_and_sentence(code: int, body: Any, expected: Status) -> None:
    assert status(Errors(), failed(code, body), FORM) is expected


def test_what_is_no_operation_of_the_api_may_answer_as_it_likes() -> None:
    assert status(Errors(), failed(404, "<html>", operation="", path="/nothing"), FORM) is UNKNOWN


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("there is no such task; an error of yours", HOLDS),
        ("Traceback (most recent call last): x", VIOLATED),
        ("ValueError: not a number", VIOLATED),
        ("java.lang.NullPointerException", VIOLATED),
        ("it broke\n    at submit (tasks.js:3)", VIOLATED),
    ],
)
def test_an_error_shows_nothing_of_the_code(message: str, expected: Status) -> None:
    assert status(Errors(), failed(500, {"error": "internal error", "message": message}), SILENT) is expected
    nested = {**NOT_FOUND, "details": [{"field": "query", "reason": message}]}
    assert status(Errors(), failed(400, nested), SILENT) is expected


@pytest.mark.parametrize(
    ("code", "body", "after", "expected"),
    [
        (429, BUSY, "2", HOLDS),
        (503, BUSY, "2", HOLDS),
        (429, BUSY, "3", VIOLATED),
        (429, BUSY, "", VIOLATED),
        (503, NOT_FOUND, "2", VIOLATED),
        (429, {**BUSY, "retry_after": 0}, "0", VIOLATED),
        (429, {**BUSY, "retry_after": 1.5}, "1.5", VIOLATED),
        (404, NOT_FOUND, "", UNKNOWN),
    ],
)
def test_who_is_sent_away_is_told_when_to_come_again(code: int, body: Any, after: str, expected: Status) -> None:
    headers = {"retry_after": after} if after else {}
    assert status(Errors(), failed(code, body, **headers), AGAIN) is expected


@pytest.mark.parametrize(
    ("operation", "error", "message", "expected"),
    [
        ("get_task", "unauthorized", "the token is missing", HOLDS),
        ("get_task", "unauthorized", "The token is EXPIRED", HOLDS),
        ("get_task", "not authenticated", "the token is missing", VIOLATED),
        ("get_task", "unauthorized", "go away", VIOLATED),
        ("login", "unauthorized", "e-mail or password is wrong", HOLDS),
        ("login", "wrong", "e-mail or password is wrong", VIOLATED),
    ],
)
def test_a_401_says_which_it_is(operation: str, error: str, message: str, expected: Status) -> None:
    assert status(Errors(), failed(401, {"error": error, "message": message}, operation), WHICH) is expected
