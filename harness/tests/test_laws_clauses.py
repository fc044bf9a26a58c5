"""What the registry says of the project is true: a white-box clause is held by tests that are there."""

import ast
from functools import cache
from pathlib import Path

import pytest

from harness.tests.source_tree import PROJECT_ROOT
from reference_server.contract.clauses import CLAUSES, CLAUSES_BY_ID

HELD = sorted({test for clause in CLAUSES for test in clause.held_by})
CLAUSES_MIN = 240
"""May only grow: a sentence of the contract stays a clause."""


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


@pytest.mark.parametrize("test", HELD)
def test_what_holds_a_clause_is_a_test_of_the_project(test: str) -> None:
    path, _, name = test.partition("::")

    assert Path(path).name.startswith("test_")
    assert name in names_in(PROJECT_ROOT / path)


def test_no_clause_is_lost() -> None:
    assert len(CLAUSES_BY_ID) >= CLAUSES_MIN
