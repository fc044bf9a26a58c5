"""The kill matrix: which mutant is killed by which clause, how soon, and how often the honest server is accused.

Losing a kill is red, a false alarm is red, a canary that passes voids everything. A kind of fault counts only if its
mutant survives without it.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from harness.faults import FAULTS, Fault
from harness.history import Event, Recorder, merged
from harness.mutants.catalog import BY_NAME, CANARY, MUTANTS, Mutant
from harness.simulate import Outcome, outcome_from, outcome_of, replay_on
from harness.targets.local import LocalTarget
from scenarios.catalog import SCENARIOS
from scenarios.model import Scenario, Script

SEEDS_MAX: Final = 10
HONEST_SEEDS: Final = 100


class Kill(Struct, frozen=True):
    """One row: in how many of the histories each clause was violated; `expected` are those that must notice."""

    mutant: str
    sentence: str
    expected: tuple[str, ...]
    clauses: dict[str, int]
    histories: int
    seeds_to_detect: int | None
    seconds_to_detect: float | None

    @property
    def killed(self) -> bool:
        """Whether a clause that must notice did."""
        return self.seeds_to_detect is not None


class Matrix(Struct, frozen=True):
    """What the tester is worth: kills, false alarms, faults that earn their place, and the canary."""

    kills: tuple[Kill, ...]
    canary: Kill
    honest_histories: int
    false_alarms: dict[str, int]
    idle_faults: tuple[str, ...]
    not_at_this_tier: tuple[str, ...]

    @property
    def void(self) -> bool:
        """Whether the canary passed: then nothing here says anything."""
        return not self.canary.killed

    @property
    def red(self) -> bool:
        """Whether a kill was lost, the honest server was accused, or a fault proves nothing."""
        return bool(self.false_alarms or self.idle_faults) or not all(kill.killed for kill in self.kills)


def selfcheck(
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    seeds: int = SEEDS_MAX,
    honest_seeds: int = HONEST_SEEDS,
    start_seed: int = 0,
    only: str = "",
    progress: Callable[[str], None] | None = None,
) -> Matrix:
    """Run the matrix at T0; `only` names one mutant. Raises KeyError for an unknown name."""
    told = progress or (lambda _: None)
    chosen = (BY_NAME[only],) if only else MUTANTS
    kills = []
    for mutant in chosen:
        if "t0" in mutant.tiers:
            kills.append(kill_of(mutant, scenarios, seeds, start_seed))
            told(f"{mutant.name}: {'killed' if kills[-1].killed else 'SURVIVED'}")
    canary = kill_of(CANARY, scenarios, 1, start_seed)
    alarms: Counter[str] = Counter()
    for seed in range(start_seed, start_seed + honest_seeds):
        for scenario in scenarios:
            alarms.update(outcome_of((scenario, seed)).violated.keys())
    told(f"honest server: {sum(alarms.values())} false alarms in {honest_seeds * len(scenarios)} histories")
    return Matrix(
        tuple(kills),
        canary,
        honest_seeds * len(scenarios),
        dict(alarms),
        tuple(fault.name for fault in FAULTS if not earns_its_place(fault, scenarios, seeds, start_seed)),
        tuple(mutant.name for mutant in chosen if "t0" not in mutant.tiers),
    )


def kill_of(mutant: Mutant, scenarios: Sequence[Scenario], seeds: int, start_seed: int = 0) -> Kill:
    """Run a mutant under `seeds` seeds of every scenario and count which clauses notice."""
    began = time.perf_counter()
    counted: Counter[str] = Counter()
    first: tuple[int, float] | None = None
    for number in range(seeds):
        for scenario in scenarios:
            outcome = outcome_of((scenario, start_seed + number), mutant.name)
            counted.update(outcome.violated.keys())
            if first is None and notices(mutant, outcome):
                first = (number + 1, time.perf_counter() - began)
    found = first or (None, None)
    return Kill(
        mutant.name,
        mutant.sentence,
        mutant.killed_by,
        dict(sorted(counted.items())),
        seeds * len(scenarios),
        found[0],
        found[1],
    )


def kill_on_sockets(mutant: Mutant, scenario: Scenario, seed: int = 1) -> Kill:
    """Serve a mutant as a process, run the scenario on it over sockets, and see which clauses notice (tier T2)."""
    began = time.perf_counter()
    outcome = outcome_on_sockets(scenario, seed, mutant.name)
    found = (1, time.perf_counter() - began) if notices(mutant, outcome) else (None, None)
    noticed = dict.fromkeys(sorted(outcome.violated), 1)
    return Kill(mutant.name, mutant.sentence, mutant.killed_by, noticed, 1, found[0], found[1])


def outcome_on_sockets(scenario: Scenario, seed: int, mutant: str = "") -> Outcome:
    """Run and judge one history on a server process, the honest one or a mutant; raises ServerDownError."""
    events: list[Event] = []
    recorder = Recorder("client", time.monotonic_ns, events.append)
    target = LocalTarget(recorder, seed=seed, mutant=mutant, tap_sink=events.append)
    try:
        replay_on(target, Script(scenario=scenario, seed=seed, clause="", mutant=mutant))
    finally:
        target.end()
    return outcome_from(merged(events), scenario.name, seed)


def notices(mutant: Mutant, outcome: Outcome) -> bool:
    """Say whether a clause that must notice this mutant was violated."""
    return any(clause in outcome.violated for clause in mutant.killed_by)


def earns_its_place(fault: Fault, scenarios: Sequence[Scenario], seeds: int, start_seed: int = 0) -> bool:
    """Say whether the fault's mutant survives every run without the fault and not every run with it."""
    mutant = BY_NAME[fault.shown_by]
    calm = [without(fault, scenario) for scenario in scenarios]
    survives = not kill_of(mutant, calm, 1, start_seed).clauses
    return survives and kill_of(mutant, scenarios, seeds, start_seed).killed


def without(fault: Fault, scenario: Scenario) -> Scenario:
    """Return the scenario without the steps that inject this kind of fault."""
    steps = tuple(step for step in scenario.steps if type(step).__struct_config__.tag != fault.step)
    changed: Scenario = msgspec.structs.replace(scenario, steps=steps)
    return changed
