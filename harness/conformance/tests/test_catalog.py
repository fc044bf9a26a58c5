"""No clause of the registry is forgotten, and no row speaks of a clause that nobody judges."""

import pytest

from harness.checkers.cases import CASED
from harness.conformance.catalog import ACTS, PARTS, ROWS, clauses_of, exercised, from_outside
from reference_server.contract.clauses import CLAUSES_BY_ID

ROWS_ALL = [row for rows in ROWS.values() for row in rows]


def test_every_clause_that_can_be_judged_from_outside_is_exercised_by_some_part() -> None:
    assert from_outside() - exercised().keys() == frozenset()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_exercises_clauses_that_exist_and_can_be_judged(part: str) -> None:
    assert clauses_of(part)
    assert clauses_of(part) <= from_outside()


def test_every_row_has_a_name_of_its_own_and_a_clause_that_rows_may_speak_of() -> None:
    names = [f"{row.clause}/{row.name}" for row in ROWS_ALL]

    assert sorted(names) == sorted(set(names))
    assert {row.clause for row in ROWS_ALL} <= set(CASED)


def test_every_act_names_clauses_and_says_in_its_docstring_which() -> None:
    acts = [act for some in ACTS.values() for act in some]

    assert len({act.name for act in acts}) == len(acts)
    for act in acts:
        assert set(act.clauses) <= CLAUSES_BY_ID.keys()
        assert act.clauses[0].rpartition("-")[0] in (act.play.__doc__ or ""), act.name
