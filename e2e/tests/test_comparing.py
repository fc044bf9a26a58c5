"""REST that answers something else is no figure to compare a page with: the test says so, it does not trip."""

from typing import Any

import pytest

from e2e.comparing import answered, rest_figures, rest_recent
from harness.targets.base import Answered

GOOD: dict[str, Any] = {
    "list_agents": {"total": 14, "agents": []},
    "orchestrator_metrics": {"success_rate": 50},
    "ws_stats": {"stats": {"current_connections": 2}},
    "list_tasks": {"total": 1, "tasks": [{"id": "t1", "status": "queued", "more": 1}]},
}


class Answering:
    """Somebody whose calls are answered from a table."""

    def __init__(self, **bodies: Any) -> None:
        self._bodies = {**GOOD, **bodies}

    def call(self, operation: str, **given: Any) -> Answered:
        del given
        return Answered(200, self._bodies[operation])


def test_the_four_figures_are_fields_of_their_operations() -> None:
    guest: Any = Answering()

    assert rest_figures(guest) == {
        "active-agents": "14", "my-tasks": "1", "success-rate": "50.0%", "connections": "2",
    }  # fmt: skip
    assert rest_recent(guest) == [["t1", "queued"]]


@pytest.mark.parametrize("operation", sorted(GOOD))
@pytest.mark.parametrize("body", [None, [], {}, {"stats": {}}, {"total": "x", "tasks": [7], "success_rate": None}])
def test_what_has_another_shape_skips_the_test_in_words(operation: str, body: Any) -> None:
    guest: Any = Answering(**{operation: body})

    with pytest.raises(pytest.skip.Exception, match="REST can't be compared with"):
        rest_figures(guest)


def test_an_answer_of_the_shape_is_read() -> None:
    assert answered(Answered(200, [1, 2]), list[int]) == [1, 2]
