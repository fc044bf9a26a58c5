"""What `harness list` prints: one line a thing, name first, so that it can be cut by a shell."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.verdicts import SECTIONS_TOLD

if TYPE_CHECKING:
    from harness.mutants.matrix import Kill, Matrix


def clauses() -> Iterator[str]:
    """Id, kind, reach, depth, needs and grants, text and section of every clause, under a head."""
    from reference_server.contract.clauses import CLAUSES

    yield f"# {SECTIONS_TOLD}"
    rows = [("# clause", "kind", "reach", "depth", "needs, grants", "what it says (section)")]
    for clause in CLAUSES:
        wants = ",".join(dict.fromkeys((*clause.needs, *clause.grants))) or "-"
        held = f", held by {', '.join(clause.held_by)}" if clause.held_by else ""
        told = f"{clause.text} ({clause.section}{held})"
        rows.append((clause.id, clause.kind.value, clause.reach.value, clause.depth.value, wants, told))
    yield from in_columns(rows)


def scenarios() -> Iterator[str]:
    """Name and summary of every scenario, simulated and load, and the command that runs it."""
    from loadtests.catalog import SCENARIOS as LOADS
    from scenarios.catalog import SCENARIOS

    yield from in_columns(
        [
            *((scenario.name, "simulate", scenario.summary) for scenario in SCENARIOS),
            *((load.name, "load", load.summary) for load in LOADS),
        ]
    )


def faults() -> Iterator[str]:
    """Every kind of fault that a script can inject."""
    from harness.faults import FAULTS

    yield from in_columns(
        (fault.name, f"{fault.summary}; strikes {fault.strikes}, shown by {fault.shown_by}") for fault in FAULTS
    )


def mutants() -> Iterator[str]:
    """Name, sentence and killers of every mutant."""
    from harness.mutants.catalog import CANARY, MUTANTS

    yield from in_columns(
        (mutant.name, f"{mutant.sentence}; killed by {' or '.join(mutant.killed_by)}") for mutant in (*MUTANTS, CANARY)
    )


def profiles() -> Iterator[str]:
    """What a profile is, every key that it may have, and one as an example."""
    from harness.targets.profiles import EXAMPLE, FIELD_HELP

    yield from (
        "A profile says in a TOML file how a target differs; `harness verify --target FILE.toml` reads it.",
        "A URL alone is a profile with its `api` only; without --target the reference server is started, which has",
        "and allows everything.",
        "",
    )
    yield from in_columns(FIELD_HELP.items())
    yield from ("", "For example:", "", *EXAMPLE.splitlines())


def runs() -> Iterator[str]:
    """Every record under `.runs`, oldest first, with how it ended."""
    from harness.records import list_records

    yield from in_columns(_run(path) for path in list_records(Path(".runs")))


def _run(path: Path) -> tuple[str, ...]:
    from harness.records import RecordError, read_record

    try:
        info = read_record(path).info
    except RecordError as fault:
        return path.name, f"not readable: {fault}"
    return path.name, info.target, info.depth, "incomplete" if not info.complete else f"exit {info.exit_code}"


def killed(matrix: "Matrix") -> Iterator[str]:
    """Yield a line for each mutant of a kill matrix, what is red besides, and one that counts."""
    rows = [_kill(kill) for kill in matrix.kills]
    rows += [(name, "not at this tier", "-") for name in matrix.not_at_this_tier]
    yield from in_columns(rows)
    for name in matrix.idle_faults:
        yield f"fault {name} proves nothing: its mutant does not need it"
    if matrix.void:
        yield "void: the canary passed"
    survived = sum(not kill.killed for kill in matrix.kills)
    yield (
        f"{len(matrix.kills) - survived} killed, {survived} survived, {len(matrix.not_at_this_tier)} not at this tier, "
        f"{sum(matrix.false_alarms.values())} false alarms"
    )


def _kill(kill: "Kill") -> tuple[str, ...]:
    found = f"seed {kill.seeds_to_detect} after {kill.seconds_to_detect:.2f} s" if kill.killed else "SURVIVED"
    return kill.mutant, found, ", ".join(kill.clauses) or "-"


def in_columns(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the rows as lines whose cells stand under each other, two blanks apart; the last cell as long as it is."""
    table = [tuple(row) for row in rows]
    width = {
        column: max(len(row[column]) for row in table if len(row) > column + 1)
        for column in range(max((len(row) for row in table), default=0) - 1)
    }
    for row in table:
        yield "  ".join([*(cell.ljust(width[column]) for column, cell in enumerate(row[:-1])), row[-1]])


LISTED: Final[dict[str, Callable[[], Iterator[str]]]] = {
    "clauses": clauses,
    "scenarios": scenarios,
    "faults": faults,
    "mutants": mutants,
    "profiles": profiles,
    "runs": runs,
}
