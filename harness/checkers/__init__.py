"""Checkers: bounded folds over a history, one family of clauses each.

What lives here: pure code that takes events in merged order and gives verdicts on clauses. What never does: I/O,
clocks, chance, or anything that acts on a target. A checker says `unknown` where the order of events of different
recorders can't be decided, and never `holds` of what nobody exercised.

To add one: write a module with a `Fold` (tally.py), name its clauses, put it into `CHECKERS`, and give it a table of
tiny hand-written histories in `tests/test_<module>.py`: valid, invalid, undecidable. Two tests watch: every clause
has a checker or a reason in `UNJUDGED`, and every checker answers for each of its clauses, every time.

Run: `python -m pytest harness/checkers`; on a record: `harness report RUN --rejudge`.

What the recorders write is said in `harness.history.Event`; what a family reads beyond that stands in its module:
`cases` (expectations of a row), `sockets` (how connections are named), `endings`, `browser`, `latency`.
"""

from typing import Final

from harness.checkers.answers import Answers
from harness.checkers.cases import Cases
from harness.checkers.isolation import Isolation
from harness.checkers.prefix import Prefix
from harness.checkers.schema import Schema
from harness.checkers.tally import Fold

CHECKERS: Final[tuple[type[Fold], ...]] = (
    Answers,
    Cases,
    Schema,
    Prefix,
    Isolation,
)

UNJUDGED: Final[tuple[tuple[str, str], ...]] = ()
"""Clauses that no checker judges yet, each with its reason; this list may only shrink."""

__all__ = ["CHECKERS", "UNJUDGED"]
