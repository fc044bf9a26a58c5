"""The kill matrix as an artefact (design law 8): JSON for readers that compare, Markdown for people.

Beside the kills stands what no mutant proves: clauses and checkers whose verdict nothing broken on purpose has ever
turned. The two numbers below may only fall; `tests/test_matrix.py` holds them.
"""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from harness.checkers import CHECKERS
from harness.mutants.catalog import CANARY, MUTANTS

UNPROVEN_CLAUSES_MAX: Final = 51
"""May only fall: give a clause a mutant in `catalog`, then lower it."""
UNPROVEN_CHECKERS_MAX: Final = 4
"""May only fall, as the clauses."""


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
    start_seed: int = 0
    seeds: int = 0
    unproven_clauses: tuple[str, ...] = ()
    unproven_checkers: tuple[str, ...] = ()

    @property
    def void(self) -> bool:
        """Whether the canary passed: then nothing here says anything."""
        return not self.canary.killed

    @property
    def red(self) -> bool:
        """Whether a kill was lost, the honest server was accused, or a fault proves nothing."""
        return bool(self.false_alarms or self.idle_faults) or not all(kill.killed for kill in self.kills)


def unproven_clauses() -> tuple[str, ...]:
    """Return the clauses that a checker judges and no mutant is named to break, sorted."""
    proven = {clause for mutant in (*MUTANTS, CANARY) for clause in mutant.killed_by}
    return tuple(sorted({clause for make in CHECKERS for clause in make().clauses} - proven))


def unproven_checkers() -> tuple[str, ...]:
    """Return the checkers that no mutant is named to turn, sorted."""
    proven = {checker for mutant in (*MUTANTS, CANARY) for checker in mutant.checkers}
    return tuple(sorted({make().name for make in CHECKERS} - proven))


def write_matrix(matrix: Matrix, folder: Path) -> tuple[Path, Path]:
    """Write `kill_matrix.json` and `kill_matrix.md` into `folder`, made if need be; return where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    data, text = folder / "kill_matrix.json", folder / "kill_matrix.md"
    data.write_bytes(msgspec.json.format(msgspec.json.encode(matrix, order="deterministic")) + b"\n")
    text.write_text(in_markdown(matrix), encoding="utf-8")
    return data, text


def read_matrix(path: Path) -> Matrix:
    """Read what `write_matrix` wrote as JSON; raises msgspec.ValidationError for anything else."""
    return msgspec.json.decode(path.read_bytes(), type=Matrix)


def in_markdown(matrix: Matrix) -> str:
    """Return the matrix as a page: a row a mutant, a column a clause, then what is unproven."""
    rows = (*matrix.kills, matrix.canary)
    clauses = sorted({clause for kill in rows for clause in (*kill.clauses, *kill.expected)})
    head = ["mutant", *clauses, "histories", "seeds to detect", "seconds"]
    lines = [
        "# Kill matrix",
        "",
        "In how many histories each clause was violated; bold is who must notice.",
        "",
        _row(head),
        _row(["---"] * len(head)),
        *(_row(_cells(kill, clauses)) for kill in rows),
        "",
        f"- seeds: {matrix.seeds} from {matrix.start_seed}",
        f"- false alarms in {matrix.honest_histories} honest histories: {_counted(matrix.false_alarms)}",
        f"- faults that prove nothing: {_listed(matrix.idle_faults)}",
        f"- mutants not at this tier: {_listed(matrix.not_at_this_tier)}",
        f"- checkers no mutant turns ({len(matrix.unproven_checkers)}): {_listed(matrix.unproven_checkers)}",
        f"- clauses no mutant breaks ({len(matrix.unproven_clauses)}): {_listed(matrix.unproven_clauses)}",
    ]
    return "\n".join(lines) + "\n"


def _cells(kill: Kill, clauses: list[str]) -> list[str]:
    counts = [_cell(kill.clauses.get(clause, 0), clause in kill.expected) for clause in clauses]
    found = ["survived", ""] if kill.seeds_to_detect is None else [str(kill.seeds_to_detect)]
    if kill.seconds_to_detect is not None:
        found.append(f"{kill.seconds_to_detect:.2f}")
    return [kill.mutant, *counts, str(kill.histories), *found]


def _cell(times: int, expected: bool) -> str:
    return f"**{times}**" if expected else str(times or "")


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {times}" for name, times in sorted(counts.items())) or "none"
