"""Lists stand in columns, name first, and say what a stranger would ask."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from harness.mutants.matrix import Kill, Matrix
from harness.verify.listing import LISTED, in_columns, killed


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([], []),
        ([("a", "b")], ["a  b"]),
        ([("long name", "x", "1"), ("b", "longer", "22")], ["long name  x       1", "b          longer  22"]),
        ([("only",), ("a", "b")], ["only", "a  b"]),
    ],
)
def test_cells_stand_under_each_other(rows: Sequence[Sequence[str]], lines: list[str]) -> None:
    assert list(in_columns(rows)) == lines


@pytest.mark.parametrize("what", ["clauses", "scenarios", "faults", "mutants"])
def test_a_name_is_never_run_into_what_follows_it(what: str) -> None:
    lines = [line for line in LISTED[what]() if not line.startswith("#")]

    assert lines
    assert [line for line in lines if not re.match(r"\S+  +\S", line)] == []


def test_clauses_have_a_head_say_what_a_section_is_and_name_a_need_once() -> None:
    told, head, *lines = LISTED["clauses"]()

    assert "sections of the contract" in told
    assert head.split()[:5] == ["#", "clause", "kind", "reach", "depth"]
    wants = [re.split("  +", line)[4].split(",") for line in lines]
    assert [names for names in wants if len(set(names)) < len(names)] == []


def test_profiles_say_what_a_profile_is_and_show_one() -> None:
    told = "\n".join(LISTED["profiles"]())

    assert "--target FILE.toml" in told
    assert 'api = "https://' in told


def matrix(**changes: Any) -> Matrix:
    kill = Kill("drops", "drops a message", ("RT-PUSH-1",), {"RT-PUSH-1": 1}, 2, 1, 0.25)
    given: dict[str, Any] = {
        "kills": (kill, msgspec.structs.replace(kill, mutant="a_mutant_of_a_long_name", seeds_to_detect=None)),
        "canary": kill,
        "honest_histories": 2,
        "false_alarms": {},
        "idle_faults": (),
        "not_at_this_tier": ("stale",),
        **changes,
    }
    return Matrix(**given)


def test_the_matrix_ends_with_a_line_that_counts() -> None:
    *rows, last = killed(matrix())

    assert [row.split()[0] for row in rows] == ["drops", "a_mutant_of_a_long_name", "stale"]
    assert "SURVIVED" in rows[1]
    assert last == "1 killed, 1 survived, 1 not at this tier, 0 false alarms"


def test_a_fault_that_proves_nothing_and_a_void_matrix_are_told() -> None:
    canary = msgspec.structs.replace(matrix().canary, seeds_to_detect=None)
    lines = list(killed(matrix(idle_faults=("cut",), canary=canary)))

    assert "fault cut proves nothing: its mutant does not need it" in lines
    assert "void: the canary passed" in lines
