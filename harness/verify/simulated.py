"""The parts on virtual time: the scenarios under a few seeds, and the canary that must not pass.

Only the reference server can be simulated; on a foreign target the canary alone is run, since it is about the checks.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from harness.commands import command
from harness.history import Event
from harness.judge import Scope
from harness.records import RunRecord
from harness.verify.groups import SIMULATED, group_sink
from harness.verify.options import Options
from reference_server.contract.clauses import CLAUSES

SEEDS: Final = {"smoke": 2, "standard": 10, "thorough": 200}
CANARY: Final = "canary"
CANARY_SEED: Final = 1


def simulated_histories(record: RunRecord, options: Options, seed: int) -> list[str]:
    """Simulate the scenarios; keep the first history, and for each finding its history and its shrunk script."""
    from harness.simulate import history, parts_of, simulate
    from harness.strategies import seeded
    from scenarios.catalog import BY_NAME, SCENARIOS

    parts = parts_of(options.mutant)
    scope = Scope(options.depth, options.clauses)
    found = simulate(
        SCENARIOS,
        SEEDS[options.depth],
        seed,
        mutant=options.mutant,
        folder=record.path / "scripts",
        # What this run does not judge needs no script either.
        clauses=[clause.id for clause in CLAUSES if scope.covers(clause)],
    )
    for scenario in SCENARIOS:
        keep(record, f"{SIMULATED}{scenario.name}", history(seeded(scenario, seed), seed, parts))
    for finding in found.findings:
        first = finding.script
        scenario = BY_NAME.get(first.scenario.name, first.scenario)
        keep(record, f"{SIMULATED}{finding.clause.lower()}", history(seeded(scenario, first.seed), first.seed, parts))
    told = f"{found.histories} simulated histories, {found.histories_per_s:.0f} a second"
    scripts = [f"{finding.clause} shrunk: {command('replay', finding.path)}" for finding in found.findings]
    return [told, *scripts]


def keep(record: RunRecord, group: str, events: Sequence[Event]) -> None:
    """Write a history into the record as a group of its own; evidence then leads to its files."""
    sinks = {name: group_sink(record.path, group, name) for name in {event.recorder for event in events}}
    for event in events:
        sinks[event.recorder](msgspec.structs.replace(event, recorder=f"{group}/{event.recorder}"))
    for sink in sinks.values():
        sink.close()


def canary_survives() -> bool:
    """Say whether a server that is always broken passes the checks: then nothing else that passes means anything."""
    from harness.simulate import history, judged, parts_of, violations
    from scenarios.catalog import SCENARIOS

    events = history(SCENARIOS[0], CANARY_SEED, parts_of(CANARY))
    return not violations(judged(events, CANARY_SEED))
