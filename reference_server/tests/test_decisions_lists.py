"""The list of own tasks: by type, and paged while tasks arrive (contract §3 tasks)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_server.tests.desk import Desk, shown


@given(
    before=st.integers(0, 12),
    arrivals=st.lists(st.integers(0, 4), max_size=8),
    limit=st.integers(1, 4),
    tick_ns=st.sampled_from((0, 400, 1000, -5000)),
)
def test_while_tasks_arrive_paging_skips_none_that_was_there_throughout(
    before: int, arrivals: list[int], limit: int, tick_ns: int
) -> None:
    desk = Desk()
    caller = desk.register()

    def arrive(count: int) -> list[str]:
        ids = []
        for _ in range(count):
            desk.now_ns += tick_ns
            ids.append(desk.submit(caller))
        return ids

    throughout = set(arrive(before))
    seen: set[str] = set()
    pending = list(arrivals)
    offset = 0
    while True:
        page = shown(desk.decide("list_tasks", caller, query=f"limit={limit}&offset={offset}").answer)
        seen |= {task["id"] for task in page["tasks"]}
        offset += limit
        if page["count"] < limit:
            break
        arrive(pending.pop() if pending else 0)

    assert throughout <= seen


@pytest.mark.parametrize(
    ("query", "count"), [("", 3), ("type=query", 3), ("type=", 0), ("type=Query", 0), ("type=%27%20OR%201=1", 0)]
)
def test_the_type_to_list_may_be_any_text(desk: Desk, query: str, count: int) -> None:
    caller = desk.register()
    for _ in range(3):
        desk.submit(caller)
    page = shown(desk.decide("list_tasks", caller, query=query).answer)

    assert (page["count"], page["total"]) == (count, count)
