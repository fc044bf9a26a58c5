"""The kill matrix is written whole, and what no mutant proves may only shrink."""

from pathlib import Path

from harness.mutants.catalog import MUTANTS
from harness.mutants.matrix import (
    UNPROVEN_CHECKERS_MAX,
    UNPROVEN_CLAUSES_MAX,
    Kill,
    Matrix,
    in_markdown,
    read_matrix,
    unproven_checkers,
    unproven_clauses,
    write_matrix,
)

DROPS = Kill("drops", "drops one", ("RT-PUSH-1",), {"RT-PUSH-1": 3, "RT-PREFIX-1": 2}, 10, 1, 0.25)
CANARY = Kill("canary", "says all twice", ("RT-PREFIX-2",), {"RT-PREFIX-2": 1}, 1, 1, 0.1)
SURVIVOR = Kill("survivor", "hides", ("RT-TIME-1",), {}, 10, None, None)
MATRIX = Matrix((DROPS,), CANARY, 100, {}, (), ("stale",), 0, 10, ("RT-TIME-1",), ("pong",))


def test_what_no_mutant_proves_is_no_more_than_was_committed() -> None:
    assert len(unproven_clauses()) == UNPROVEN_CLAUSES_MAX, "it may only fall; when it fell, lower the number"
    assert len(unproven_checkers()) == UNPROVEN_CHECKERS_MAX, "it may only fall; when it fell, lower the number"


def test_what_a_mutant_names_is_proven() -> None:
    named = {clause for mutant in MUTANTS for clause in mutant.killed_by}
    assert named
    assert not named & set(unproven_clauses())


def test_the_matrix_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    data, text = write_matrix(MATRIX, tmp_path / "run")
    assert read_matrix(data) == MATRIX
    assert text.read_text(encoding="utf-8") == in_markdown(MATRIX)


def test_the_page_tells_kills_survivors_and_what_is_unproven() -> None:
    page = in_markdown(Matrix((DROPS, SURVIVOR), CANARY, 100, {"RT-TIME-1": 2}, (), (), 0, 10, ("A-1",), ("pong",)))
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {rows[0].count("|")}
    assert "| drops | 2 |  | **3** |  | 10 | 1 | 0.25 |" in rows
    assert any(row.startswith("| survivor") and "survived" in row for row in rows)
    assert "honest histories: RT-TIME-1 2" in page
    assert "clauses no mutant breaks (1): A-1" in page
