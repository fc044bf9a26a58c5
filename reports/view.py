"""What the page shows, as values in the reader's order; the template only lays them out.

Everything comes from one record. A part that the record lacks is absent, and the page says so where a reader would ask.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from markupsafe import Markup

from harness.records import ReadRecord, RecordError, RunInfo, Verdicts
from harness.verdicts import ClauseResult, Level, Status, Violation
from reports import charts, load, words
from reports.outcome import Outcome, day_of, excused, outcome_of, read_verdicts, repeat_of, script_of, with_status
from reports.pictures import Gallery, galleries
from reports.timeline import Evidence, History, Line

VIOLATIONS_SHOWN_MAX: Final = 5
BUDGETS: Final = "PERF"
P2_LIMIT_MS: Final = 50
PHASES_SHOWN_MAX: Final = 6
PAGES: Final = "browser"
"""The kind of recorder of which every numbered one is a page."""
_NUMBERED: Final = re.compile(r"-\d+$")


class Fact(NamedTuple):
    """A row of `can you trust this run`: what was asked, what was found, and whether that is as it should be.

    `details` are what the text sums up, for whoever opens them.
    """

    name: str
    text: str
    good: bool | None = None
    details: tuple[str, ...] = ()


class Figure(NamedTuple):
    """A headline figure."""

    name: str
    value: str
    note: str = ""


class ShownViolation(NamedTuple):
    """A violation with the history around what it cites."""

    violation: Violation
    lines: list[Line]
    missing: list[str]
    chart: Markup
    text: str


class ShownClause(NamedTuple):
    """A clause with what the page says of it; `n` counts the measurements of a budget, the facts of any other."""

    result: ClauseResult
    why: str
    measured: str
    n: int
    known: bool
    violations: list[ShownViolation]
    left_out: int
    script: str


class Family(NamedTuple):
    """The clauses of one family; `bar` shows how they fared."""

    id: str
    name: str
    clauses: list[ShownClause]
    counts: list[tuple[str, int]]
    told: str
    bar: Markup


class Chart(NamedTuple):
    """A chart with its title and the sentence that says what it is made of."""

    title: str
    svg: Markup
    note: str


class View(NamedTuple):
    """The whole page."""

    info: RunInfo
    outcome: Outcome
    verdicts: Verdicts | None
    trust: list[Fact]
    figures: list[Figure]
    counts: list[tuple[str, int]]
    bar: Markup
    budgets: list[ShownClause]
    violated: list[ShownClause]
    families: list[Family]
    charts: list[Chart]
    load: load.Load | None
    galleries: list[Gallery]
    environment: list[Fact]
    command: str
    notes: list[str]


def view_of(record: ReadRecord) -> View:
    """Return what to show of a record; raises RecordError when its verdicts can't be read."""
    info, verdicts = record.info, read_verdicts(record)
    notes: list[str] = []
    history, *sides = _histories(record, notes)
    evidence = Evidence([history, *sides])
    results = verdicts.results if verdicts is not None else ()
    clauses = {result.id: _clause(record, result, evidence) for result in results}
    families = [_family(name, [clauses[member.id] for member in members]) for name, members in words.by_family(results)]
    loaded = load.read_load(record)
    shown = galleries(record.files("browser", "*.jpg") + record.files("browser", "*.png"))
    return View(
        info=info,
        outcome=outcome_of(info, verdicts, day_of(info), load.losses_of(loaded)),
        verdicts=verdicts,
        trust=_trust(info, verdicts, [history, *sides], loaded),
        figures=_figures(results, [history, *sides], loaded),
        counts=_counts(results),
        bar=charts.shares(_counts(results), _told_counts(results)),
        budgets=[clause for clause in clauses.values() if words.family_of(clause.result) == BUDGETS],
        violated=[clause for clause in clauses.values() if clause.result.status is Status.VIOLATED],
        families=families,
        charts=_charts(record, [history, *sides], loaded),
        load=loaded,
        galleries=shown,
        environment=_environment(info),
        command=repeat_of(info),
        notes=notes,
    )


def _histories(record: ReadRecord, notes: list[str]) -> list[History]:
    """Return the main history and the side ones; one cut off in the middle of a line is no reason to show nothing."""
    try:
        return [History(events) for events in (record.history(), *record.side_histories())]
    except RecordError as fault:
        notes.append(f"The history can't be read, so no evidence is shown around what is cited: {fault}.")
        return [History(())]


def _clause(record: ReadRecord, result: ClauseResult, evidence: Evidence) -> ShownClause:
    shown = [_violation(result, violation, evidence) for violation in result.violations[:VIOLATIONS_SHOWN_MAX]]
    script = script_of(record, result)
    return ShownClause(
        result=result,
        why=words.why_of(result),
        measured=words.measured(result.figures),
        n=int(result.figures.get("count", result.checked)),
        known=excused(result, day_of(record.info)),
        violations=shown,
        left_out=len(result.violations) - len(shown),
        script=f"scripts/{script.name}" if script is not None else "",
    )


