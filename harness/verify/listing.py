"""What `harness list` prints: one line a thing, name first, so that it can be cut by a shell."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final


def clauses() -> Iterator[str]:
    """Id, kind, reach, depth, needs and text of every clause."""
    from reference_server.contract.clauses import CLAUSES

    for clause in CLAUSES:
        wants = ",".join((*clause.needs, *clause.grants)) or "-"
        told = f"{clause.kind.value:<9}{clause.reach.value:<11}{clause.depth.value:<10}{wants}"
        held = f", held by {', '.join(clause.held_by)}" if clause.held_by else ""
        yield f"{clause.id:<20}{told:<56}{clause.text} ({clause.section}{held})"


def scenarios() -> Iterator[str]:
    """Name and summary of every scenario, simulated and load."""
    from loadtests.catalog import SCENARIOS as LOADS
    from scenarios.catalog import SCENARIOS

    for scenario in SCENARIOS:
        yield f"{scenario.name:<24}{scenario.summary}"
    for load in LOADS:
        yield f"{load.name:<24}load: {load.summary}"


def faults() -> Iterator[str]:
    """Every kind of fault that a script can inject."""
    from harness.faults import FAULTS

    for fault in FAULTS:
        yield f"{fault.name:<24}{fault.summary}; strikes {fault.strikes}, shown by {fault.shown_by}"


def mutants() -> Iterator[str]:
    """Name, sentence and killers of every mutant."""
    from harness.mutants.catalog import CANARY, MUTANTS

    for mutant in (*MUTANTS, CANARY):
        yield f"{mutant.name:<24}{mutant.sentence}; killed by {' or '.join(mutant.killed_by)}"


def profiles() -> Iterator[str]:
    """Every key that a target profile may have."""
    from harness.targets.profiles import FIELD_HELP

    for field, told in FIELD_HELP.items():
        yield f"{field:<12}{told}"


def runs() -> Iterator[str]:
    """Every record under `.runs`, oldest first, with how it ended."""
    from harness.records import RecordError, list_records, read_record

    for path in list_records(Path(".runs")):
        try:
            info = read_record(path).info
        except RecordError as fault:
            yield f"{path.name}  not readable: {fault}"
            continue
        ended = "incomplete" if not info.complete else f"exit {info.exit_code}"
        yield f"{path.name}  {info.target}  {info.depth}  {ended}"


LISTED: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "clauses": clauses,
    "scenarios": scenarios,
    "faults": faults,
    "mutants": mutants,
    "profiles": profiles,
    "runs": runs,
}
