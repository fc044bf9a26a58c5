"""Tables for reads beside pushes."""

from typing import Any

import pytest

from harness.checkers.coherence import COHERENCE, Coherence
from harness.checkers.tests.histories import ANN, TASK, History, status, task
from harness.verdicts import Status


def push_then_read(push: tuple[str, int | None], read: tuple[str, int | None]) -> History:
    body = task(read[0], read[1] or 1)
    if read[1] is None:
        del body["revision"]
    return History().connect("c1").push("c1", *push).call("get_task", 200, body)


@pytest.mark.parametrize(
    ("push", "read", "expected"),
    [
        (("running", 3), ("running", 3), Status.HOLDS),
        (("running", 3), ("completed", 4), Status.HOLDS),
        (("running", 3), ("queued", 1), Status.VIOLATED),
        (("queued", None), ("running", None), Status.UNKNOWN),
        (("completed", None), ("running", None), Status.VIOLATED),
        (("running", None), ("completed", None), Status.HOLDS),
        (("running", None), ("assigned", None), Status.UNKNOWN),
    ],
)
def test_a_read_shows_what_was_pushed_or_something_later(push: Any, read: Any, expected: Status) -> None:
    assert status(Coherence(), push_then_read(push, read), COHERENCE) is expected


def test_a_read_that_began_before_the_push_was_read_is_not_judged() -> None:
    history = History().connect("c1").add("invoke", op=7, operation="get_task").push("c1", "running", 3)
    history.add("ok", op=7, status=200, body=task("queued", 1))
    assert status(Coherence(), history, COHERENCE) is Status.UNKNOWN


def test_recorders_without_a_common_clock_have_no_order() -> None:
    history = History().connect("c1", recorder="browser-1").push("c1", "running", 3, recorder="browser-1")
    history.call("get_task", 200, task("queued", 1))
    assert status(Coherence(), history, COHERENCE, shared_clock=False) is Status.UNKNOWN
    assert status(Coherence(), history, COHERENCE, shared_clock=True) is Status.VIOLATED


def test_a_pushed_task_that_is_unknown_to_rest_is_violated() -> None:
    history = History().connect("c1").push("c1", "queued", 1)
    history.call("get_task", 404, {}, path=f"/api/v1/tasks/{TASK}", account=ANN)
    assert status(Coherence(), history, COHERENCE) is Status.VIOLATED
