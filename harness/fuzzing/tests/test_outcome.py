"""What a run is judged by: statuses, and how many operations reached success."""

from harness.fuzzing.outcome import Outcome
from reference_server.contract.operations import OPERATIONS


def test_only_successes_of_rows_count_as_reached() -> None:
    outcome = Outcome()
    for name, status in [("health", 200), ("login", 401), ("submit_task", 202), ("no_row", 200), ("ws_connect", 101)]:
        outcome.count(name, status)
    outcome.findings.add(("login", "UndefinedStatusCode"))

    assert outcome.reached == {"health", "submit_task"}
    assert outcome.reached_share == 2 / len(OPERATIONS)
    assert outcome.verdict().startswith(f"1 finding; 2 of {len(OPERATIONS)} operations reached 2xx")
    assert "login" in outcome.verdict()


def test_every_operation_has_a_line_with_what_came_and_what_never_did() -> None:
    outcome = Outcome()
    for status in (200, 200, 500):
        outcome.count("health", status)
    lines = list(outcome.table())

    assert len(lines) == len(OPERATIONS)
    (health,) = [line.split() for line in lines if line.startswith("health ")]
    assert health == ["health", "200:", "2", "500:", "1", "(never", "503)"]
    assert sum("never asked" in line for line in lines) == len(OPERATIONS) - 1
