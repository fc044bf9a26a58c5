"""The table says of each figure what was found, what is asked, and whether that is met."""

import json
from pathlib import Path

import pytest

from harness.bench.bars import BARS, Figure
from harness.bench.report import Noise, Report, table, verdict, write

BY_NAME = {bar.name: bar for bar in BARS}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("submit_normal", 6_500, "met"),
        ("submit_normal", 6_499.9, "missed"),
        ("ready", 1.0, "met"),
        ("ready", 1.01, "missed"),
        ("mixed_p99", None, "-"),
    ],
)
def test_a_bar_is_met_at_its_bound(name: str, value: float | None, said: str) -> None:
    assert verdict(Figure(name, value), BY_NAME[name]) == said


def test_a_row_shows_the_bar_the_cpu_time_and_the_statuses() -> None:
    figure = Figure("get_task", 12_345.6, 78.9, 1.5, 2.5, {"200": 61_728, "503": 1})
    _, row, noise = table(Report([figure], Noise(10.0, 15.0))).splitlines()

    shown = [
        "12,346",
        ">=",
        "10,000",
        "requests/s",
        "met",
        "78.90",
        "1.50",
        "2.50",
        "61,728",
        "x",
        "200,",
        "1",
        "x",
        "503",
    ]
    assert row.split()[2:] == shown
    assert "ratio 1.50" in noise


def test_what_was_not_measured_says_why() -> None:
    (_, row, _) = table(Report([Figure("mixed_p99", None, note="no uploads here")], Noise(1, 1))).splitlines()

    assert row.endswith("no uploads here")


def test_the_report_is_left_as_json(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.json"
    write(Report([Figure("ready", 0.5)], Noise(1.0, 2.0)), path)

    assert json.loads(path.read_bytes()) == {
        "figures": [{"name": "ready", "value": 0.5}],
        "noise": {"before_ms": 1.0, "after_ms": 2.0},
    }
