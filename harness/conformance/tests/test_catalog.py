"""No clause of the registry is forgotten, and no row speaks of a clause that nobody judges."""

import ast
import inspect
from pathlib import Path

import pytest

from harness.checkers.cased import CASED
from harness.conformance.catalog import (
    ACTS,
    JUDGED_BESIDE,
    PARTS,
    ROWS,
    clauses_of,
    exercised,
    from_outside,
)
from harness.conformance.suite import Act
from reference_server.contract.clauses import CLAUSES_BY_ID
from scenarios.catalog import SCENARIOS

E2E = Path(__file__).parents[3] / "e2e"
ROWS_ALL = [row for rows in ROWS.values() for row in rows]


def test_every_clause_that_can_be_judged_from_outside_is_exercised_by_some_part() -> None:
    assert from_outside() - exercised().keys() == frozenset()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_exercises_clauses_that_exist_and_can_be_judged(part: str) -> None:
    assert clauses_of(part)
    assert clauses_of(part) <= from_outside()


def test_every_row_has_a_name_of_its_own_and_a_clause_that_rows_may_speak_of() -> None:
    names = [f"{row.clause}/{row.name}" for row in ROWS_ALL]

    assert sorted(names) == sorted(set(names))
    assert {row.clause for row in ROWS_ALL} <= set(CASED)


def test_every_act_names_clauses_and_says_in_its_docstring_which() -> None:
    acts = [act for some in ACTS.values() for act in some]

    assert len({act.name for act in acts}) == len(acts)
    for act in acts:
        assert set(act.clauses) <= CLAUSES_BY_ID.keys()
        assert act.clauses[0].rpartition("-")[0] in (act.play.__doc__ or ""), act.name


def _marked() -> set[str]:
    """Return the clauses that tests of the browser are marked with."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in E2E.glob("test_*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    marks = [call for call in calls if ast.unparse(call.func) == "pytest.mark.clauses"]
    return {str(ast.literal_eval(argument)) for mark in marks for argument in mark.args}


def test_the_browser_part_answers_for_what_its_tests_are_marked_with() -> None:
    assert _marked()
    assert _marked() <= clauses_of("browser")


def _registers(act: Act) -> bool:
    """Say whether an act makes accounts: it asks for somebody of its own, or posts to register."""
    source = inspect.getsource(act.play)
    unconditional = [line for line in source.splitlines() if 'stage.has("accounts")' not in line]
    return any("stage.newcomer(" in line or '"register"' in line for line in unconditional)


def wants(part: str, clause: str) -> list[set[str]]:
    """Return what each way to exercise a clause in a part takes; one of them must be enough."""
    match part:
        case "scenario":
            return [set(scenario.grants) for scenario in SCENARIOS]
        case "load":
            return [{"accounts", "tasks", "connections"}]
        case "browser":
            return [{"accounts"}]
        case _:
            acts = [act for act in ACTS.get(part, ()) if clause in act.clauses]
            return [{"accounts"} if _registers(act) else set() for act in acts] + [
                set() for row in ROWS.get(part, ()) if row.clause == clause
            ]


@pytest.mark.parametrize("clause", sorted(from_outside() - JUDGED_BESIDE))
def test_a_clause_wants_the_grants_of_what_exercises_it(clause: str) -> None:
    needs, grants = set(CLAUSES_BY_ID[clause].needs), set(CLAUSES_BY_ID[clause].grants)
    ways = [way for part in exercised()[clause] for way in wants(part, clause)]

    assert "process" in needs or any(way <= grants for way in ways), ways
