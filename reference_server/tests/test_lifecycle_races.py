"""Races round a task: a cancel against a completion, two cancels (contract §4)."""

from typing import Any

import pytest

from reference_server.contract.lifecycle import FINAL
from reference_server.core.answers import Answer
from reference_server.driver import Driver
from reference_server.operations import Options
from reference_server.store.memory import MemoryStore
from reference_server.tests.desk import Desk, encoded
from reference_server.tests.virtual import Caller, VirtualEnvironment, VirtualSockets

TASK_S = 0.1


class Place:
    """A driver on virtual time with one person, their socket, and a task that ends after 100 ms."""

    def __init__(self) -> None:
        self.environment = VirtualEnvironment()
        self.sockets = VirtualSockets()
        driver = Driver(self.environment, MemoryStore(), self.sockets, Options(task_ms=(100, 100)))
        self.sockets.driver = driver
        self.caller = Caller(driver, self.environment)
        driver.start(lambda: None)
        self.environment.run()
        self.token = self.caller.register()
        self.connection = self.caller.connect(self.token)
        answer = self.caller.call("POST", "/tasks/submit", self.token, {"query": "q", "budget": 1})
        self.path = f"/tasks/{encoded(answer.body)['task_id']}"

    def cancel(self) -> list[Answer]:
        return self.caller.ask("DELETE", self.path, self.token)

    def task(self) -> dict[str, Any]:
        return encoded(self.caller.call("GET", self.path, self.token).body)

    def final_pushes(self) -> list[str]:
        told = [message["data"]["status"] for message in self.sockets.text[self.connection][1:]]
        return [status for status in told if status in FINAL]


@pytest.mark.parametrize("asked_at_s", [0, TASK_S / 2, TASK_S - 1e-6, TASK_S, TASK_S + 1e-6])
def test_of_a_cancel_and_a_completion_exactly_one_wins(asked_at_s: float) -> None:
    place = Place()
    asked: list[list[Answer]] = []
    at_ns = round(asked_at_s * 1e9)
    place.environment.call_at(at_ns, lambda: asked.append(place.cancel()))
    place.environment.run_to(1)

    ((answer,),) = asked
    task = place.task()
    assert (answer.status, task["status"]) in ((200, "canceled"), (409, "completed"))
    assert place.final_pushes() == [task["status"]]


@pytest.mark.parametrize("cancel_first", [True, False])
def test_in_one_commit_whichever_came_first_wins_and_the_other_changes_nothing(cancel_first: bool) -> None:
    desk = Desk()
    caller = desk.register()
    task_id = desk.submit(caller, constraints={"simulate": {"duration_ms": 100}})
    desk.advance()
    desk.now_ns = desk.advance() or 0
    if cancel_first:
        answer = desk.decide("cancel_task", caller, path={"id": task_id}).answer
        desk.advance()
    else:
        desk.advance()
        before = desk.task(caller, task_id)
        answer = desk.decide("cancel_task", caller, path={"id": task_id}).answer
        assert desk.task(caller, task_id) == before

    task = desk.task(caller, task_id)
    assert (answer.status, task["status"]) == ((200, "canceled") if cancel_first else (409, "completed"))
    assert [status for status, _ in desk.pushes(task_id) if status in FINAL] == [task["status"]]
    assert desk.figures.processed == (0 if cancel_first else 1)


def test_of_two_cancels_of_one_turn_one_is_200_the_other_409_and_one_push_is_sent() -> None:
    place = Place()
    asked = [place.cancel(), place.cancel()]
    place.environment.run()

    assert [answer.status for (answer,) in asked] == [200, 409]
    assert place.final_pushes() == ["canceled"]
    assert place.task()["revision"] == 4


def test_a_task_canceled_in_the_turn_of_its_submit_never_starts() -> None:
    desk = Desk(workers=1)
    caller = desk.register()
    task_id = desk.submit(caller)
    desk.decide("cancel_task", caller, path={"id": task_id})
    desk.run()

    assert desk.pushes(task_id) == [("queued", 1), ("canceled", 2)]
