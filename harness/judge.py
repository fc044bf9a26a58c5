"""Judge a history: every clause of the registry in scope gets exactly one result (design law 6).

Reads events and facts, never a target. What was not exercised is `unknown`, what a target lacks is `unsupported`,
and a checker that raises ends the run as *harness failed*: a broken judge has no opinion.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Final

from msgspec import Struct, structs

from harness.checkers import CHECKERS
from harness.checkers.base import Checker, RunFacts
from harness.history import Event
from harness.targets.base import Capabilities
from harness.verdicts import EXIT_CODES, NOT_ALLOWED, ClauseResult, Level, Status, Verdict, combined, level_of
from reference_server.contract.clauses import CLAUSES, CLAUSES_BY_ID, Clause, Depth, Reach

EXIT_OK: Final = EXIT_CODES[Level.HOLDS]
EXIT_VIOLATED: Final = EXIT_CODES[Level.VIOLATED]
EXIT_UNKNOWN: Final = EXIT_CODES[Level.UNKNOWN]
EXIT_VOID: Final = EXIT_CODES[Level.VOID]
EXIT_HARNESS_FAILED: Final = EXIT_CODES[Level.FAILED]


class HarnessError(Exception):
    """The harness itself could not do its work; the command line ends with 3."""


class Known(Struct, frozen=True):
    """A violation that was accepted: reported, and not in the exit code before `until` (contract §10)."""

    clause: str
    reason: str
    until: date


class Scope(Struct, frozen=True):
    """What a run set out to judge: the depth, and `only` these families or clauses (empty: all)."""

    depth: str = "standard"
    only: tuple[str, ...] = ()

    def covers(self, clause: Clause) -> bool:
        """Say whether a clause that can be judged from outside is in this scope."""
        return Depth(self.depth).reaches(clause.depth) and self.names(clause)

    def names(self, clause: Clause) -> bool:
        """Say whether `only` leaves this clause in."""
        wanted = {part.upper() for part in self.only}
        return not wanted or clause.id in wanted or clause.family in wanted


class Judgement(Struct, frozen=True):
    """All results in the registry's order, how many clauses lie out of scope, and those held by project tests."""

    results: tuple[ClauseResult, ...]
    out_of_scope: int
    held_by_project_tests: tuple[str, ...]


CheckerFactory = Callable[[], Checker]


def judge(
    events: Iterable[Event],
    facts: RunFacts,
    *,
    checkers: Sequence[CheckerFactory] = CHECKERS,
    scope: Scope | None = None,
    capabilities: Capabilities | None = None,
    known: Sequence[Known] = (),
) -> Judgement:
    """Fold `events` (in merged order) through the checkers and give every clause in scope its result.

    `capabilities` None means a target that has and allows everything. Raises HarnessError naming a checker that
    raised, or that answered for other clauses than it claims.
    """
    scope = scope or Scope(depth=facts.depth)
    verdicts = _verdicts(events, facts, [make() for make in checkers])
    accepted = {entry.clause: entry for entry in known}
    judged_from_outside = [clause for clause in CLAUSES if clause.reach is not Reach.WHITE_BOX]
    inside = [clause for clause in judged_from_outside if scope.covers(clause)]
    results = tuple(_result(clause, verdicts.get(clause.id, []), capabilities, accepted) for clause in inside)
    white = tuple(clause.id for clause in CLAUSES if clause.reach is Reach.WHITE_BOX)
    return Judgement(results, len(judged_from_outside) - len(inside), white)


def _verdicts(events: Iterable[Event], facts: RunFacts, checkers: list[Checker]) -> dict[str, list[Verdict]]:
    for checker in checkers:
        _guarded(checker, lambda checker=checker: checker.start(facts))  # type: ignore[misc]
    for event in events:
        for checker in checkers:
            try:
                checker.step(event)
            except Exception as fault:
                raise HarnessError(
                    f"checker '{checker.name}' failed at {event.ref}: {fault!r}; this is ours"
                ) from fault
    found: dict[str, list[Verdict]] = {}
    for checker in checkers:
        given = _guarded(checker, checker.finish) or []
        if sorted(verdict.clause for verdict in given) != sorted(checker.clauses):
            raise HarnessError(f"checker '{checker.name}' did not answer once for each of its clauses; this is ours")
        for verdict in given:
            found.setdefault(verdict.clause, []).append(verdict)
    return found


def _guarded(checker: Checker, work: Callable[[], list[Verdict] | None]) -> list[Verdict] | None:
    try:
        return work()
    except Exception as fault:
        raise HarnessError(f"checker '{checker.name}' failed: {fault!r}; this is ours") from fault


def lacking(clause: Clause, capabilities: Capabilities | None) -> str:
    """Return why a target cannot be judged on a clause, or nothing: a lacking need comes before a lacking grant."""
    if capabilities is None:
        return ""
    for need in clause.needs:
        if need not in capabilities.needs:
            return need
    for grant in clause.grants:
        if grant not in capabilities.grants:
            return f"{NOT_ALLOWED}: {grant}"
    if clause.connections > capabilities.connections_max:
        return f"{NOT_ALLOWED}: connections:{clause.connections}"
    return ""


def _result(
    clause: Clause, verdicts: list[Verdict], capabilities: Capabilities | None, accepted: Mapping[str, Known]
) -> ClauseResult:
    blank = blank_result(clause.id)
    said = combined(verdicts) if verdicts else None
    why = lacking(clause, capabilities)
    # Without a need a judgement is not sound; without a grant it is only not asked for, so a violation seen stands.
    seen_anyway = why.startswith(NOT_ALLOWED) and said is not None and said.status is Status.VIOLATED
    if why and not seen_anyway:
        return structs.replace(blank, status=Status.UNSUPPORTED, why=why)
    if said is None:
        return blank
    return structs.replace(
        blank,
        status=said.status,
        checkers=tuple(said.checker.split("+")),
        checked=said.checked,
        why=said.why,
        violations=said.violations,
        figures=said.figures,
        known=told_known(clause.id, tuple(accepted.values())),
    )


def blank_result(clause_id: str) -> ClauseResult:
    """Return the result of a clause of which nothing is known yet; raises KeyError when there is no such clause."""
    clause = CLAUSES_BY_ID[clause_id]
    return ClauseResult(
        clause.id,
        clause.text,
        clause.section,
        clause.kind.value,
        clause.reach.value,
        clause.needs,
        clause.ext,
        Status.UNKNOWN,
        why="no checker judges it",
    )


def told_known(clause_id: str, known: Sequence[Known]) -> str:
    """Return how a result tells that its violation was accepted, or nothing when it was not."""
    entry = {entry.clause: entry for entry in known}.get(clause_id)
    return f"{entry.reason} (until {entry.until.isoformat()})" if entry is not None else ""


def exit_code(
    results: Iterable[ClauseResult],
    *,
    today: date,
    known: Sequence[Known] = (),
    void: str | None = None,
    failed: str | None = None,
) -> int:
    """Return the first that applies: 3 harness failed, 2 void, 1 violated, 2 something required unknown, 0."""
    excused = {entry.clause for entry in known if today < entry.until}
    return EXIT_CODES[level_of(results, excused=excused, void=bool(void), failed=bool(failed))]


def check_known(known: Sequence[Known], clauses: Collection[str] = tuple(CLAUSES_BY_ID)) -> None:
    """Raise HarnessError for a known violation of a clause that does not exist."""
    for entry in known:
        if entry.clause not in clauses:
            raise HarnessError(f"known violation of '{entry.clause}', expected a clause; see harness list clauses")
