"""The list of mutants is whole: each names clauses and checkers that exist, and breaks what it says."""

from pathlib import Path

import pytest

from harness.checkers import CHECKERS
from harness.faults import FAULTS
from harness.mutants.__main__ import main, spoiled_pages
from harness.mutants.catalog import BY_NAME, CANARY, MUTANTS
from harness.mutants.model import Mutant
from harness.mutants.pages import HONEST_LINE, ROW, stale_badge
from harness.mutants.parts import HONEST
from reference_server.app import PAGES
from reference_server.contract.clauses import CLAUSES_BY_ID


@pytest.mark.parametrize("mutant", [*MUTANTS, CANARY], ids=lambda mutant: mutant.name)
def test_a_mutant_names_clauses_and_checkers_that_exist(mutant: Mutant) -> None:
    checkers = [make() for make in CHECKERS]
    judging = {clause for checker in checkers if checker.name in mutant.checkers for clause in checker.clauses}

    assert set(mutant.killed_by) <= set(CLAUSES_BY_ID)
    assert set(mutant.killed_by) <= judging
    assert mutant.parts != HONEST


def test_no_two_mutants_share_a_name_and_the_canary_is_not_among_them() -> None:
    assert len(BY_NAME) == len(MUTANTS) + 1
    assert CANARY not in MUTANTS


def test_every_fault_has_its_mutant_and_the_other_way_round() -> None:
    needed = {mutant.needs_fault: mutant.name for mutant in MUTANTS if mutant.needs_fault}

    assert needed == {fault.name: fault.shown_by for fault in FAULTS}


def test_a_stale_badge_changes_one_file_only(tmp_path: Path) -> None:
    folder = spoiled_pages(tmp_path / "pages", stale_badge)

    served = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    changed = {name for name in served if (folder / name).read_bytes() != (PAGES / name).read_bytes()}
    assert changed == {ROW}


def test_a_page_mutant_that_would_break_nothing_says_so() -> None:
    with pytest.raises(ValueError, match=r"has no line"):
        stale_badge(ROW, "export const rewritten = true;")
    assert stale_badge("css/base.css", HONEST_LINE) == HONEST_LINE


def test_an_unknown_mutant_is_one_line_and_exit_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stale_bagde"]) == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert line == "harness.mutants: unknown mutant 'stale_bagde'; did you mean 'stale_badge'?"
