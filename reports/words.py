"""The words that page, summary and JUnit share: families by name, a violation's five facts, figures for people."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from markupsafe import Markup

from harness.verdicts import ClauseResult, Status, Violation

FAMILIES: Final[dict[str, str]] = {
    "REST": "REST operations",
    "SEC": "Security",
    "TASK": "Task lifecycle",
    "RT": "Realtime messages",
    "LIVE": "Liveness of connections",
    "CLIENT": "Browser client",
    "PAGE": "Pages",
    "PERF": "Budgets",
}
"""The families of the registry and what they are called; one unknown here is shown under its own name, last."""

NEEDS: Final[dict[str, str]] = {
    "tap": "a tap on what the server accepts",
    "steer": "tasks whose course the caller can steer",
    "short_ttl": "a server with tokens of a short life",
    "process": "a server process to stop and start",
    "admin": "an administrator's account",
    "exclusive": "a target that nobody else uses meanwhile",
    "browser": "a browser",
    "clock": "the target's clock",
    "profile-changes": "changes of one's profile",
    "avatars": "avatars",
    "api-keys": "API keys",
    "uploads": "uploads of agents",
    "deployments": "deployments",
    "results": "status and result of a task",
    "metrics": "metrics of the process",
    "split": "pages that are served apart from the API",
    "bus": "a message bus between several server processes",
    "landing-page": "the landing page",
    "agents-page": "the page of agents",
    "agent-page": "the page of one agent",
    "tasks-page": "the page of tasks",
    "analytics-page": "the page of analytics",
    "settings-page": "the page of settings",
    "keys-page": "the page of API keys",
    "load-steps": "load in rising steps",
}
"""What a clause may need of a target, for people; a verdict names it by its word in the registry."""

GRANTS: Final[dict[str, str]] = {
    "accounts": "making accounts",
    "tasks": "submitting tasks",
    "agents": "registering agents",
    "deployments": "deploying agents",
    "keys": "making API keys",
    "publish": "publishing to others",
    "flood": "more requests than its limits",
    "connections": "many connections",
    "faults": "injected faults",
}
"""What a target may allow, for people."""

TIERS: Final[dict[str, str]] = {"t0": "simulated, on virtual time", "t2": "a process, over real sockets"}
TARGETS: Final[dict[str, str]] = {"local": "the reference server, started for this run"}
SEPARATOR: Final = ": "

LEDGER: Final[dict[str, str]] = {
    "expected": "pushes that the connections had to get",
    "received": "of them, pushes that came",
    "lost": "pushes that never came",
    "doubled": "pushes that came more than once",
    "undecided": "pushes whose fate can't be told, since the connection or the answer was lost",
    "foreign": "pushes that were meant for somebody else",
    "frames": "messages read in all",
    "submitted": "tasks accepted",
    "ended": "of them, tasks that ended",
    "failed": "of them, tasks that ended as failed",
    "unfinished": "pushes of tasks still at work when their user left",
    "unreadable": "messages that lack what tells whose they are",
}
"""What the ledger of a load run counts."""

SERIES: Final[dict[str, str]] = {
    "loop_lag": "generator's own delay",
    "delivery_response": "delivery, waiting included",
    "submit_response": "submit, waiting included",
    "ended": "task ended",
    "running": "task running",
}
"""Series of a load run whose name alone does not say what they are."""

QUANTILES: Final = ("p50", "p95", "p99", "max")
_CLAUSE_ID: Final = re.compile(r"\b([A-Z]+(?:-[A-Z0-9]+)+)\b")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def family_of(result: ClauseResult) -> str:
    """Return the part of the clause's id before the first dash."""
    return result.id.partition("-")[0]


def by_family(results: Iterable[ClauseResult]) -> list[tuple[str, list[ClauseResult]]]:
    """Return the results grouped by family, families in the registry's order."""
    groups: dict[str, list[ClauseResult]] = {}
    for result in results:
        groups.setdefault(family_of(result), []).append(result)
    known = [name for name in FAMILIES if name in groups]
    return [(name, groups[name]) for name in (*known, *sorted(groups.keys() - set(known)))]


def five_facts(result: ClauseResult) -> list[str]:
    """Return each violation as the text that goes into a bug report."""
    return [told(result, violation) for violation in result.violations]


def told(result: ClauseResult, violation: Violation) -> str:
    """Return one violation's five facts: what, clause, evidence, faults, replay."""
    return "\n".join(
        (
            f"violated: {violation.what}",
            f"  clause    {result.id}  {result.text} ({result.section})",
            f"  evidence  {'; '.join(violation.evidence) or 'none cited'}",
            f"  faults    {', '.join(violation.faults) or 'none active'}",
            f"  replay    {violation.replay or 'no script was saved'}",
        )
    )


def why_of(result: ClauseResult) -> str:
    """Return why a clause fared so, for people."""
    return why_unsupported(result.why) if result.status is Status.UNSUPPORTED else result.why


def why_unsupported(why: str) -> str:
    """Return why a clause can't be judged here as a phrase: what the target lacks, or what it does not allow."""
    if why in NEEDS:
        return f"lacks {NEEDS[why]}"
    _, separator, grant = why.partition(SEPARATOR)
    name, _, number_at_once = grant.partition(":")
    if not separator or name not in GRANTS:
        return why
    return f"does not allow {number_at_once or GRANTS[name]}{' connections at once' if number_at_once else ''}"


def measured(figures: Mapping[str, float]) -> str:
    """Return figures as `p95 12.3 ms, max 40 ms`.

    A unit stands after the last underscore; quantiles are milliseconds (the `latency` checker). The count is left out:
    it has a column of its own.
    """
    return ", ".join(_figure(name, value) for name, value in figures.items() if name != "count")


def number(value: float) -> str:
    """Return a number with thin spaces between thousands and at most three significant decimals."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace(",", "\u202f")
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}".replace(",", "\u202f")


def part(name: str) -> str:
    """Return the name of a side history for people: `t0-hello` was played on virtual time."""
    simulated = name.removeprefix("t0-")
    return name if simulated == name else f"{simulated}, simulated"


def count(value: float, noun: str) -> str:
    """Return how many there are: `1 connection`, `1 204 connections`."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def seconds(value: float) -> str:
    """Return a duration: `0.42 s`, `12.3 s`, `3 min 04 s`."""
    if value < 60:
        return f"{value:.3g} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def unbroken(text: str) -> Markup:
    """Return text as HTML in which no line ends inside a clause's id."""
    parts = _CLAUSE_ID.split(text)
    return Markup("").join(
        Markup('<span class="whole">{}</span>').format(part) if _CLAUSE_ID.fullmatch(part) else part for part in parts
    )


def xml_text(text: str) -> str:
    """Return text that XML can carry: what it has no place for becomes U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def _figure(name: str, value: float) -> str:
    if name in QUANTILES:
        return f"{name} {number(value)} ms"
    if name == "fan_out":
        return f"each push to {count(value, 'connection')}"
    if name == "bytes":
        return f"{number(value)} bytes"
    words, _, unit = name.rpartition("_")
    if words and unit in ("ms", "s", "bytes", "kib"):
        return f"{words.replace('_', ' ')} {number(value)} {'KiB' if unit == 'kib' else unit}"
    return f"{name.replace('_', ' ')} {number(value)}"
