"""`summary.md`: the run in Markdown, for the page that a CI system shows beside a job.

What comes from a target is text: it stands in code spans or with Markdown's own marks escaped.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.records import RunInfo, Verdicts, read_record
from harness.verdicts import ClauseResult, Level, Status
from reports.load import losses_of, read_load
from reports.outcome import Outcome, day_of, outcome_of, read_verdicts, repeat_of, with_status
from reports.words import FAMILIES, by_family, family_of, five_facts, measured, why_of

MARKS: Final[dict[Level, str]] = {
    Level.HOLDS: "✅",
    Level.VIOLATED: "❌",
    Level.UNKNOWN: "❔",
    Level.VOID: "⚠️",
    Level.FAILED: "💥",
}
VIOLATIONS_SHOWN_MAX: Final = 20
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>()#|!~])")


def write(run_dir: Path) -> Path:
    """Write `summary.md` into the record and return its path; raises RecordError."""
    record = read_record(run_dir)
    verdicts = read_verdicts(record)
    path = run_dir / "summary.md"
    outcome = outcome_of(record.info, verdicts, day_of(record.info), losses_of(read_load(record)))
    path.write_text(summary(record.info, verdicts, outcome), encoding="utf-8")
    return path


def summary(info: RunInfo, verdicts: Verdicts | None, outcome: Outcome) -> str:
    """Return the whole text."""
    results = verdicts.results if verdicts is not None else ()
    parts = [
        *_head(info, outcome),
        *_families(results),
        *_budgets(results),
        *_violations(results),
        *_reasons("Unknown", with_status(results, Status.UNKNOWN)),
        *_reasons("Unsupported", with_status(results, Status.UNSUPPORTED)),
        f"Again: {code(repeat_of(info))}",
    ]
    return "\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text in which nothing is Markdown, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Return text as a code span, whatever backticks it has."""
    text = " ".join(text.split())
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _head(info: RunInfo, outcome: Outcome) -> list[str]:
    scope = f"depth {info.depth}" + (f", only {', '.join(info.only)}" if info.only else "")
    return [
        f"## {MARKS[outcome.level]} {escaped(outcome.sentence)}",
        "",
        *([escaped(outcome.why), ""] if outcome.why else []),
        f"Target {code(info.target or 'none')} · seed {code(str(info.seed))} · {escaped(scope)}",
        "",
    ]


def _families(results: Sequence[ClauseResult]) -> list[str]:
    if not results:
        return []
    rows = ["| clauses | holds | violated | unknown | unsupported |", "|---|--:|--:|--:|--:|"]
    for family, members in by_family(results):
        counts = (len(with_status(members, status)) for status in _COLUMNS)
        rows.append(f"| {escaped(FAMILIES.get(family, family))} | {' | '.join(str(count) for count in counts)} |")
    return [*rows, ""]


_COLUMNS: Final = (Status.HOLDS, Status.VIOLATED, Status.UNKNOWN, Status.UNSUPPORTED)


def _budgets(results: Sequence[ClauseResult]) -> list[str]:
    budgets = [result for result in results if family_of(result) == "PERF"]
    if not budgets:
        return []
    rows = ["### Budgets", "", "| claim | measured | n | verdict |", "|---|---|--:|---|"]
    for result in budgets:
        shown = measured(result.figures) or why_of(result) or "not measured"
        count = int(result.figures.get("count", result.checked))
        rows.append(f"| {escaped(result.text)} | {escaped(shown)} | {count} | {result.status.value} |")
    return [*rows, ""]


def _violations(results: Sequence[ClauseResult]) -> list[str]:
    texts = [text for result in with_status(results, Status.VIOLATED) for text in five_facts(result)]
    if not texts:
        return []
    lines = ["### Violations", ""]
    for text in texts[:VIOLATIONS_SHOWN_MAX]:
        # An indented block has no fence that a hostile text could close.
        lines += [*(f"    {line}" for line in text.splitlines()), ""]
    more = len(texts) - VIOLATIONS_SHOWN_MAX
    return [*lines, *([f"{more} more stand in `verdicts.json`.", ""] if more > 0 else [])]


def _reasons(title: str, results: Sequence[ClauseResult]) -> list[str]:
    if not results:
        return []
    rows = [f"- {code(result.id)} {escaped(result.text)}: {escaped(why_of(result))}" for result in results]
    return [f"<details><summary>{title}: {len(results)}</summary>", "", *rows, "", "</details>", ""]
