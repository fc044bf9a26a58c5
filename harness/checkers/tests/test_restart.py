"""Tables for kills and stops."""

import pytest

from harness.checkers.restart import CRASH, RESTART, SHUTDOWN, Restart
from harness.checkers.tests.histories import OTHER, TASK, History, status, task, verdict
from harness.verdicts import Status


def killed() -> History:
    history = History().call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body={"query": "q"})
    return history.add("process", action="kill").add("process", action="start").add("process", action="ready")


@pytest.mark.parametrize(("answer", "expected"), [(200, Status.HOLDS), (404, Status.VIOLATED)])
def test_an_acknowledged_task_survives_a_kill(answer: int, expected: Status) -> None:
    body = task("completed", 4) if answer == 200 else {}
    history = killed().call("get_task", answer, body, path=f"/api/v1/tasks/{TASK}")
    assert {status(Restart(), history, clause) for clause in (CRASH, RESTART)} == {expected}


def test_nothing_read_after_the_kill_is_unknown() -> None:
    assert {status(Restart(), killed(), clause) for clause in (CRASH, RESTART)} == {Status.UNKNOWN}


def test_a_doubled_task_is_violated_unless_a_submit_was_not_answered() -> None:
    both = {"tasks": [task(), task(id=OTHER)]}
    assert status(Restart(), killed().call("list_tasks", 200, both), RESTART) is Status.VIOLATED
    unsure = killed().call("submit_task", 0, body={"query": "q"}).call("list_tasks", 200, both)
    assert status(Restart(), unsure, RESTART) is Status.UNKNOWN


def test_the_figures_say_how_often_was_killed_and_how_fast_was_written() -> None:
    history = History()
    for begin_ms, answers in ((0, (202, 202, 503)), (10_000, (201, 0))):
        history.add("phase", begin_ms, name="faults")
        for answer in answers:
            history.call("deploy" if answer == 201 else "submit_task", answer, {}, body={"query": "q"})
        history.call("list_tasks", 200, {"tasks": []})
        history.add("process", begin_ms + 500, action="kill").add("process", action="ready")
        history.call("submit_task", 202, {"task_id": TASK, "status": "queued"}, body={"query": "not under fire"})

    assert verdict(Restart(), history, CRASH).figures == {"kills": 2, "writes_per_s": 3.0}


def stopped(code: int, warned: bool, exit_code: int) -> History:
    history = History().connect("c1").add("process", action="terminate")
    if warned:
        history.receive("c1", "system", {"message": "shutting down", "level": "warning"})
    history.add("closed", connection="c1", code=code, by="peer")
    return history.add("process", action="ended", code=exit_code)


@pytest.mark.parametrize(
    ("code", "warned", "exit_code", "expected"),
    [
        (1001, True, 0, Status.HOLDS),
        (1006, True, 0, Status.VIOLATED),
        (1001, False, 0, Status.VIOLATED),
        (1001, True, -15, Status.VIOLATED),
    ],
)
def test_a_stop_says_goodbye(code: int, warned: bool, exit_code: int, expected: Status) -> None:
    assert status(Restart(), stopped(code, warned, exit_code), SHUTDOWN) is expected


def test_a_kill_owes_no_goodbye() -> None:
    assert status(Restart(), killed(), SHUTDOWN) is Status.UNKNOWN
