"""Rows and acts see each mutant that is made for them, by the clause it breaks; the honest server is not accused."""

import pytest

from harness.conformance.catalog import JUDGED_BESIDE
from harness.mutants.catalog import MUTANTS
from harness.mutants.model import Mutant
from harness.mutants.suites import exercises_inside, honest_violations, kill_inside

INSIDE = [mutant for mutant in MUTANTS if "inside" in mutant.tiers]


def test_the_honest_server_is_accused_of_nothing_by_all_rows_and_acts() -> None:
    assert honest_violations() == {}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", INSIDE, ids=lambda mutant: mutant.name)
def test_a_mutant_is_seen_by_every_clause_it_is_made_for(mutant: Mutant) -> None:
    kill = kill_inside(mutant)

    assert kill.killed, f"only {sorted(kill.clauses)} were violated, expected {mutant.killed_by}"


@pytest.mark.parametrize("mutant", INSIDE, ids=lambda mutant: mutant.name)
def test_something_without_a_socket_exercises_each_clause(mutant: Mutant) -> None:
    played = [any(exercises_inside((clause,))) for clause in mutant.killed_by]

    assert any(played)
    for clause, exercised in zip(mutant.killed_by, played, strict=True):
        assert exercised or clause in JUDGED_BESIDE, clause
