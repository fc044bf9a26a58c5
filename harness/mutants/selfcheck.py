"""The kill matrix: which mutant is killed by which clause, how soon, and how often the honest server is accused.

Losing a kill is red, a false alarm is red, a canary that passes voids everything. A kind of fault counts only if its
mutant survives without it.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from harness.faults import FAULTS, Fault
from harness.history import Event, Recorder, merged
from harness.mutants.catalog import BY_NAME, CANARY, MUTANTS
from harness.mutants.matrix import Kill, Matrix, unproven_checkers, unproven_clauses, write_matrix
from harness.mutants.model import Mutant, Tier
from harness.mutants.suites import honest_violations, kill_by_acts, kill_inside
from harness.simulate import Outcome, history, outcome_from, outcome_of, parts_of, replay_on
from harness.strategies import seeded
from harness.targets.local import LocalTarget
from scenarios.catalog import SCENARIOS
from scenarios.model import Scenario, Script

Vary = Callable[[Scenario, int], Scenario]
SEEDS_MAX: Final = 10
HONEST_SEEDS: Final = 100
WAYS: Final[dict[str, tuple[Tier, ...]]] = {"t0": ("t0", "inside"), "t2": ("t2", "acts")}
"""How a mutant is tried at each tier of the command line, the first that fits it."""


def selfcheck(
    scenarios: Sequence[Scenario] = SCENARIOS,
    *,
    seeds: int = SEEDS_MAX,
    honest_seeds: int = HONEST_SEEDS,
    start_seed: int = 0,
    only: str = "",
    tier: str = "t0",
    progress: Callable[[str], None] | None = None,
    out: Path | None = None,
) -> Matrix:
    """Run the matrix of a tier and write it into the folder `out` when one is given.

    Tier `t0` is virtual time and this process, `t2` is sockets. `only` names one mutant; what faults are worth is not
    asked then. Raises KeyError for an unknown name.
    """
    told = progress or (lambda _: None)
    chosen = (BY_NAME[only],) if only else MUTANTS
    kills = []
    for mutant in chosen:
        way = next((way for way in WAYS[tier] if way in mutant.tiers), None)
        if way is not None:
            kills.append(_killed(mutant, way, scenarios, seeds, start_seed))
            told(f"{mutant.name}: {'killed' if kills[-1].killed else 'SURVIVED'}")
    told(_awaited(honest_seeds * len(scenarios)))
    canary = kill_of(CANARY, scenarios, 1, start_seed)
    alarms: Counter[str] = Counter()
    for seed in range(start_seed, start_seed + honest_seeds):
        for scenario in scenarios:
            alarms.update(outcome_of((scenario, seed)).violated.keys())
    alarms.update(honest_violations().keys())
    histories = honest_seeds * len(scenarios) + 1
    told(f"honest server: {sum(alarms.values())} false alarms in {histories} histories")
    matrix = Matrix(
        tuple(kills),
        canary,
        histories,
        dict(alarms),
        () if only else _idle_faults(scenarios, seeds, start_seed, told),
        tuple(mutant.name for mutant in chosen if not set(WAYS[tier]) & set(mutant.tiers)),
        start_seed,
        seeds,
        unproven_clauses(),
        unproven_checkers(),
    )
    if out is not None:
        for path in write_matrix(matrix, out):
            told(f"wrote {path}")
    return matrix


def elsewhere(mutant: Mutant, tier: str) -> str:
    """Return where a mutant can be tried that can't at this tier, as the end of a sentence; else nothing."""
    tiers = [name for name, ways in WAYS.items() if set(ways) & set(mutant.tiers)]
    if tier in tiers:
        return ""
    if tiers:
        return f"only at {tiers[0]}: give --tier {tiers[0]}"
    return "only in a browser (t3): a test of the project tries it there"


def _awaited(histories: int) -> str:
    return f"honest server: {histories} histories and every row and act, none of which may accuse it; half a minute …"


def _idle_faults(
    scenarios: Sequence[Scenario], seeds: int, start_seed: int, told: Callable[[str], None]
) -> tuple[str, ...]:
    told(f"faults: {len(FAULTS)}, each of which a mutant needs to be seen …")
    return tuple(fault.name for fault in FAULTS if not earns_its_place(fault, scenarios, seeds, start_seed))


def _killed(mutant: Mutant, way: Tier, scenarios: Sequence[Scenario], seeds: int, start_seed: int) -> Kill:
    match way:
        case "inside":
            return kill_inside(mutant)
        case "acts":
            return kill_by_acts(mutant)
        case "t2":
            return kill_on_sockets(mutant, scenarios[0])
        case _:
            return kill_of(mutant, scenarios, seeds, start_seed)


def kill_of(
    mutant: Mutant, scenarios: Sequence[Scenario], seeds: int, start_seed: int = 0, vary: Vary = seeded
) -> Kill:
    """Run a mutant under `seeds` seeds of every scenario, each varied by its seed; count which clauses notice."""
    began = time.perf_counter()
    counted: Counter[str] = Counter()
    first: tuple[int, float] | None = None
    for number in range(seeds):
        for scenario in scenarios:
            seed = start_seed + number
            events = history(vary(scenario, seed), seed, parts_of(mutant.name))
            outcome = outcome_from(events, scenario.name, seed)
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

    def calm(scenario: Scenario, seed: int) -> Scenario:
        # After the variation, which adds faults of its own.
        return without(fault, seeded(scenario, seed))

    survives = not kill_of(mutant, scenarios, seeds, start_seed, calm).clauses
    return survives and kill_of(mutant, scenarios, seeds, start_seed).killed


def without(fault: Fault, scenario: Scenario) -> Scenario:
    """Return the scenario without the steps that inject this kind of fault."""
    steps = tuple(step for step in scenario.steps if type(step).__struct_config__.tag != fault.step)
    changed: Scenario = msgspec.structs.replace(scenario, steps=steps)
    return changed
