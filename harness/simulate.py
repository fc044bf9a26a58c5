"""Many histories on virtual time: run, judge, shrink what is violated into a script, and replay scripts.

The same seed gives the same bytes of history. A script is judged as it runs, so it shows the same clause at every
tier that can run it.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from harness.checkers.base import RunFacts
from harness.history import Event
from harness.judge import Judgement, judge
from harness.mutants.catalog import BY_NAME
from harness.mutants.parts import HONEST, Parts
from harness.records import script_name
from harness.run import run_scenario
from harness.seeds import people
from harness.simulation.shrink import shrink
from harness.strategies import seeded
from harness.targets.base import Target
from harness.targets.simulated import SimulatedTarget
from harness.verdicts import ClauseResult, Status
from reference_server.contract.clauses import Kind
from scenarios.model import AnyStep, Scenario, Script, encode_script

DEPTH: Final = "standard"
SHRINK_TRIES_MAX: Final = 150
SCRIPTS_MAX: Final = 5
"""At most so many clauses are shrunk in one call: a broken server breaks many, the first ones tell enough."""


class Outcome(Struct, frozen=True):
    """What one history showed: what was violated, and why steps could not be done."""

    scenario: str
    seed: int
    violated: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    events: int = 0


class Finding(Struct, frozen=True):
    """A violated clause, in how many histories, and the smallest script found."""

    clause: str
    what: str
    histories: int
    script: Script
    path: str = ""


class Simulated(Struct, frozen=True):
    """What a simulation found; `seconds` are real ones."""

    histories: int
    seconds: float
    events: int
    findings: tuple[Finding, ...] = ()
    notes: dict[str, int] = {}

    @property
    def histories_per_s(self) -> float:
        """How fast histories were made and judged."""
        return self.histories / self.seconds if self.seconds else 0.0


def history(scenario: Scenario, seed: int, parts: Parts = HONEST) -> list[Event]:
    """Run a scenario once on virtual time and return its history in the judge's order."""
    target = SimulatedTarget(seed, parts)

    async def main() -> None:
        await run_scenario(target, scenario, people(seed, scenario.people))
        await target.close()

    target.run(main())
    return target.events


def judged(events: Iterable[Event], seed: int, *, target: str = "simulated", replay: str = "") -> Judgement:
    """Judge a simulated history; no clause is unsupported for lack of a capability that T0 has."""
    facts = RunFacts(seed=seed, depth=DEPTH, target=target, has_tap=True, replay=replay)
    return judge(events, facts)


def simulate(
    scenarios: Sequence[Scenario],
    seeds: int,
    start_seed: int = 0,
    *,
    jobs: int = 1,
    mutant: str = "",
    folder: Path | None = None,
    clauses: Collection[str] | None = None,
    progress: Callable[[Outcome], None] | None = None,
) -> Simulated:
    """Run each scenario under `seeds` seeds from `start_seed` on, judge, and shrink each violated clause.

    Seed 0 is the scenario as written, the others are variations. Only `clauses` are looked at, None is all of them.
    Scripts are saved in `folder` when one is given. A `progress` hears of every history. Raises HarnessError when the
    harness itself fails, and what a scenario raises.
    """
    began = time.perf_counter()
    work = [(scenario, seed) for seed in range(start_seed, start_seed + seeds) for scenario in scenarios]
    outcomes: list[Outcome] = []
    for outcome in _outcomes(work, mutant, jobs):
        outcomes.append(outcome)
        if progress is not None:
            progress(outcome)
    by_name = {scenario.name: scenario for scenario in scenarios}
    return Simulated(
        len(outcomes),
        time.perf_counter() - began,
        sum(outcome.events for outcome in outcomes),
        tuple(_findings([_about(outcome, clauses) for outcome in outcomes], by_name, mutant, folder)),
        dict(Counter(note for outcome in outcomes for note in outcome.notes)),
    )


