"""What a run came to, for each combination of verdicts; gate and page say the same."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from harness.records import INTERRUPTED, read_record
from harness.verdicts import NOT_ALLOWED, ClauseResult, Status
from reports.gate import gate
from reports.outcome import repeat_of
from reports.tests.synthetic import clause, ended, good, load_summary, record, violation

HOLDS, VIOLATED, UNKNOWN, UNSUPPORTED = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN, Status.UNSUPPORTED
DAY = date(2026, 3, 1)


def results(*statuses: Status) -> list[ClauseResult]:
    return [clause(f"RT-TEST-{number}", status, why="because") for number, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("statuses", "code", "said"),
    [
        ((HOLDS, HOLDS), 0, "The contract holds: all 2 clauses in scope."),
        ((HOLDS,), 0, "all 1 clause in scope"),
        ((HOLDS, UNSUPPORTED), 0, "1 clause holds; 1 could not be judged: this server lacks their parts."),
        ((VIOLATED, HOLDS), 1, "1 clause of 2 violated: RT-TEST-0."),
        ((VIOLATED, UNKNOWN), 1, "1 clause stayed unknown."),
        ((VIOLATED,) * 6, 1, "RT-TEST-3 and 2 more."),
        ((UNKNOWN, HOLDS), 2, "Nothing was violated, but 1 clause of 2 stayed unknown."),
        ((UNKNOWN, UNSUPPORTED), 2, "1 clause of 1 stayed unknown"),
        ((UNSUPPORTED, UNSUPPORTED), 2, "Nothing was judged"),
    ],
)
def test_the_gate_follows_the_verdicts(tmp_path: Path, statuses: tuple[Status, ...], code: int, said: str) -> None:
    found, lines = gate(ended(tmp_path, results(*statuses)), DAY)

    assert found == code
    assert said in lines[0]


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (("bus", "split"), "2 could not be judged: this server lacks their parts."),
        ((f"{NOT_ALLOWED}: tasks",), "1 could not be judged: this server does not allow them."),
        (("bus", f"{NOT_ALLOWED}: tasks"), "this server lacks their parts or does not allow them."),
    ],
)
def test_what_could_not_be_judged_is_said_where_the_rest_holds(
    tmp_path: Path, reasons: tuple[str, ...], said: str
) -> None:
    lacking = [clause(f"RT-LACKS-{number}", UNSUPPORTED, why=why) for number, why in enumerate(reasons)]
    _, lines = gate(ended(tmp_path, [*results(HOLDS, HOLDS), *lacking]), DAY)

    assert lines[0].startswith("2 clauses hold; ")
    assert lines[0].endswith(said)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"judged_by": {"replay": "harness verify --seed 7"}}, "harness verify --seed 7"),
        ({"judged_by": {}}, "harness verify --depth standard"),
        ({}, "harness verify --depth standard"),
    ],
)
def test_the_command_to_repeat_a_run_has_what_was_drawn_in_it(tmp_path: Path, facts: dict[str, Any], said: str) -> None:
    info = read_record(ended(tmp_path)).info
    told = structs.replace(info, command=("harness", "verify", "--depth", "standard"), facts=facts)

    assert repeat_of(told) == said


@pytest.mark.parametrize(
    ("finish", "code", "said"),
    [
        ({"exit_code": 3, "void": "checker 'folds' failed"}, 3, "The harness could not do its work"),
        ({"exit_code": 2, "void": "the canary passed"}, 2, "void and says nothing of the target. the canary passed"),
        ({"exit_code": 2, "complete": False}, 2, "incomplete"),
        (None, 2, "incomplete"),
        ({"exit_code": 1}, 0, "The contract holds"),
    ],
)
def test_what_voids_a_run_comes_before_its_verdicts(
    tmp_path: Path, finish: dict[str, Any] | None, code: int, said: str
) -> None:
    found, lines = gate(record(tmp_path, good(), finish=finish), DAY)

    assert found == code
    assert said in lines[0]


@pytest.mark.parametrize(
    ("ledger", "void", "code", "said"),
    [
        ({"expected": 9, "received": 9}, [], 0, "The contract holds"),
        ({"expected": 9, "received": 7, "lost": 2}, [], 1, "Under load pushes went astray: 2 lost."),
        ({"expected": 9, "received": 8, "doubled": 1, "foreign": 4}, [], 1, "astray: 1 doubled, 4 foreign."),
        ({"expected": 9, "received": 7, "lost": 2}, ["the generator lagged"], 0, "The contract holds"),
    ],
)
def test_what_a_load_lost_is_a_violation_unless_the_load_does_not_count(
    tmp_path: Path, ledger: dict[str, int], void: list[str], code: int, said: str
) -> None:
    found, lines = gate(ended(tmp_path, load=load_summary(ledger=ledger, void=void)), DAY)

    assert (found, said in lines[0]) == (code, True)


def test_an_interrupted_run_is_told_in_one_line_beside_what_it_saw_violated(tmp_path: Path) -> None:
    finish = {"exit_code": 2, "complete": False, "void": INTERRUPTED}
    found, lines = gate(record(tmp_path, results(HOLDS, UNKNOWN, UNKNOWN, VIOLATED), finish=finish), DAY)

    assert found == 2
    assert lines[0].startswith("This run was interrupted: it says nothing for certain.")
    assert lines[0].endswith("Of the clauses in scope until then: 1 violated, 1 held, 2 not decided.")
    assert lines[1:] == ["violated RT-TEST-3  because"]


def test_a_run_that_was_never_judged_is_not_green(tmp_path: Path) -> None:
    code, lines = gate(ended(tmp_path, None), DAY)

    assert (code, "not judged" in lines[0]) == (2, True)


@pytest.mark.parametrize(("day", "code"), [(date(2026, 3, 31), 0), (date(2026, 4, 1), 1), (date(2026, 4, 2), 1)])
def test_a_known_violation_counts_from_its_date_on(tmp_path: Path, day: date, code: int) -> None:
    known = clause("RT-PREFIX-1", VIOLATED, violations=(violation(),), known="issue 12 (until 2026-04-01)")

    found, lines = gate(ended(tmp_path, [clause("SEC-OWNER-1"), known]), day)

    assert found == code
    assert lines[1].startswith("known " if code == 0 else "violated RT-PREFIX-1")


def test_a_violation_is_told_with_its_replay_command(tmp_path: Path) -> None:
    broken = clause("RT-PREFIX-1", VIOLATED, violations=(violation(),), why="message 3 is missing")

    _, lines = gate(ended(tmp_path, [broken]), DAY)

    assert lines[1] == f"violated RT-PREFIX-1  message 3 is missing  replay: {violation().replay}"


@pytest.mark.parametrize("content", ["", "{", '{"format": 99, "results": []}'])
def test_a_record_that_can_not_be_read_is_3_in_one_line(tmp_path: Path, content: str) -> None:
    run_dir = ended(tmp_path)
    (run_dir / "verdicts.json").write_text(content)

    code, lines = gate(run_dir, DAY)

    assert (code, len(lines)) == (3, 1)


def test_no_record_at_all_is_3(tmp_path: Path) -> None:
    code, lines = gate(tmp_path / "nothing", DAY)

    assert (code, "no run record" in lines[0]) == (3, True)
