"""What the server did wrong misses a bar, what was not put on or not timed leaves no figure."""

import pytest

from harness.bench.bars import Figure
from harness.bench.findings import LAG_MS_MAX, Findings, of_load, of_rate, of_statuses, of_tally
from harness.bench.ledger import Tally
from harness.bench.load import LOST, Count
from harness.bench.report import WAITED_MAX

FIGURE = Figure("directed", 3.0, note="as it was")


def test_a_figure_against_which_nothing_stands_is_as_it_was() -> None:
    assert Findings().on(FIGURE) == FIGURE


def test_a_fault_leaves_the_value_and_is_told() -> None:
    assert Findings(("a", "b")).on(FIGURE) == Figure("directed", 3.0, note="as it was", fault="a; b")


def test_what_was_not_measured_leaves_no_value() -> None:
    assert Findings(unmeasured=("c",)).on(FIGURE) == Figure("directed", None, note="c; as it was")


def test_findings_add_up() -> None:
    assert Findings(("a",)) + Findings(("b",), ("c",)) == Findings(("a", "b"), ("c",))


@pytest.mark.parametrize(
    ("statuses", "faults"),
    [
        ({"200": 9, "202": 1}, ()),
        ({"200": 9, "503": 1_000, LOST: 2}, ("1,000 calls x 503", "2 calls x lost")),
        ({}, ()),
    ],
)
def test_answers_that_are_no_success_are_faults(statuses: dict[str, int], faults: tuple[str, ...]) -> None:
    assert of_statuses("calls", statuses) == Findings(faults)


@pytest.mark.parametrize(
    ("tally", "faults"),
    [
        (Tally(4, 4, 0, 0, 0), ()),
        (Tally(4, 3, 1, 0, 0), ("LOST 1, DOUBLED 0, FOREIGN 0",)),
        (Tally(4, 5, 0, 1, 0), ("LOST 0, DOUBLED 1, FOREIGN 0",)),
        (Tally(4, 4, 1, 1, 0), ("LOST 1, DOUBLED 1, FOREIGN 0",)),
        (Tally(4, 4, 0, 0, 2), ("LOST 0, DOUBLED 0, FOREIGN 2",)),
    ],
)
def test_a_ledger_that_is_not_balanced_is_a_fault(tally: Tally, faults: tuple[str, ...]) -> None:
    assert of_tally(tally) == Findings(faults)


SHORT = "988 calls of 1,000 due"


@pytest.mark.parametrize(
    ("done", "lag_ms", "waited", "found"),
    [
        (1_000, 0.0, 0.0, Findings()),
        (989, 0.0, 0.0, Findings()),
        (988, LAG_MS_MAX, WAITED_MAX, Findings((SHORT,))),
        (988, 0.0, None, Findings((SHORT,))),
        (988, LAG_MS_MAX + 1, 0.0, Findings(unmeasured=(f"{SHORT}, and the load client was late itself",))),
        (988, None, 0.0, Findings(unmeasured=(f"{SHORT}, and the load client was late itself",))),
        (988, 0.0, 0.3, Findings(unmeasured=(f"{SHORT}, and the server waited 30% of the time for its core",))),
    ],
)
def test_a_rate_that_was_not_reached_is_the_server_s_fault_unless_it_or_its_client_had_no_core(
    done: int, lag_ms: float | None, waited: float | None, found: Findings
) -> None:
    assert of_rate("calls", done, 1_000.0, lag_ms, waited) == found


def load(answers: int, **statuses: int) -> Count:
    return Count(
        answers, 2.0, 1.0, 2.0, {status[1:]: number for status, number in statuses.items()}, 0.5, 0.0, 0.1, 100.0
    )


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (load(200, s200=200), Findings()),
        (load(200, s503=200), Findings(("200 calls x 503",))),
        (load(100, s200=100), Findings(("100 calls of 200 due",))),
        (load(0), Findings(("0 calls of 200 due",), ("no calls answered",))),
    ],
)
def test_a_load_is_held_to_its_answers_and_its_rate(count: Count, found: Findings) -> None:
    assert of_load("calls", count) == found