def _outcomes(work: Sequence[tuple[Scenario, int]], mutant: str, jobs: int) -> Iterable[Outcome]:
    once = partial(outcome_of, mutant=mutant)
    if jobs <= 1:
        yield from map(once, work)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(once, work, chunksize=max(1, len(work) // (jobs * 8)))


def outcome_of(work: tuple[Scenario, int], mutant: str = "") -> Outcome:
    """Run and judge one history of (scenario, seed)."""
    scenario, seed = work
    return _outcome(seeded(scenario, seed), seed, mutant)


def _outcome(scenario: Scenario, seed: int, mutant: str) -> Outcome:
    return outcome_from(history(scenario, seed, parts_of(mutant)), scenario.name, seed)


def outcome_from(events: Sequence[Event], scenario: str, seed: int) -> Outcome:
    """Judge a history, simulated or not, and tell what it showed."""
    violated = {result.id: result.why for result in violations(judged(events, seed))}
    notes = tuple(f"{event.data.get('step', '')}: {event.data['why']}" for event in events if event.kind == "note")
    return Outcome(scenario, seed, violated, notes, len(events))


def violations(judgement: Judgement) -> list[ClauseResult]:
    """Return the violated clauses of a judgement; budgets are none, since latencies on virtual time are drawn."""
    violated = [result for result in judgement.results if result.status is Status.VIOLATED]
    return [result for result in violated if result.kind != Kind.BUDGET.value]


def parts_of(mutant: str) -> Parts:
    """Return the parts of a mutant by its name, the honest ones for none; raises KeyError for an unknown name."""
    return BY_NAME[mutant].parts if mutant else HONEST


def _about(outcome: Outcome, clauses: Collection[str] | None) -> Outcome:
    if clauses is None:
        return outcome
    violated = {clause: what for clause, what in outcome.violated.items() if clause in clauses}
    return msgspec.structs.replace(outcome, violated=violated)


def _findings(
    outcomes: Sequence[Outcome], scenarios: dict[str, Scenario], mutant: str, folder: Path | None
) -> Iterable[Finding]:
    counted = Counter(clause for outcome in outcomes for clause in outcome.violated)
    for clause in list(counted)[:SCRIPTS_MAX]:
        first = next(outcome for outcome in outcomes if clause in outcome.violated)
        script = shrunk_script(seeded(scenarios[first.scenario], first.seed), first.seed, clause, mutant)
        path = save_script(folder, script) if folder is not None else ""
        yield Finding(clause, first.violated[clause], counted[clause], script, str(path))


def shrunk_script(scenario: Scenario, seed: int, clause: str, mutant: str = "") -> Script:
    """Return the shortest script found that still violates `clause` under this seed."""

    def fails(steps: Sequence[AnyStep]) -> bool:
        return clause in _outcome(_with(scenario, steps), seed, mutant).violated

    shrunk = shrink(scenario.steps, fails, SHRINK_TRIES_MAX)
    return Script(scenario=_with(scenario, shrunk.steps), seed=seed, clause=clause, mutant=mutant)


def _with(scenario: Scenario, steps: Sequence[AnyStep]) -> Scenario:
    changed: Scenario = msgspec.structs.replace(scenario, steps=tuple(steps))
    return changed


def save_script(folder: Path, script: Script) -> Path:
    """Write a script into `folder` under the name of its clause and seed; return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / script_name(script.clause, script.seed)
    path.write_bytes(encode_script(script))
    return path


def replay(script: Script) -> Outcome:
    """Run and judge a script on virtual time, under its own seed and mutant."""
    return _outcome(script.scenario, script.seed, script.mutant)


def replay_on(target: Target, script: Script, run: str = "") -> None:
    """Run a script on a target of another tier; its history goes to the target's recorder, to be judged as any.

    The mutant, if any, is the target's to serve. `run` tells the accounts of several runs apart.
    """

    async def main() -> None:
        await run_scenario(target, script.scenario, people(script.seed, script.scenario.people, run))
        await target.close()

    target.run(main())
