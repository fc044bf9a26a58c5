"""A run whose generator was the bottleneck, or that can't account for every message, does not count."""

from pathlib import Path
from typing import Any

import pytest

from loadtests.histogram import Histogram
from loadtests.ledger import Sums
from loadtests.plan import LoadScenario, Plan
from loadtests.recording import CONNECT, DELIVERY, LOOP_LAG, SUBMIT, Sample, Series, read_samples, write_sample
from loadtests.runner import EXIT_OK, EXIT_VIOLATED, EXIT_VOID, exit_code, set_aside, summarised, table, write_summary
from loadtests.validity import LOOP_LAG_P99_MS_MAX, ServerCounters, check, offered_tasks

MS = 1_000_000
SCENARIO = LoadScenario(name="quiet", summary="a task a second")
LEDGER = Sums(expected=360, received=360, frames=380, submitted=120, ended=120)
COUNTERS = ServerCounters(messages_sent=380, connections=20)


def plan(**changes: Any) -> Plan:
    given: dict[str, Any] = {"scenario": SCENARIO, "users": 20, "duration_s": 6.0, "target_url": "http://127.0.0.1:1"}
    return Plan(**{**given, "run_dir": ".", "run": "r", "seed": 1, **changes})


def series(name: str, count: int, value_ms: float = 1) -> Series:
    histogram = Histogram()
    for _ in range(count):
        histogram.add(int(value_ms * MS))
    return Series(name, histogram.data())


def sample(**changes: Any) -> Sample:
    rows: dict[str, Series | None] = {
        CONNECT: series(CONNECT, 20),
        DELIVERY: series(DELIVERY, 120),
        SUBMIT: series(SUBMIT, 120),
    }
    rows = {**rows, LOOP_LAG: series(LOOP_LAG, 600), **changes.pop("rows", {})}
    given: dict[str, Any] = {"ledgers": {"u": LEDGER}, "users_asked": 20, "users_ready": 20, "measured_s": 6.0}
    kept = tuple(row for row in rows.values() if row is not None)
    return Sample(recorder="worker-1", series=kept, **{**given, **changes})


def test_a_run_in_order_counts() -> None:
    assert check(plan(), [sample()], COUNTERS) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": {LOOP_LAG: series(LOOP_LAG, 600, LOOP_LAG_P99_MS_MAX + 1)}}, "loop was late by 26"),
        ({"rows": {LOOP_LAG: None}}, "was not watched"),
        ({"rows": {DELIVERY: series(DELIVERY, 99)}}, "99 values of delivery, expected 100"),
        ({"rows": {CONNECT: None}}, "0 values of connect"),
        ({"rows": {SUBMIT: series(SUBMIT, 113)}}, "113 of 120 tasks"),
        ({"users_ready": 19, "faults": {"register answered 503": 1}}, "19 of 20 users were ready: register answered"),
        ({"ledgers": {"u": Sums(expected=3, received=2, frames=380)}}, "does not balance"),
        ({"ledgers": {"u": Sums(expected=360, received=360, frames=379)}}, "the server sent 380 messages"),
        ({"ledgers": {"u": Sums(undecided=3, frames=380)}}, "3 pushes are undecided"),
    ],
)
def test_a_run_that_can_not_be_trusted_is_void_and_says_why(changes: dict[str, Any], said: str) -> None:
    found = check(plan(), [sample(**changes)], COUNTERS)

    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(("received", "told"), [(0, "no push could be read: "), (9, "60 messages could not be read: ")])
def test_what_could_not_be_read_is_told_instead_of_what_follows_from_it(received: int, told: str) -> None:
    unread = Sums(expected=received, received=received, undecided=60, unreadable=60, frames=380)
    found = check(plan(), [sample(ledgers={"u": unread}, rows={DELIVERY: None})], COUNTERS)

    assert found[0].startswith(told)
    assert "RT-SCHEMA-1" in found[0]
    assert not [why for why in found if "values of delivery" in why or "undecided" in why]


def test_no_sample_at_all_is_void() -> None:
    assert check(plan(), [], COUNTERS) == ["no process left a sample: Locust ended before its users did"]


def test_messages_known_to_be_lost_reconcile_with_the_server() -> None:
    lost = Sums(expected=360, received=358, lost=2, frames=378)

    assert check(plan(), [sample(ledgers={"u": lost})], COUNTERS) == []


def test_a_shared_target_is_not_reconciled() -> None:
    assert check(plan(), [sample(ledgers={"u": Sums(frames=5)})], None) == []


@pytest.mark.parametrize(
    ("users", "duration_s", "period_s", "offered"),
    [(1, 1.0, 1.0, 1), (1, 1.5, 1.0, 2), (2, 1.0, 1.0, 2), (2, 0.25, 1.0, 1), (20, 6.0, 1.0, 120), (3, 1.0, 0.5, 6)],
)
def test_the_tasks_offered_are_those_of_the_schedule(
    users: int, duration_s: float, period_s: float, offered: int
) -> None:
    scenario = LoadScenario(name="n", summary="s", period_s=period_s)

    assert offered_tasks(plan(users=users, duration_s=duration_s, scenario=scenario)) == offered


@pytest.mark.parametrize(
    ("ledger", "counters", "expected"),
    [
        (LEDGER, COUNTERS, EXIT_OK),
        (Sums(expected=360, received=359, lost=1, frames=379), COUNTERS, EXIT_VIOLATED),
        (Sums(expected=360, received=359, doubled=1, frames=381), ServerCounters(381, 20), EXIT_VIOLATED),
        (Sums(expected=360, received=360, foreign=1, frames=381), ServerCounters(381, 20), EXIT_VIOLATED),
        (Sums(expected=360, received=359, lost=1, frames=300), COUNTERS, EXIT_VIOLATED),
        (Sums(expected=360, received=360, unreadable=1, frames=380), COUNTERS, EXIT_VIOLATED),
        (Sums(expected=360, received=360, frames=300), COUNTERS, EXIT_VOID),
    ],
)
def test_what_went_astray_counts_in_a_void_run_too(
    tmp_path: Path, ledger: Sums, counters: ServerCounters, expected: int
) -> None:
    write_sample(tmp_path, sample(ledgers={"u": ledger}))

    summary = summarised(plan(run_dir=str(tmp_path)), counters)

    assert exit_code(summary) == expected
    assert any(line.startswith("ledger: expected 360") for line in table(summary))


def test_a_target_that_died_under_the_load_voids_the_run(tmp_path: Path) -> None:
    write_sample(tmp_path, sample())

    summary = summarised(plan(run_dir=str(tmp_path)), None, ["after the load it does not answer"])

    assert (exit_code(summary), summary.void) == (EXIT_VOID, ("after the load it does not answer",))


def test_a_void_attempt_is_set_aside_and_nothing_of_it_is_deleted(tmp_path: Path) -> None:
    write_sample(tmp_path, sample())
    write_summary(tmp_path, summarised(plan(run_dir=str(tmp_path)), COUNTERS))

    set_aside(tmp_path, 1)

    assert read_samples(tmp_path) == []
    kept = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert kept == ["void-1-load.json", "void-1-worker-1.json"]
