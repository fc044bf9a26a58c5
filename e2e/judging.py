"""Judge what the browser tests recorded, when nobody else will: a session without a run record of its own."""

from typing import Final

from e2e.runs import Run
from harness.checkers.base import RunFacts
from harness.history import read_history
from harness.judge import Judgement, Scope, judge
from harness.targets.profiles import OWN
from harness.verdicts import ClauseResult, Status
from reference_server.contract.clauses import CLAUSES

BROWSER_CLAUSES: Final = tuple(clause.id for clause in CLAUSES if "browser" in clause.needs)


def judged(run: Run) -> Judgement:
    """Return what the record says of the clauses that need a browser; raises HarnessError when a checker raises."""
    facts = RunFacts(seed=run.seed, depth="thorough", target="browser")
    return judge(read_history(run.history_folder), facts, scope=Scope("thorough", BROWSER_CLAUSES), capabilities=OWN)


def judged_lines(run: Run) -> tuple[list[str], bool]:
    """Return the judgement in lines for a terminal, and whether anything was violated."""
    results = judged(run).results
    lines = [line for result in results for line in _told(result)]
    return [f"clauses judged from {run.folder}:", *lines], any(_is_violated(result) for result in results)


def _told(result: ClauseResult) -> list[str]:
    head = f"  {result.status.value:<11} {result.id:<20} {result.checked:>4} checked  {result.why}".rstrip()
    return [head, *(f"      {found.what}  [{', '.join(found.evidence)}]" for found in result.violations)]


def _is_violated(result: ClauseResult) -> bool:
    return result.status is Status.VIOLATED