def _violation(result: ClauseResult, violation: Violation, evidence: Evidence) -> ShownViolation:
    spans = evidence.spans(violation.evidence)
    # One instant needs no picture of its order.
    length = max((span.start for span in spans), default=0.0)
    draw = partial(charts.timeline, spans, length, "the cited events, by recorder")
    chart = charts.fitted(draw) if length else Markup("")
    return ShownViolation(
        violation,
        evidence.lines(violation.evidence),
        evidence.missing(violation.evidence),
        chart,
        words.told(result, violation),
    )


def _family(name: str, clauses: list[ShownClause]) -> Family:
    results = [clause.result for clause in clauses]
    counts = _counts(results)
    told = " · ".join(f"{count} {status}" for status, count in counts if count)
    return Family(name, words.FAMILIES.get(name, name), clauses, counts, told, charts.shares(counts, f"{name}: {told}"))


def _counts(results: Sequence[ClauseResult]) -> list[tuple[str, int]]:
    order = (Status.VIOLATED, Status.UNKNOWN, Status.HOLDS, Status.UNSUPPORTED)
    return [(status.value, len(with_status(results, status))) for status in order]


def _told_counts(results: Sequence[ClauseResult]) -> str:
    return ", ".join(f"{count} {name}" for name, count in _counts(results))


def _trust(
    info: RunInfo, verdicts: Verdicts | None, histories: Sequence[History], loaded: load.Load | None
) -> list[Fact]:
    facts = [
        Fact("Ran to its end", "yes" if info.complete else "no: it was cut off", info.complete),
        Fact("Valid", info.void or "nothing voids it", not info.void),
        *_said(info),
        Fact("Seed", f"{info.seed}: the same seed makes the same choices again"),
        _recorders([recorder for history in histories for recorder in history.recorders]),
        *([Fact("Load", "; ".join(loaded.void) or "the generator kept up", not loaded.void)] if loaded else []),
        Fact("Scope", _scope(info, verdicts)),
    ]
    return [*facts, _unsupported(verdicts)]


def _unsupported(verdicts: Verdicts | None) -> Fact:
    name = "Not supported here"
    unjudged = with_status(verdicts.results, Status.UNSUPPORTED) if verdicts is not None else []
    if not unjudged:
        return Fact(name, "nothing: the target has and allows all that is in scope")
    reasons = Counter(words.why_of(result) for result in unjudged)
    text = (
        f"{words.count(len(unjudged), 'clause')} could not be judged, since the target lacks or does not allow a part"
    )
    return Fact(name, text, details=tuple(f"{reason}: {words.count(n, 'clause')}" for reason, n in reasons.items()))


def _recorders(counted: Sequence[tuple[str, int]]) -> Fact:
    """Sum them up by kind: the name without its side server and its number."""
    kinds: dict[str, list[tuple[str, int]]] = {}
    for name, count in counted:
        kinds.setdefault(_NUMBERED.sub("", name.rpartition("/")[2]), []).append((name, count))
    told = [_recorders_of(kind, members) for kind, members in sorted(kinds.items())]
    details = tuple(f"{name} {words.number(count)}" for name, count in counted)
    return Fact("Recorders", "; ".join(told) or "none left a history", bool(counted), details)


def _recorders_of(kind: str, members: Sequence[tuple[str, int]]) -> str:
    pages = sum(bool(_NUMBERED.search(name)) for name, _ in members) if kind == PAGES else 0
    many = f"{pages} pages, " if pages else f"{len(members)} recorders, " if len(members) > 1 else ""
    events = sum(count for _, count in members)
    return f"{kind}: {many}{words.number(events)} event{'s' * (events != 1)}"


