"""Simulation: one seed is one history, the honest server is never accused, and mutants are killed in time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.conformance.catalog import clauses_of
from harness.faults import FAULTS
from harness.history import encode
from harness.mutants.catalog import CANARY, MUTANTS
from harness.mutants.model import Mutant
from harness.mutants.selfcheck import earns_its_place, kill_of, without
from harness.simulate import history, judged, replay, shrunk_script, simulate
from harness.strategies import seeded
from harness.verdicts import Status
from scenarios.catalog import SCENARIOS
from scenarios.model import Cut, Script, decode_script, encode_script
from scenarios.regressions import saved_scripts

HONEST_SEEDS = 100
SEEDS_TO_KILL_MAX = 3
SCENARIO = SCENARIOS[0]
PRINT_HISTORY = """
import sys
from harness.history import encode
from harness.simulate import history
from harness.strategies import seeded
from scenarios.catalog import SCENARIOS
for scenario in SCENARIOS:
    for event in history(seeded(scenario, 5), 5):
        sys.stdout.buffer.write(encode(event) + b"\\n")
"""


def bytes_of(seed: int) -> bytes:
    return b"\n".join(encode(event) for event in history(SCENARIO, seed))


def history_in_a_process(hash_seed: str) -> bytes:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PRINT_HISTORY], env=environment, cwd=root, capture_output=True, check=True
    )
    return done.stdout


def test_one_seed_is_one_history_byte_for_byte_under_two_hash_seeds() -> None:
    first, second = history_in_a_process("1"), history_in_a_process("2")

    assert first.count(b"\n") > 100
    assert first == second


def test_the_scenarios_exercise_every_clause_that_a_run_of_them_must_answer_for() -> None:
    judgements = [judged(history(scenario, 1), 1) for scenario in SCENARIOS]
    shown = {result.id for one in judgements for result in one.results if result.status is Status.HOLDS}

    assert clauses_of("scenario") - shown == set()


def test_another_seed_is_another_history() -> None:
    assert bytes_of(1) == bytes_of(1)
    assert bytes_of(1) != bytes_of(2)


def test_the_honest_server_is_never_accused_and_every_step_can_be_done() -> None:
    simulated = simulate(SCENARIOS, HONEST_SEEDS)

    assert simulated.histories == HONEST_SEEDS * len(SCENARIOS)
    assert [(finding.clause, finding.what, finding.script.seed) for finding in simulated.findings] == []
    assert simulated.notes == {}


def test_two_processes_find_what_one_finds() -> None:
    alone = simulate(SCENARIOS, 4, mutant="drops_a_message")
    together = simulate(SCENARIOS, 4, mutant="drops_a_message", jobs=2)

    assert together.findings == alone.findings


@pytest.mark.parametrize(
    "mutant", [mutant for mutant in MUTANTS if "t0" in mutant.tiers], ids=lambda mutant: mutant.name
)
def test_a_mutant_is_killed_by_the_clause_that_must_notice(mutant: Mutant) -> None:
    kill = kill_of(mutant, SCENARIOS, SEEDS_TO_KILL_MAX)

    assert kill.killed, f"{mutant.name} was noticed by {sorted(kill.clauses)} only, expected {mutant.killed_by}"


def test_the_canary_fails_at_once() -> None:
    assert kill_of(CANARY, SCENARIOS, 1).killed


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_counts_because_a_mutant_survives_without_it(fault: object) -> None:
    (kind,) = [known for known in FAULTS if known is fault]

    assert earns_its_place(kind, SCENARIOS, SEEDS_TO_KILL_MAX)
    assert not any(isinstance(step, Cut) for step in without(FAULTS[0], SCENARIO).steps)


def test_what_is_shrunk_is_short_and_still_fails_when_replayed(tmp_path: Path) -> None:
    simulated = simulate(SCENARIOS, 1, start_seed=3, mutant="leaks_to_another_user", folder=tmp_path)

    found = next(finding for finding in simulated.findings if finding.clause == "RT-ISOLATION-1")
    script = decode_script(Path(found.path).read_bytes())
    assert script == found.script
    assert len(script.scenario.steps) <= 8 < len(SCENARIO.steps)
    assert "RT-ISOLATION-1" in replay(script).violated


def test_a_script_does_not_fail_on_the_honest_server() -> None:
    script = shrunk_script(SCENARIO, 0, "RT-PREFIX-2", "canary")
    healed = Script(scenario=script.scenario, seed=script.seed, clause=script.clause)

    assert "RT-PREFIX-2" in replay(script).violated
    assert replay(decode_script(encode_script(healed))).violated == {}


def test_bugs_that_were_mended_stay_mended() -> None:
    violated = {name: replay(script).violated for name, script in saved_scripts().items()}

    assert {name: clauses for name, clauses in violated.items() if clauses} == {}


def test_seed_0_is_the_scenario_as_it_is_written() -> None:
    assert seeded(SCENARIO, 0) is SCENARIO
    assert seeded(SCENARIO, 1) == seeded(SCENARIO, 1) != SCENARIO
