"""The table says of each figure what was found, what is asked, and whether that is met."""

import json
from pathlib import Path

import pytest

from harness.bench.bars import BARS, Figure
from harness.bench.machine import Machine
from harness.bench.report import COLUMNS, Noise, Report, table, verdict, write

BY_NAME = {bar.name: bar for bar in BARS}
MACHINE = Machine("3.11.7", {"uvloop": "0.23.0", "picows": None}, "Linux 6.1", 2)


def report(*figures: Figure, noise: Noise | None = None) -> Report:
    return Report(list(figures), noise or Noise(1.0, 1.0), MACHINE)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("submit_normal", 6_500, "met"),
        ("submit_normal", 6_499.9, "missed"),
        ("ready", 1.0, "met"),
        ("ready", 1.01, "missed"),
        ("mixed_p99", None, "-"),
        ("fan_out_to_floor", 0.75, "met"),
        ("fan_out_to_floor", 0.749, "missed"),
        ("fan_out_floor", 1.0, "reported"),
        ("fan_out_floor", None, "-"),
    ],
)
def test_a_bar_is_met_at_its_bound(name: str, value: float | None, said: str) -> None:
    assert verdict(Figure(name, value), BY_NAME[name]) == said


def test_a_row_shows_the_bar_the_cpu_time_and_the_statuses() -> None:
    figure = Figure("get_task", 12_345.6, 78.9, 1.5, 2.5, {"200": 61_728, "503": 1}, 10.5)
    _, row, noise, *_ = table(report(figure, noise=Noise(10.0, 15.0))).splitlines()

    shown = [
        "12,346",
        ">=",
        "10,000",
        "requests/s",
        "met",
        "78.90",
        "1.50",
        "2.50",
        "10.50",
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
    _, row, *_ = table(report(Figure("mixed_p99", None, note="no uploads here"))).splitlines()

    assert row.endswith("no uploads here")


def test_what_has_no_bar_is_reported() -> None:
    _, row, *_ = table(report(Figure("fan_out_floor", 176_000.0))).splitlines()

    assert row.split()[-3:] == ["176,000", "deliveries/s", "reported"]


def test_a_long_note_stands_under_its_row_and_no_line_is_too_wide() -> None:
    lines = table(report(Figure("fan_out", 136_000.0, note="a word or two; " * 30))).splitlines()

    assert max(len(line) for line in lines) <= COLUMNS
    assert lines[2].startswith("        a word or two; a word")


def test_the_machine_is_told() -> None:
    *_, last = table(report()).splitlines()

    assert last == "machine: Python 3.11.7, uvloop 0.23.0, picows missing; kernel Linux 6.1; 2 cores"


def test_no_two_bars_have_one_name_and_all_fit_their_column() -> None:
    assert len(BY_NAME) == len(BARS)
    assert [bar.what for bar in BARS if len(bar.what) > 51] == []


def test_the_report_is_left_as_json(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.json"
    write(report(Figure("ready", 0.5), noise=Noise(1.0, 2.0)), path)

    assert json.loads(path.read_bytes()) == {
        "figures": [{"name": "ready", "value": 0.5}],
        "noise": {"before_ms": 1.0, "after_ms": 2.0},
        "machine": {
            "python": "3.11.7",
            "libraries": {"uvloop": "0.23.0", "picows": None},
            "kernel": "Linux 6.1",
            "cores": 2,
        },
    }
