"""The gate: a record in, an exit code and its reasons out.

The recorded exit code is not believed, save for 3 (the harness failed, which no verdict can tell); verdicts and
ledger are read again, so a known violation whose date has passed since counts from that day on.
"""

from datetime import date
from pathlib import Path

from harness.records import INTERRUPTED, RecordError, read_record
from harness.verdicts import EXIT_CODES, ClauseResult, Level, Status
from reports.load import losses_of, read_load
from reports.outcome import excused, outcome_of, read_verdicts, with_status


def gate(run_dir: Path, today: date | None = None) -> tuple[int, list[str]]:
    """Return (exit code, lines to print); a record that can't be read is 3, in one line."""
    today = today or date.today()  # noqa: DTZ011 - `until` is a day where the gate stands
    try:
        record = read_record(run_dir)
        verdicts = read_verdicts(record)
        losses = losses_of(read_load(record))
    except RecordError as fault:
        return EXIT_CODES[Level.FAILED], [str(fault)]
    outcome = outcome_of(record.info, verdicts, today, losses)
    lines = [f"{outcome.sentence} {outcome.why}".strip()]
    results = verdicts.results if verdicts is not None else ()
    lines += [_violated(result, today) for result in with_status(results, Status.VIOLATED)]
    if record.info.void == INTERRUPTED:
        return outcome.exit_code, lines
    lines += [f"unknown  {result.id}  {result.why}" for result in with_status(results, Status.UNKNOWN)]
    return outcome.exit_code, lines


def _violated(result: ClauseResult, today: date) -> str:
    word = "known  " if excused(result, today) else "violated"
    replay = next((violation.replay for violation in result.violations if violation.replay), "")
    return f"{word} {result.id}  {result.why}{f'  replay: {replay}' if replay else ''}"
