"""The words that page, summary and JUnit share: families by name, a violation's five facts, figures for people."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from harness.verdicts import ClauseResult, Violation

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

QUANTILES: Final = ("p50", "p95", "p99", "max")
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


def seconds(value: float) -> str:
    """Return a duration: `0.42 s`, `12.3 s`, `3 min 04 s`."""
    if value < 60:
        return f"{value:.3g} s"
    return f"{int(value // 60)} min {int(value % 60):02d} s"


def xml_text(text: str) -> str:
    """Return text that XML can carry: what it has no place for becomes U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def _figure(name: str, value: float) -> str:
    if name in QUANTILES:
        return f"{name} {number(value)} ms"
    if name == "bytes":
        return f"{number(value)} bytes"
    words, _, unit = name.rpartition("_")
    if words and unit in ("ms", "s", "bytes", "kib"):
        return f"{words.replace('_', ' ')} {number(value)} {'KiB' if unit == 'kib' else unit}"
    return f"{name.replace('_', ' ')} {number(value)}"
