"""What a run came to: one level, one sentence, one exit code; the first that applies (design, command line).

Page, summary and gate all ask here, so that they can't disagree.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

from harness.records import INTERRUPTED, ReadRecord, RunInfo, Verdicts, find_script
from harness.verdicts import EXIT_CODES, LEDGER, NOT_ALLOWED, ClauseResult, Level, Status, level_of

IDS_NAMED_MAX: Final = 4
_UNTIL: Final = re.compile(r"\(until (\d{4}-\d{2}-\d{2})\)$")


class Outcome(NamedTuple):
    """How a run ended; `sentence` says it to a stranger, `why` adds what they would ask next."""

    level: Level
    sentence: str
    why: str = ""

    @property
    def exit_code(self) -> int:
        """Return the exit code that this outcome means."""
        return EXIT_CODES[self.level]


def outcome_of(info: RunInfo, verdicts: Verdicts | None, today: date, losses: str = "") -> Outcome:
    """Return the outcome.

    `today` decides which known violations are still excused (contract §10); `losses` is what the ledger of a load run
    tells, for verdicts that were written without having read it.
    """
    results = verdicts.results if verdicts is not None else ()
    if info.exit_code == EXIT_CODES[Level.FAILED]:
        return Outcome(
            Level.FAILED, "The harness could not do its work: this run says nothing of the target.", _failure(info)
        )
    if info.void == INTERRUPTED:
        return Outcome(Level.VOID, "This run was interrupted: it says nothing for certain.", _until_then(results))
    if info.void:
        return Outcome(Level.VOID, "This run is void and says nothing of the target.", info.void)
    if not info.complete:
        why = "It was cut off before its end; what is shown was seen until then."
        return Outcome(Level.VOID, "This run is incomplete and says nothing for certain.", why)
    if verdicts is None:
        return Outcome(Level.VOID, "This run was not judged.", "It has no verdicts.json.")
    judged = _judged(results, today)
    if losses and not any(LEDGER in result.checkers for result in results):
        return Outcome(Level.VIOLATED, f"Under load {losses}.", "" if judged.level is Level.HOLDS else judged.sentence)
    return judged


def excused(result: ClauseResult, today: date) -> bool:
    """Say whether a violation is a known one whose date has not come."""
    until = _UNTIL.search(result.known)
    return until is not None and today < date.fromisoformat(until[1])


def with_status(results: Iterable[ClauseResult], status: Status) -> list[ClauseResult]:
    """Return the results of one status."""
    return [result for result in results if result.status is status]


def day_of(info: RunInfo) -> date:
    """Return the day of the run, so that its page reads the same on any later day."""
    return date.fromisoformat((info.ended_at or info.started_at)[:10])


def read_verdicts(record: ReadRecord) -> Verdicts | None:
    """Return the verdicts, or None when the run was never judged; raises RecordError when they can't be read."""
    return record.verdicts() if record.has_verdicts else None


def repeat_of(info: RunInfo) -> str:
    """Return the command that does the run again with all that was drawn in it; as it was given, if none was kept."""
    judged_by = info.facts.get("judged_by")
    replay = judged_by.get("replay") if isinstance(judged_by, dict) else None
    return replay if isinstance(replay, str) and replay else shlex.join(info.command)


def script_of(record: ReadRecord, result: ClauseResult) -> Path | None:
    """Return the saved failing script of a clause, if the run left one."""
    return find_script(record.path, result.id)


def _until_then(results: Sequence[ClauseResult]) -> str:
    counts = ((word, len(with_status(results, status))) for status, word in _UNTIL_THEN)
    told = ", ".join(f"{count} {word}" for word, count in counts if count)
    return f"Of the clauses in scope until then: {told}." if told else "It was not judged."


_UNTIL_THEN: Final = ((Status.VIOLATED, "violated"), (Status.HOLDS, "held"), (Status.UNKNOWN, "not decided"))


def _failure(info: RunInfo) -> str:
    return str(info.facts.get("failed") or info.void)


def _judged(results: Sequence[ClauseResult], today: date) -> Outcome:
    required = [result for result in results if result.status is not Status.UNSUPPORTED]
    violated = with_status(required, Status.VIOLATED)
    counted = [result for result in violated if not excused(result, today)]
    unknown = with_status(required, Status.UNKNOWN)
    known = len(violated) - len(counted)
    level = level_of(results, excused={result.id for result in violated if excused(result, today)})
    if not required:
        return Outcome(level, "Nothing was judged: no clause is in the scope of this run and supported.")
    if level is Level.VIOLATED:
        sentence = f"{_clauses(len(counted))} of {len(required)} violated: {_ids(counted)}."
        return Outcome(level, sentence, _also(unknown, known))
    if level is Level.UNKNOWN:
        sentence = f"Nothing was violated, but {_clauses(len(unknown))} of {len(required)} stayed unknown."
        why = f"What was not exercised is not green: {_ids(unknown)}. {_also((), known)}".strip()
        return Outcome(level, sentence, why)
    return Outcome(level, _held(len(required), with_status(results, Status.UNSUPPORTED)), _also(unknown, known))


def _held(held: int, unjudged: Sequence[ClauseResult]) -> str:
    if not unjudged:
        return f"The contract holds: all {_clauses(held)} in scope."
    forbidden = sum(result.why.startswith(NOT_ALLOWED) for result in unjudged)
    lacks = ["lacks their parts"] if forbidden < len(unjudged) else []
    why = " or ".join([*lacks, *(["does not allow them"] if forbidden else [])])
    return f"{_clauses(held)} hold{'s' * (held == 1)}; {len(unjudged)} could not be judged: this server {why}."


def _also(unknown: Sequence[ClauseResult], known: int) -> str:
    parts = [f"{_clauses(len(unknown))} stayed unknown"] if unknown else []
    parts += [f"{_clauses(known)} violated as already known, not counted"] if known else []
    return f"{'; '.join(parts)}.".capitalize() if parts else ""


def _clauses(count: int) -> str:
    return f"{count} clause{'' if count == 1 else 's'}"


def _ids(results: Sequence[ClauseResult]) -> str:
    named = ", ".join(result.id for result in results[:IDS_NAMED_MAX])
    more = len(results) - IDS_NAMED_MAX
    return f"{named} and {more} more" if more > 0 else named
