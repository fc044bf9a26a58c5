"""Checkers: bounded folds over a history, one family of clauses each.

What lives here: pure code that takes events in merged order and gives verdicts on clauses. What never does: I/O,
clocks, chance, or anything that acts on a target. A checker says `unknown` where the order of events of different
recorders can't be decided, and never `holds` of what nobody exercised.

To add one: write a module with a `Fold` (tally.py), name its clauses, put it into `CHECKERS`, and give it a table of
tiny hand-written histories in `tests/test_<module>.py`: valid, invalid, undecidable. Two tests watch: every clause
has a checker or a reason in `UNJUDGED`, and every checker answers for each of its clauses, every time.

Run: `python -m pytest harness/checkers`; on a record: `harness report RUN --rejudge`.

What the recorders write is said in `harness.history.Event`; what a family reads beyond that stands in its module:
`cases` (expectations of a row), `sockets` (how connections are named), `endings`, `restart`, `backoff`, `browser`,
`pages`, `latency`.
"""

from collections.abc import Callable
from typing import Final

from harness.checkers.answers import Answers
from harness.checkers.backoff import Backoff
from harness.checkers.base import Checker
from harness.checkers.browser import Browser
from harness.checkers.cases import Cases
from harness.checkers.coherence import Coherence
from harness.checkers.delivery import Delivery
from harness.checkers.endings import Endings
from harness.checkers.errors import Errors
from harness.checkers.exposition import Exposition
from harness.checkers.fleet import Fleet
from harness.checkers.frames import Frames
from harness.checkers.identity import Identity
from harness.checkers.isolation import Isolation
from harness.checkers.latency import Latency
from harness.checkers.lifecycle import Lifecycle
from harness.checkers.outcomes import Outcomes
from harness.checkers.pages import Pages
from harness.checkers.pong import Pong
from harness.checkers.prefix import Prefix
from harness.checkers.resources import Resources
from harness.checkers.restart import Restart
from harness.checkers.schema import Schema
from harness.checkers.steering import Steering

CHECKERS: Final[tuple[Callable[[], Checker], ...]] = (
    Answers,
    Errors,
    Identity,
    Exposition,
    Cases,
    Resources,
    Schema,
    Frames,
    Prefix,
    Delivery,
    Isolation,
    Lifecycle,
    Steering,
    Outcomes,
    Coherence,
    Fleet,
    Pong,
    Endings,
    Restart,
    Backoff,
    Browser,
    Pages,
    Latency,
)

UNJUDGED: Final[tuple[tuple[str, str], ...]] = ()
"""Clauses that no checker judges yet, each with its reason; this list may only shrink."""

__all__ = ["CHECKERS", "UNJUDGED"]
