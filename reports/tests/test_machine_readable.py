"""`junit.xml` and `summary.md`: every verdict in its place, hostile text as text."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.verdicts import Status
from reports import junit, summary
from reports.tests.synthetic import HOSTILE, clause, ended, good, load_summary, record, violation

CLAUSES = [
    clause("REST-AUTH-1"),
    clause("TASK-FINAL-1", Status.VIOLATED, violations=(violation(),), why="running after completed"),
    clause("TASK-MOVE-1", Status.VIOLATED, violations=(violation(),), why="w", known="issue 3 (until 2026-04-01)"),
    clause("RT-SLOW-1", Status.UNKNOWN, why="nobody was slow"),
    clause("SEC-LIMIT-1", Status.UNSUPPORTED, why="not allowed: flood"),
]


def parsed(run_dir: Path) -> ET.Element:
    return ET.fromstring(junit.write(run_dir).read_bytes())


def test_each_verdict_has_its_junit_form(tmp_path: Path) -> None:
    root = parsed(ended(tmp_path, CLAUSES))

    cases = {case.get("name", "").split()[0]: [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {
        "REST-AUTH-1": [],
        "TASK-FINAL-1": ["failure"],
        "TASK-MOVE-1": ["skipped"],
        "RT-SLOW-1": ["error"],
        "SEC-LIMIT-1": ["skipped"],
    }


def test_families_are_suites_and_their_counts_add_up(tmp_path: Path) -> None:
    root = parsed(ended(tmp_path, CLAUSES))

    assert [suite.get("name") for suite in root] == ["REST", "SEC", "TASK", "RT"]
    for count in ("tests", "failures", "errors", "skipped"):
        assert sum(int(suite.get(count, "")) for suite in root) == int(root.get(count, ""))
    assert [root.get(count) for count in ("tests", "failures", "errors", "skipped")] == ["5", "1", "1", "2"]


def test_a_failure_carries_the_five_facts(tmp_path: Path) -> None:
    failure = next(parsed(ended(tmp_path, CLAUSES)).iter("failure"))

    assert failure.get("message") == "running after completed"
    lines = (failure.text or "").splitlines()
    assert [line.split()[0] for line in lines] == ["violated:", "clause", "evidence", "faults", "replay"]


def test_a_run_that_does_not_count_is_an_error_of_its_own(tmp_path: Path) -> None:
    root = parsed(record(tmp_path, good(), finish={"exit_code": 2, "void": "the canary passed"}))

    error = next(root.iter("error"))
    assert "the canary passed" in (error.get("message") or "")
    assert root.get("errors") == "1"


def test_what_a_load_lost_is_a_failure_of_the_run(tmp_path: Path) -> None:
    root = parsed(ended(tmp_path, load=load_summary()))

    assert [failure.get("message") for failure in root.iter("failure")] == ["Under load pushes went astray: 1 lost."]
    assert (root.get("failures"), root[0].get("failures")) == ("1", "1")


def test_a_record_without_verdicts_gives_a_document_with_an_error(tmp_path: Path) -> None:
    assert [error.tag for error in parsed(record(tmp_path, None)).iter("error")] == ["error"]


def test_hostile_text_leaves_the_xml_well_formed(tmp_path: Path) -> None:
    broken = clause("RT-X-1", Status.VIOLATED, text=HOSTILE, why=HOSTILE, violations=(violation(HOSTILE),))

    case = next(parsed(ended(tmp_path, [broken])).iter("testcase"))

    assert "<script>" in (case.get("name") or "")


def told(run_dir: Path) -> str:
    return summary.write(run_dir).read_text(encoding="utf-8")


def test_the_summary_begins_with_the_verdict(tmp_path: Path) -> None:
    assert told(ended(tmp_path)).startswith("## ✅ The contract holds: all 9 clauses in scope.\n")


def test_the_summary_has_a_row_for_each_family_and_budget(tmp_path: Path) -> None:
    text = told(ended(tmp_path))

    assert "| Realtime messages | 1 | 0 | 0 | 0 |" in text
    assert "| p95 11.4 ms, limit 100 ms | 42 | holds |" in text


def test_the_summary_names_violations_and_what_stayed_unknown(tmp_path: Path) -> None:
    text = told(ended(tmp_path, CLAUSES))

    assert "    violated: connection c1 received running after completed\n" in text
    assert "- `RT-SLOW-1` what RT\\-SLOW\\-1 promises: nobody was slow".replace("\\-", "-") in text
    assert "Again: `harness verify --seed 7`" in text


def test_hostile_text_is_no_markup_in_the_summary(tmp_path: Path) -> None:
    what = f"{HOSTILE}\n# heading\n```\n<img>"
    broken = clause("RT-X-1", Status.VIOLATED, violations=(violation(what),))
    unknown = clause("PERF-P1", Status.UNKNOWN, text=HOSTILE, why=what)

    lines = told(ended(tmp_path, [broken, unknown], target="http://h/`x`")).splitlines()

    outside = [line for line in lines if not line.startswith("    ")]
    assert [line for line in outside if "<script>" in line.replace("\\<", "")] == []
    assert [line for line in outside if line.startswith(("# ", "```"))] == []
    assert any("`` http://h/`x` ``" in line for line in outside)


@pytest.mark.parametrize("write", [junit.write, summary.write])
def test_the_same_record_gives_the_same_bytes(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    run_dir = ended(tmp_path, CLAUSES)

    assert write(run_dir).read_bytes() == write(run_dir).read_bytes()
