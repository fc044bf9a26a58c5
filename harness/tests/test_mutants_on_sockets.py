"""The same scenario and the same mutants over real sockets: the honest server holds, each mutant is killed."""

import pytest

from harness.mutants.catalog import CANARY, MUTANTS
from harness.mutants.model import Mutant
from harness.mutants.selfcheck import kill_on_sockets, outcome_on_sockets
from harness.mutants.suites import kill_by_acts
from scenarios.catalog import SCENARIOS

pytestmark = pytest.mark.slow


def test_the_honest_server_holds_on_sockets_and_every_step_can_be_done() -> None:
    outcome = outcome_on_sockets(SCENARIOS[0], 1)

    assert outcome.violated == {}
    assert outcome.notes == ()
    assert outcome.events > 200


@pytest.mark.parametrize(
    "mutant", [mutant for mutant in (*MUTANTS, CANARY) if "t2" in mutant.tiers], ids=lambda mutant: mutant.name
)
def test_a_mutant_is_killed_on_sockets_by_the_clause_that_must_notice(mutant: Mutant) -> None:
    kill = kill_on_sockets(mutant, SCENARIOS[0])

    assert kill.killed, f"{mutant.name} was noticed by {sorted(kill.clauses)} only, expected {mutant.killed_by}"


@pytest.mark.parametrize(
    "mutant", [mutant for mutant in MUTANTS if "acts" in mutant.tiers], ids=lambda mutant: mutant.name
)
def test_an_act_sees_the_mutant_that_is_made_for_it(mutant: Mutant) -> None:
    kill = kill_by_acts(mutant)

    assert kill.killed, f"{mutant.name}: only {sorted(kill.clauses)} were violated, expected {mutant.killed_by}"
