"""A run has several histories: one for each server it drove. Each is judged by itself, then clauses are combined.

Two servers share no accounts, no tap and no clock of messages, so their events must not be folded into one order. The
main history lies in `history/`, a side one in `history/<group>/`, a browser's in `history/browser*.jsonl`, a load's in
`history/worker-*.jsonl`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from harness.checkers.base import RunFacts
from harness.checkers.tally import LAG_SERIES
from harness.history import Event, FileSink, read_history
from harness.judge import Judgement, Known, Scope, judge
from harness.records import Verdicts
from harness.targets.base import Capabilities
from harness.verdicts import WEIGHT, ClauseResult, Status
from harness.verify.ledger import with_ledger

MAIN: Final = "main"
WORKERS: Final = "virtual users"
"""Not the name of any folder: the server that a load is put on has a history of its own in `history/load/`."""
LOAD_RECORDERS: Final = "worker-"
TIMED: Final = ("PERF-P1", "PERF-P2")
"""Budgets of time: measured by the load alone, since every other part shares its processor with something."""
BROWSER: Final = "browser"
SIMULATED: Final = "t0-"
"""How the names of histories on virtual time begin."""


def group_sink(run_dir: Path, group: str, recorder: str) -> FileSink:
    """Return the sink of a recorder; its events carry `recorder_name(group, recorder)`."""
    folder = run_dir / "history"
    return FileSink(folder if group == MAIN else folder / group, recorder)


def recorder_name(group: str, recorder: str) -> str:
    """Return how evidence cites a recorder: it leads to its file."""
    return recorder if group == MAIN else f"{group}/{recorder}"


def read_groups(run_dir: Path) -> dict[str, list[Event]]:
    """Return the events of each history that holds any, in merged order; raises ValueError for a broken line."""
    folder = run_dir / "history"
    here = list(read_history(folder))
    found: dict[str, list[Event]] = {MAIN: [], BROWSER: [], WORKERS: []}
    for event in here:
        found[_group_of(event.recorder)].append(event)
    for side in sorted(path for path in folder.iterdir() if path.is_dir()):
        found[side.name] = list(read_history(side))
    return {name: events for name, events in found.items() if events}


def until(groups: Mapping[str, Sequence[Event]], cut_ns: int | None) -> dict[str, Sequence[Event]]:
    """Return the histories as they were when a run was cut short: what came after, our own cleaning up has caused.

    So a wait that we gave up is one that was not waited out, and a connection that ended with us was not ended by the
    target. Histories on virtual time are whole. None cuts nothing.
    """
    if cut_ns is None:
        return dict(groups)
    return {
        name: events if name.startswith(SIMULATED) else list(_before(events, cut_ns)) for name, events in groups.items()
    }


def _before(events: Iterable[Event], cut_ns: int) -> Iterator[Event]:
    for event in events:
        if event.at_ns <= cut_ns:
            yield event
        elif event.kind == "sample" and event.data.get("series") == LAG_SERIES:
            # How long we stood still is told at the end of a part, and excuses what was seen before.
            yield msgspec.structs.replace(event, at_ns=cut_ns)


def _group_of(recorder: str) -> str:
    if recorder.startswith(LOAD_RECORDERS):
        return WORKERS
    return BROWSER if recorder.startswith(BROWSER) else MAIN


def judge_groups(
    groups: Mapping[str, Sequence[Event]],
    facts: RunFacts,
    *,
    scope: Scope,
    capabilities: Capabilities | None,
    known: Sequence[Known] = (),
    scripts: Mapping[str, str] | None = None,
) -> Verdicts:
    """Judge every history and combine the results; raises HarnessError when a checker fails.

    `scripts` has the command that shows a violation of a clause again on virtual time, wherever it was seen.
    """
    judged = [
        _of_its_own(
            name,
            judge(events, facts_of(facts, events), scope=scope, capabilities=capabilities, known=known),
            scripts or {},
        )
        for name, events in (groups or {MAIN: []}).items()
    ]
    return with_ledger(combined(judged), groups.get(WORKERS, ()), facts, known)


def _of_its_own(name: str, judgement: Judgement, scripts: Mapping[str, str]) -> Judgement:
    if name == WORKERS:
        return judgement
    judgement = _replayed_by(judgement, scripts)
    results = tuple(
        msgspec.structs.replace(
            result, status=Status.UNKNOWN, why="no load was put on the target", violations=(), figures={}, checked=0
        )
        if result.id in TIMED and result.status is not Status.UNSUPPORTED
        else result
        for result in judgement.results
    )
    return msgspec.structs.replace(judgement, results=results)


def _replayed_by(judgement: Judgement, scripts: Mapping[str, str]) -> Judgement:
    """A script shows the same clause in a second where the whole run would take minutes."""
    results = tuple(
        msgspec.structs.replace(
            result,
            violations=tuple(
                msgspec.structs.replace(violation, replay=scripts.get(result.id, violation.replay))
                for violation in result.violations
            ),
        )
        for result in judgement.results
    )
    return msgspec.structs.replace(judgement, results=results)


def without_timing(verdicts: Verdicts, why: str) -> Verdicts:
    """Return the verdicts with the budgets of time unknown: the generator was too busy to measure them."""
    results = tuple(
        msgspec.structs.replace(result, status=Status.UNKNOWN, why=why, violations=())
        if result.id in TIMED and result.status is not Status.UNSUPPORTED
        else result
        for result in verdicts.results
    )
    return msgspec.structs.replace(verdicts, results=results)


def facts_of(facts: RunFacts, events: Iterable[Event]) -> RunFacts:
    """Return what may be known of one history: whether a tap was read beside it."""
    return msgspec.structs.replace(facts, has_tap=any(event.kind == "accepted" for event in events))


def combined(judged: Sequence[Judgement]) -> Verdicts:
    """Return one result a clause: the heaviest of its verdicts, with the evidence of all."""
    first = judged[0]
    results = tuple(_one([judgement.results[index] for judgement in judged]) for index in range(len(first.results)))
    return Verdicts(results=results, out_of_scope=first.out_of_scope, held_by_project_tests=first.held_by_project_tests)


def _one(results: Sequence[ClauseResult]) -> ClauseResult:
    heaviest = max(results, key=lambda result: WEIGHT[result.status])
    figures = {name: figure for result in results for name, figure in result.figures.items()}
    return msgspec.structs.replace(
        heaviest,
        checked=sum(result.checked for result in results),
        checkers=tuple(sorted({name for result in results for name in result.checkers})),
        violations=tuple(violation for result in results for violation in result.violations),
        figures=figures,
    )
