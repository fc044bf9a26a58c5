"""Verdicts: what a run may say of a clause, and how a violation is told (design law 6)."""

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Final

from msgspec import Struct

LEDGER: Final = "ledger"
"""The series of samples that account for every push under load, and the name of what judges them."""


SECTIONS_TOLD: Final = (
    "§ numbers are the sections of the contract whose sentences these clauses are; its prose is no part of the project"
)
"""What a section of a clause refers to, said where sections are shown first."""
NOT_ALLOWED: Final = "not allowed"
"""How the reason begins why a clause is unsupported that a target has, and does not allow to be tried."""


class Status(Enum):
    """The four things that can be said of a clause in a run's scope."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNSUPPORTED = "unsupported"
    UNKNOWN = "unknown"


class Level(Enum):
    """The five ends of a run, in the order in which they apply."""

    FAILED = "failed"
    VOID = "void"
    VIOLATED = "violated"
    UNKNOWN = "unknown"
    HOLDS = "holds"


EXIT_CODES: Final[dict[Level, int]] = {
    Level.FAILED: 3,
    Level.VOID: 2,
    Level.VIOLATED: 1,
    Level.UNKNOWN: 2,
    Level.HOLDS: 0,
}
"""The one table of exit codes (design, command line); judge, gate and reports all ask it."""


class Violation(Struct, frozen=True):
    """One broken promise: what happened, where it is seen (`client#412`), which faults were active, how to replay."""

    what: str
    evidence: tuple[str, ...]
    faults: tuple[str, ...] = ()
    replay: str = ""


class Verdict(Struct, frozen=True):
    """What one checker says of one clause; `checked` counts the facts it judged (0 is never `holds`)."""

    clause: str
    status: Status
    checker: str
    checked: int = 0
    why: str = ""
    violations: tuple[Violation, ...] = ()
    figures: dict[str, float] = {}


class ClauseResult(Struct, frozen=True):
    """A clause with its verdict, as `verdicts.json` carries it, so that reports need no registry."""

    id: str
    text: str
    section: str
    kind: str
    reach: str
    needs: tuple[str, ...]
    ext: bool
    status: Status
    checkers: tuple[str, ...] = ()
    checked: int = 0
    why: str = ""
    violations: tuple[Violation, ...] = ()
    figures: dict[str, float] = {}
    known: str = ""


def level_of(
    results: Iterable[ClauseResult], *, excused: Collection[str] = (), void: bool = False, failed: bool = False
) -> Level:
    """Return the first end that applies; violations of `excused` clauses are not counted, and nothing is not green."""
    if failed:
        return Level.FAILED
    if void:
        return Level.VOID
    required = [result for result in results if result.status is not Status.UNSUPPORTED]
    counted = {result.status for result in required if not _is_excused(result, excused)}
    if Status.VIOLATED in counted:
        return Level.VIOLATED
    return Level.UNKNOWN if Status.UNKNOWN in counted or not required else Level.HOLDS


def _is_excused(result: ClauseResult, excused: Collection[str]) -> bool:
    return result.status is Status.VIOLATED and result.id in excused


def judged(clause: str, checker: str, checked: int, violations: Iterable[Violation], why: str = "") -> Verdict:
    """Return violated if anything was, holds if anything was checked, else unknown with the reason."""
    found = tuple(violations)
    if found:
        return Verdict(clause, Status.VIOLATED, checker, checked, found[0].what, found)
    if checked:
        return Verdict(clause, Status.HOLDS, checker, checked)
    return Verdict(clause, Status.UNKNOWN, checker, 0, why or "nothing in the history exercised it")


WEIGHT: Final = {Status.UNSUPPORTED: 0, Status.UNKNOWN: 1, Status.HOLDS: 2, Status.VIOLATED: 3}
"""Of several verdicts on one clause the heaviest stands: violated beats holds beats unknown beats unsupported."""


def combined(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the one verdict of several on one clause, the heaviest, with the evidence of all.

    Raises ValueError when there is none.
    """
    given = list(verdicts)
    if not given:
        raise ValueError("no verdict to combine")
    heaviest = max(given, key=lambda verdict: WEIGHT[verdict.status])
    figures = {name: figure for verdict in given for name, figure in verdict.figures.items()}
    return Verdict(
        heaviest.clause,
        heaviest.status,
        "+".join(sorted({verdict.checker for verdict in given})),
        sum(verdict.checked for verdict in given),
        heaviest.why,
        tuple(violation for verdict in given for violation in verdict.violations),
        figures,
    )


def describe(violation: Violation, clause: str, text: str, family: str = "") -> str:
    """Return the five facts of a violation: what happened, the clause, the evidence, the faults, the replay command."""
    part = family or clause.partition("-")[0].lower()
    return "\n".join(
        (
            f"{part} violated: {violation.what}",
            f"  clause    {clause}  {text}",
            f"  evidence  {'; '.join(violation.evidence) or 'none kept'}",
            f"  faults    {', '.join(violation.faults) or 'none active'}",
            f"  replay    {violation.replay or 'not saved as a script'}",
        )
    )
