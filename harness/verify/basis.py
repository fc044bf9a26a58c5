"""What judging needs beside the history: kept in `run.json`, so that a record judged again is judged by the same rules.

A history does not tell what a target lacks, which violations were accepted, or that a load's generator was too busy.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.checkers.base import RunFacts
from harness.commands import command
from harness.judge import Known, Scope, exit_code
from harness.records import ReadRecord, RecordError, RunInfo, RunRecord, Verdicts, find_script
from harness.targets.base import Capabilities
from harness.verdicts import ClauseResult
from harness.verify.groups import judge_groups, read_groups, until, without_timing
from reference_server.contract.clauses import CLAUSES

FACT: Final = "judged_by"


class Basis(Struct, frozen=True, kw_only=True):
    """The rules of one record; `clauses` empty means all, `capabilities` None a target that has everything.

    `cut_ns` is the instant of the monotonic clock at which a run was cut short.
    """

    local: bool = True
    shared_clock: bool = True
    replay: str = ""
    clauses: tuple[str, ...] = ()
    known: tuple[Known, ...] = ()
    capabilities: Capabilities | None = None
    load_void: str = ""
    cut_ns: int | None = None


def kept(basis: Basis) -> dict[str, Any]:
    """Return the basis as a fact of `run.json`."""
    return {FACT: msgspec.to_builtins(basis)}


def basis_of(record: ReadRecord) -> Basis:
    """Return the basis that a record was judged by; raises RecordError when it has none."""
    told = record.info.facts.get(FACT)
    if told is None:
        raise RecordError(f"{record.path.name} does not say by which rules it was judged; verify the target again")
    try:
        return msgspec.convert(told, Basis)
    except msgspec.ValidationError as fault:
        raise RecordError(f"{record.path.name}/run.json: {FACT} can't be read: {fault}") from fault


def judged(path: Path, info: RunInfo, basis: Basis) -> Verdicts:
    """Judge a record's histories; raises HarnessError when a checker fails, ValueError for a broken line."""
    facts = RunFacts(
        seed=info.seed,
        depth=info.depth,
        target=info.target,
        local=basis.local,
        shared_clock=basis.shared_clock,
        replay=basis.replay,
    )
    found = judge_groups(
        until(read_groups(path), basis.cut_ns),
        facts,
        scope=Scope(info.depth, basis.clauses),
        capabilities=basis.capabilities,
        known=basis.known,
        scripts=_scripts(path),
    )
    return without_timing(found, basis.load_void) if basis.load_void else found


def code_of(
    results: tuple[ClauseResult, ...], basis: Basis, *, void: str = "", failed: str = "", today: date | None = None
) -> int:
    """Return the exit code of results under a basis."""
    day = today or datetime.now(UTC).date()
    return exit_code(results, today=day, known=basis.known, void=void or None, failed=failed or None)


def judged_again(record: ReadRecord) -> Verdicts:
    """Judge a record with the checkers of today and write verdicts and exit code; raises RecordError, HarnessError."""
    basis = basis_of(record)
    info = record.info
    verdicts = judged(record.path, info, basis)
    failed = str(info.facts.get("failed", ""))
    opened = RunRecord(record.path, info)
    opened.save_verdicts(verdicts)
    opened.update(exit_code=code_of(verdicts.results, basis, void=info.void, failed=failed, today=_day_of(info)))
    return verdicts


def _day_of(info: RunInfo) -> date:
    """The day of the run: judged again with the same checkers it ends as it did; the gate asks what is due today."""
    return date.fromisoformat((info.ended_at or info.started_at)[:10])


def _scripts(path: Path) -> Mapping[str, str]:
    """Return the replay command of each clause that the run saved a failing script for."""
    found = {clause.id: find_script(path, clause.id) for clause in CLAUSES}
    return {clause: command("replay", str(script)) for clause, script in found.items() if script is not None}