def _said(info: RunInfo) -> list[Fact]:
    """What the runner said of itself; the canary first, since a canary that passes makes all else worthless."""
    canary = info.facts.get("canary")
    told = f"{_plain(canary)}; the harness judges a server with a planted fault first, which has to be found"
    facts = [] if canary is None else [Fact("Canary", told, "canary" not in info.void)]
    rest = sorted(
        name
        for name, value in info.facts.items()
        if name not in ("canary", "failed", "judged_by") and value not in ("", None, [], {})
    )
    return facts + [Fact(name.replace("_", " ").capitalize(), _plain(info.facts[name])) for name in rest]


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return "; ".join(_plain(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(item)}" for name, item in value.items()) or "none"
    return str(value)


def _scope(info: RunInfo, verdicts: Verdicts | None) -> str:
    parts = [f"depth {info.depth}", f"only {', '.join(info.only)}" if info.only else "every family"]
    if verdicts is not None:
        held = words.count(len(verdicts.held_by_project_tests), "clause")
        parts.append(f"{words.count(verdicts.out_of_scope, 'clause')} left to a greater depth or to other parts")
        parts.append(f"{held} out of reach from outside, held by the reference server's own tests")
    return "; ".join(parts)


def _figures(results: Sequence[ClauseResult], histories: Sequence[History], loaded: load.Load | None) -> list[Figure]:
    def count(*kinds: str) -> str:
        return words.number(sum(history.count(*kinds) for history in histories))

    figures = [
        Figure("clauses judged", str(sum(result.status is not Status.UNSUPPORTED for result in results))),
        Figure("checks made", words.number(sum(result.checked for result in results))),
        Figure("events recorded", words.number(sum(len(history.events) for history in histories))),
        Figure("REST calls", count("invoke")),
        Figure("sockets opened", count("opened")),
        Figure("messages read", count("received")),
        Figure("faults injected", words.number(sum(history.faults for history in histories))),
        Figure("longest history", words.seconds(max(history.seconds for history in histories))),
    ]
    if not sum(history.count("invoke", "opened") for history in histories):
        # A load run's history is its samples, written in one go at its end: it has no length to speak of.
        figures = figures[:2]
    shown = [figure for figure in figures if figure.value != "0" or figure.name == "clauses judged"]
    return [*shown, *(_load_figures(loaded) if loaded is not None else [])]


def _load_figures(loaded: load.Load) -> list[Figure]:
    ledger = loaded.ledger
    return [
        Figure("virtual users", words.number(loaded.users), f"{words.seconds(loaded.duration_s)} measured"),
        Figure("pushes expected", words.number(ledger.get("expected", 0)), "under load"),
        Figure("pushes lost", words.number(ledger.get("lost", 0)), "under load"),
        Figure("pushes doubled", words.number(ledger.get("doubled", 0)), "under load"),
    ]


def _charts(record: ReadRecord, histories: Sequence[History], loaded: load.Load | None) -> list[Chart]:
    main = histories[0]
    found = [_rate_chart(main, loaded), _latency_chart(record, main, loaded)]
    with_phases = [history for history in histories if history.phases()][:PHASES_SHOWN_MAX]
    return [chart for chart in (*found, *map(_phases_chart, with_phases)) if chart.svg]


def _phases_chart(history: History) -> Chart:
    title = f"Phases and faults: {words.part(history.name)}" if history.name else "Phases and faults"
    spans = history.phases()
    draw = partial(charts.timeline, spans, history.seconds, title)
    steps = ", ".join(dict.fromkeys(span.label for span in spans if span.kind == "process"))
    note = "Seconds since its first event." + (f" Dots are what became of the process: {steps}." if steps else "")
    return Chart(title, charts.fitted(draw), note)


def _rate_chart(history: History, loaded: load.Load | None) -> Chart:
    counts = {second: count for second, count in loaded.messages_per_s.items() if second >= 0} if loaded else {}
    marks = [] if counts else history.marks()
    under_load = bool(counts)
    counts = counts or history.messages_by_second()
    draw = partial(charts.rate, counts, marks, "messages read in each second", "messages / s")
    note = "Read by all clients together" + (", second by second of the load." if under_load else ".")
    return Chart("Messages per second", charts.fitted(draw), note)


def _latency_chart(record: ReadRecord, history: History, loaded: load.Load | None) -> Chart:
    if loaded is None:
        values, title = history.answer_times_ms(), "Time to a REST answer"
        limits: list[charts.Mark] = []
        figures: Mapping[str, float] = {}
    else:
        values, title = load.delivery_values_ms(record), "Delivery: from the submit to its push"
        limits = [charts.Mark(P2_LIMIT_MS, f"P2: {P2_LIMIT_MS} ms", "limit")]
        figures = loaded.figures.get(load.DELIVERY, {})
    # The figures of the table, where there is one: what is said twice must be the same.
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99} if values else {}
    marks = [charts.Mark(figures.get(name, _quantile(values, share)), name) for name, share in shares.items()]
    draw = partial(charts.distribution, charts.log_bins(values), [*marks, *limits], title)
    told = ", ".join(f"{mark.label} {words.number(mark.at)} ms" for mark in marks)
    note = f"{words.number(sum(values.values()))} values on a logarithmic axis: {told}."
    return Chart(title, charts.fitted(draw), note)


def _quantile(values: dict[float, int], share: float) -> float:
    wanted, seen = share * sum(values.values()), 0
    for value, count in sorted(values.items()):
        seen += count
        if seen >= wanted:
            return value
    return max(values)


def _environment(info: RunInfo) -> list[Fact]:
    return [
        Fact("Run", info.id),
        Fact("Target", _target(info)),
        Fact("Started", info.started_at),
        Fact("Ended", info.ended_at or "never"),
        Fact("Machine", f"{info.machine.cores} cores, {info.machine.platform}, Python {info.machine.python}"),
        Fact("Versions", ", ".join(f"{name} {version}" for name, version in sorted(info.versions.items()))),
        Fact("Exit code", "none" if info.exit_code is None else str(info.exit_code)),
    ]


def _target(info: RunInfo) -> str:
    name = words.TARGETS.get(info.target, info.target) or "none"
    return f"{name}; {words.TIERS.get(info.tier, info.tier)}" if info.tier else name


MARKS: Final[dict[Level, str]] = {
    Level.HOLDS: "✓",
    Level.VIOLATED: "✕",
    Level.UNKNOWN: "?",
    Level.VOID: "!",
    Level.FAILED: "!",
}
"""The sign of each level, since colour alone is not for everyone."""
