"""Each push owed is received, lost or doubled, and nothing else is counted as owed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.ledger import Ledger, Sums

OWNER = "zsh-run-u1x0"


def ledger(*pushes: tuple[str, int | None], accepted: bool | None = True) -> Ledger:
    """Return the ledger of one task that got these pushes: (status, revision)."""
    made = Ledger(OWNER)
    query = made.open(0)
    made.answered(0, accepted)
    for status, revision in pushes:
        made.push(query, status, revision)
    return made


def accounted(sums: Sums) -> tuple[int, int, int, int]:
    return sums.expected, sums.received, sums.lost, sums.doubled


@pytest.mark.parametrize(
    ("pushes", "expected"),
    [
        ([("queued", 1), ("running", 3), ("completed", 4)], (3, 3, 0, 0)),
        ([("queued", 1), ("assigned", 2), ("running", 3), ("completed", 4)], (3, 3, 0, 0)),
        ([("queued", None), ("running", None), ("completed", None)], (3, 3, 0, 0)),
        ([("queued", 1), ("completed", 4)], (3, 2, 1, 0)),
        ([], (3, 0, 3, 0)),
        ([("queued", 1), ("queued", 1), ("running", 3), ("completed", 4)], (3, 2, 0, 1)),
        ([("queued", None), ("queued", None), ("queued", None)], (3, 0, 2, 1)),
        ([("queued", 1), ("running", 3), ("queued", 4), ("running", 6), ("completed", 7)], (3, 3, 0, 0)),
        ([("queued", 1), ("running", 3), ("completed", 4), ("completed", 4)], (3, 2, 0, 1)),
        ([("queued", 1), ("failed", 2)], (2, 2, 0, 0)),
        ([("queued", 1), ("running", 3), ("failed", 4)], (3, 3, 0, 0)),
    ],
)
def test_every_push_owed_is_accounted_for(
    pushes: list[tuple[str, int | None]], expected: tuple[int, int, int, int]
) -> None:
    sums = ledger(*pushes).sums()

    assert accounted(sums) == expected
    assert sums.balanced


@pytest.mark.parametrize(("query", "status"), [("", "running"), (f"{OWNER} #0", ""), ("", "")])
def test_beside_a_push_that_can_not_be_read_nothing_is_called_lost(query: str, status: str) -> None:
    made = ledger(("queued", 1))
    made.push(query, status, 2)
    sums = made.sums()

    assert accounted(sums) == (1, 1, 0, 0)
    assert (sums.unreadable, sums.undecided) == (1, 2)


def test_a_task_without_an_answer_owes_nothing_and_is_undecided() -> None:
    sums = ledger(("queued", 1), accepted=None).sums()

    assert (sums.expected, sums.undecided) == (0, 3)


def test_pushes_of_a_refused_task_are_foreign() -> None:
    sums = ledger(("queued", 1), accepted=False).sums()

    assert (sums.expected, sums.foreign) == (0, 1)


def test_what_a_cut_hides_is_undecided_and_what_came_before_it_counts() -> None:
    made = ledger(("queued", 1))
    made.cut()

    sums = made.sums()
    assert (*accounted(sums), sums.undecided) == (1, 1, 0, 0, 2)


def test_a_push_of_another_user_is_foreign_and_one_of_no_user_of_ours_is_not() -> None:
    made = ledger()
    assert made.push("zsh-run-u1x9 #0", "queued", 1) is None
    assert made.push("what somebody else asked", "queued", 1) is None

    assert made.sums().foreign == 1


def test_a_query_that_only_looks_like_ours_enters_nothing() -> None:
    made = ledger()

    assert [made.push(f"{OWNER} #{number}", "queued", 1) for number in ("7", "-1", "x", "")] == [None] * 4


def test_only_the_first_push_of_a_kind_is_measured() -> None:
    made = ledger()

    assert [made.push(f"{OWNER} #0", "queued", 1), made.push(f"{OWNER} #0", "queued", 1)] == [(0, "queued"), None]


def test_the_end_of_a_task_is_seen_whatever_it_is() -> None:
    made = ledger(("canceled", 2))

    assert made.ended(0)
    assert not ledger(("running", 2)).ended(0)


STATUSES = st.sampled_from(["queued", "assigned", "running", "completed", "failed", "canceled", "strange"])
PUSHES = st.lists(st.tuples(STATUSES, st.none() | st.integers(1, 9)), max_size=12)


@pytest.mark.property
@given(st.lists(st.tuples(PUSHES, st.sampled_from([True, False, None]), st.booleans()), max_size=6))
def test_the_sum_over_users_balances_whatever_comes(
    users: list[tuple[list[tuple[str, int | None]], bool | None, bool]],
) -> None:
    whole = Sums()
    for pushes, accepted, cut in users:
        made = ledger(*pushes, accepted=accepted)
        if cut:
            made.cut()
        assert made.sums().balanced
        whole = whole.plus(made.sums())

    assert whole.balanced


def test_a_task_that_could_still_be_canceled_owed_no_end_yet() -> None:
    slow = ledger(("queued", 1))
    slow.unfinished(0)

    assert accounted(slow.sums()) == (1, 1, 0, 0)
    assert slow.sums().unfinished == 2


def test_a_task_that_was_at_work_is_owed_that_it_was_queued() -> None:
    slow = ledger()
    slow.unfinished(0)

    assert accounted(slow.sums()) == (1, 0, 1, 0)
