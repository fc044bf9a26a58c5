"""Moves of a task, one by one, against the table of contract §4."""

from typing import get_args

import pytest

from reference_server.contract import limits
from reference_server.contract.lifecycle import FINAL, TRANSITIONS, TaskStatus
from reference_server.core.lifecycle import IllegalMoveError, moved
from reference_server.store.tests.rows import NOW_NS, task

STATUSES: tuple[TaskStatus, ...] = get_args(TaskStatus)
TABLE: dict[TaskStatus, set[TaskStatus]] = {
    "queued": {"assigned", "canceled", "failed"},
    "assigned": {"running", "queued", "canceled"},
    "running": {"completed", "failed", "queued", "canceled"},
    "completed": set(),
    "failed": set(),
    "canceled": set(),
}
"""The contract's table, written once more by hand."""


def test_the_table_is_the_contracts() -> None:
    assert TABLE == TRANSITIONS


@pytest.mark.parametrize("after", STATUSES)
@pytest.mark.parametrize("before", STATUSES)
def test_a_task_moves_as_the_table_says_and_no_other_way(before: TaskStatus, after: TaskStatus) -> None:
    row = task(1, status=before, revision=4)
    if after in TABLE[before]:
        assert (moved(row, after, NOW_NS).status, moved(row, after, NOW_NS).revision) == (after, 5)
    else:
        with pytest.raises(IllegalMoveError, match=f"from {before} to {after}"):
            moved(row, after, NOW_NS)


@pytest.mark.parametrize(("before", "after"), [(one, two) for one in STATUSES for two in sorted(TABLE[one])])
def test_completed_at_is_set_by_the_three_final_states_and_no_other(before: TaskStatus, after: TaskStatus) -> None:
    row = moved(task(1, status=before, updated_at_ns=NOW_NS), after, NOW_NS + 5000)

    assert row.updated_at_ns == NOW_NS + 5000
    assert row.completed_at_ns == (NOW_NS + 5000 if after in FINAL else None)


def test_a_task_does_not_go_back_in_time_when_the_clock_does() -> None:
    row = moved(task(1, status="running", updated_at_ns=NOW_NS), "completed", NOW_NS - 10**9)

    assert (row.updated_at_ns, row.completed_at_ns) == (NOW_NS, NOW_NS)


def test_an_error_is_cut_to_1000_characters() -> None:
    row = moved(task(1, status="running"), "failed", NOW_NS, error="ä" * 1001)

    assert row.error == "ä" * limits.TASK_ERROR_CHARS_MAX
