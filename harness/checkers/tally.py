"""What every checker keeps: facts judged, the first violations, and the faults active when they happened.

A recorder that measures how long its own loop stood still records `sample {series: "loop_lag", unit: "ms", max}`. A
time that misses its bound by less than the worst of these says nothing of the target, and is undecided.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct, structs

from harness.checkers.base import RunFacts
from harness.history import Event
from harness.verdicts import Status, Verdict, Violation, judged

VIOLATIONS_KEPT_MAX: Final = 20
"""Of one clause and checker; the rest are counted in `violations_found`."""

HEALED: Final = ("healed", "quiet", "end")
"""The phases from which on no fault is active: a cut is never healed by itself."""


LAG_SERIES: Final = "loop_lag"


class _Late(Struct, frozen=True):
    """A time out of its bounds, kept until all stalls of the harness are known."""

    over_ms: float
    violation: Violation


class _Account(Struct):
    checked: int = 0
    found: int = 0
    kept: list[Violation] = []
    undecided: str = ""
    figures: dict[str, float] = {}


class Tally:
    """Counts per clause; turns them into verdicts: violated, holds if anything was checked, else unknown."""

    def __init__(self, checker: str, clauses: Iterable[str], run: RunFacts) -> None:
        self._checker = checker
        self._run = run
        self._accounts = {clause: _Account() for clause in clauses}
        self.faults: dict[str, Event] = {}
        self._late: dict[str, list[_Late]] = {}
        self._stall_ms = 0.0

    def see(self, event: Event) -> None:
        """Keep the book of active faults."""
        if event.kind == "phase" and event.data.get("name") in HEALED:
            self.faults.clear()
        if event.kind == "sample" and event.data.get("series") == LAG_SERIES:
            worst = event.data.get("max", 0)
            self._stall_ms = max(self._stall_ms, worst if isinstance(worst, (int, float)) else 0)
        if event.kind != "fault":
            return
        name = str(event.data.get("name", "fault"))
        if event.data.get("action") == "inject":
            self.faults[name] = event
        elif event.data.get("action") == "heal":
            self.faults.pop(name, None)

    def judge(self, clause: str, holds: bool, what: str, *evidence: Event) -> None:
        """Count one fact; when it does not hold, `what` (a lower-case sentence) is the violation."""
        account = self._accounts[clause]
        account.checked += 1
        if holds:
            return
        self._keep(clause, self._violation(what, evidence))

    def judge_time(self, clause: str, over_ms: float, what: str, *evidence: Event) -> None:
        """Count a time that misses its bounds by `over_ms` (0 or less: it holds), unless the harness itself stalled."""
        if over_ms <= 0:
            self.judge(clause, True, what)
            return
        # The worst are kept: what no stall explains must not be crowded out by what one does.
        late = self._late.setdefault(clause, [])
        late.append(_Late(over_ms, self._violation(what, evidence)))
        if len(late) > VIOLATIONS_KEPT_MAX:
            late.remove(min(late, key=lambda found: found.over_ms))

    def _violation(self, what: str, evidence: tuple[Event, ...]) -> Violation:
        refs = tuple(event.ref for event in evidence)
        return Violation(what, refs, tuple(sorted(self.faults)), self._run.replay)

    def _keep(self, clause: str, violation: Violation) -> None:
        account = self._accounts[clause]
        account.found += 1
        if len(account.kept) < VIOLATIONS_KEPT_MAX:
            account.kept.append(violation)

    def undecided(self, clause: str, why: str) -> None:
        """Remember why a fact could not be judged; it is told only when nothing could."""
        self._accounts[clause].undecided = self._accounts[clause].undecided or why

    def figure(self, clause: str, **figures: float) -> None:
        """Put measured figures beside a clause's verdict."""
        self._accounts[clause].figures.update(figures)

    def verdicts(self) -> list[Verdict]:
        """Return one verdict for each clause, in their order."""
        for clause, late in ((clause, found) for clause, kept in self._late.items() for found in kept):
            if late.over_ms < self._stall_ms:
                self.undecided(clause, f"the harness stood still for {self._stall_ms:.0f} ms: {late.violation.what}")
            else:
                self._accounts[clause].checked += 1
                self._keep(clause, late.violation)
        self._late.clear()
        return [self._verdict(clause, account) for clause, account in self._accounts.items()]

    def _verdict(self, clause: str, account: _Account) -> Verdict:
        verdict = judged(clause, self._checker, account.checked, account.kept, account.undecided)
        figures = dict(account.figures)
        if account.found > len(account.kept):
            figures["violations_found"] = float(account.found)
        if verdict.status is Status.HOLDS and account.undecided:
            verdict = structs.replace(verdict, why=f"some was not decidable: {account.undecided}")
        return structs.replace(verdict, figures=figures)


class Fold:
    """The frame of a checker: subclasses say `name`, `clauses`, and fill `begin`, `take` and `end`."""

    name: str = ""
    clauses: tuple[str, ...] = ()
    live: bool = False

    def __init__(self) -> None:
        self.start(RunFacts())

    def start(self, run: RunFacts) -> None:
        """Begin a history."""
        self.run = run
        self.tally = Tally(self.name, self.clauses, run)
        self.begin()

    def step(self, event: Event) -> None:
        """Take the next event."""
        self.tally.see(event)
        self.take(event)

    def finish(self) -> list[Verdict]:
        """Return one verdict for each of `clauses`."""
        self.end()
        return self.tally.verdicts()

    def begin(self) -> None:
        """Forget everything."""

    def take(self, event: Event) -> None:
        """Fold one event in."""

    def end(self) -> None:
        """Judge what only the end of the history decides."""
