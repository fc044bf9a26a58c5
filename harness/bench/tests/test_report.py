"""The table says of each figure what was found, what is asked, and whether that is met."""

import json
from pathlib import Path

import pytest

from harness.bench.bars import BARS, Figure
from harness.bench.machine import Machine
from harness.bench.report import (
    COLUMNS,
    INTERRUPTED,
    ONE_CORE,
    WHAT_WIDTH,
    Circumstances,
    Noise,
    Report,
    doubts,
    line,
    prepare,
    table,
    verdict,
    write,
)

BY_NAME = {bar.name: bar for bar in BARS}
MACHINE = Machine("3.11.7", {"uvloop": "0.23.0", "picows": None}, "Linux 6.1", 2)


TWO_CORES = Circumstances("2026-01-01T00:00:00+00:00", "c0ffee", 5.0, [0], [1])
SHARED = Circumstances("2026-01-01T00:00:00+00:00", None, 5.0, [0], [0])


def report(*figures: Figure, noise: Noise | None = None, told: Circumstances = TWO_CORES) -> Report:
    return Report(list(figures), noise or Noise(1.0, 1.0), MACHINE, told)


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


@pytest.mark.parametrize(
    ("figure", "said", "why"),
    [
        (Figure("fan_out", 120_000, busy=0.9, waited=0.2), "met", ""),
        (Figure("fan_out", 90_000, busy=0.89), "undecided", "the server was not the limit: it had or wanted 89%"),
        (Figure("fan_out", 120_000, busy=0.5, waited=0.4), "met", ""),
        (Figure("fan_out_to_floor", 0.9, busy=0.89), "undecided", "the server was not the limit"),
        (Figure("fan_out", 90_000, busy=1.0, waited=0.21), "undecided", "the server waited 21% of the time"),
        (Figure("fan_out", 90_000, busy=1.0, waited=0.0), "missed", ""),
        (Figure("fan_out_floor", 90_000, busy=0.5), "reported", "the server was not the limit"),
        (Figure("directed", 51.0, lag_ms=2.0), "undecided", "2.0 ms of it may be the load client's own lag"),
        (Figure("directed", 51.0, lag_ms=0.5), "missed", ""),
        (Figure("directed", 49.0, lag_ms=30.0), "met", ""),
        (Figure("directed", None, lag_ms=30.0), "-", ""),
        (Figure("fan_out_to_floor", 0.74, rounds=[0.7, 0.74, 0.8], by_cpu=0.78), "undecided", "by CPU time, 0.78"),
        (Figure("fan_out_to_floor", 0.76, rounds=[0.7, 0.76, 0.8], by_cpu=0.71), "undecided", "by CPU time, 0.71"),
        (Figure("fan_out_to_floor", 0.74, rounds=[0.7, 0.74, 0.8], by_cpu=0.71), "missed", ""),
        (Figure("fan_out_to_floor", 0.72, rounds=[0.7, 0.72, 0.74], by_cpu=0.78), "missed", ""),
        (Figure("directed", 9.0, lag_ms=30.0, fault="2 were lost"), "missed", ""),
        (Figure("directed", None, fault="2 were lost"), "missed", ""),
        (Figure("fan_out_floor", 9.0, fault="2 were lost"), "reported", ""),
    ],
)
def test_a_verdict_is_undecided_where_what_was_disturbed_decides_it(figure: Figure, said: str, why: str) -> None:
    bar = BY_NAME[figure.name]

    assert verdict(figure, bar) == said
    assert why in "".join(doubts(figure, bar))
    assert bool(doubts(figure, bar)) == bool(why)


def test_on_one_core_no_bar_is_decided_and_the_table_says_so() -> None:
    told = table(report(Figure("ready", 0.5), Figure("ready", 2.0), told=SHARED))

    assert [row.split()[-1] for row in told.splitlines() if row.startswith("start to ready")] == ["undecided"] * 2
    assert f"{ONE_CORE}, 0: no bar is decided; two quiet cores are needed" in told.splitlines()


def test_a_row_shows_the_bar_the_cpu_time_and_the_statuses() -> None:
    figure = Figure("get_task", 12_345.6, 78.9, 1.5, 2.5, {"200": 61_728, "503": 1}, 10.5)
    told = table(report(figure, noise=Noise(10.0, 15.0)))
    _, row, note, *_ = told.splitlines()

    shown = ["12,346", ">=", "10,000", "requests/s", "met", "78.90", "1.50", "2.50", "10.50"]
    assert row.split()[2:] == shown
    assert note == "    61,728 x 200, 1 x 503"
    assert "ratio 1.50" in told


def test_what_was_not_measured_says_why() -> None:
    figure = Figure("mixed_p99", None, note="no uploads here")
    _, _, note, *_ = table(report(figure)).splitlines()

    assert note.strip() == "no uploads here"
    assert line(figure).endswith("no figure; no uploads here")


def test_what_is_counted_has_no_fraction() -> None:
    figure = Figure("hostile_idle_stats", 0)

    assert table(report(figure)).splitlines()[1].split()[-6:] == ["0", "<=", "0", "of", "5", "met"]
    assert line(figure).endswith(": 0 of 5, met")


def test_what_was_not_reached_is_counted_and_no_row() -> None:
    told = table(report(Figure("ready", 0.5), Figure("resident", None, note=INTERRUPTED)))

    assert "interrupted: 1 more rows were not measured" in told
    assert BY_NAME["resident"].what not in told


def test_what_has_no_bar_is_reported() -> None:
    _, row, *_ = table(report(Figure("fan_out_floor", 176_000.0))).splitlines()

    assert row.split()[-3:] == ["176,000", "deliveries/s", "reported"]


def test_a_long_note_stands_under_its_row_and_no_line_is_too_wide() -> None:
    lines = table(report(Figure("fan_out", 136_000.0, note="a word or two; " * 30))).splitlines()

    assert max(len(line) for line in lines) <= COLUMNS
    assert lines[2].startswith("    a word or two; a word")


def test_the_machine_is_told() -> None:
    *_, cores, last = table(report()).splitlines()

    assert cores == "server on core 0, load on 1"
    assert last == "machine: Python 3.11.7, uvloop 0.23.0, picows missing; kernel Linux 6.1; 2 cores"


def test_no_two_bars_have_one_name_and_all_fit_their_column() -> None:
    assert len(BY_NAME) == len(BARS)
    assert [bar.what for bar in BARS if len(bar.what) > WHAT_WIDTH] == []


def test_the_report_is_left_as_json_with_bars_and_circumstances(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bench.json"
    write(report(Figure("ready", 0.5), Figure("resident", None, note="no /proc"), noise=Noise(1.0, 2.0)), path)
    left = json.loads(path.read_bytes())
    ready, resident = left.pop("figures")

    assert ready == {
        "name": "ready",
        "value": 0.5,
        "what": "start to ready",
        "unit": "s",
        "bar": 1.0,
        "at_least": False,
        "verdict": "met",
        "doubts": [],
    }
    assert (resident["value"], resident["verdict"], resident["note"]) == (None, "-", "no /proc")
    assert left == {
        "noise": {"before_ms": 1.0, "after_ms": 2.0},
        "machine": {
            "python": "3.11.7",
            "libraries": {"uvloop": "0.23.0", "picows": None},
            "kernel": "Linux 6.1",
            "cores": 2,
        },
        "circumstances": {
            "date": "2026-01-01T00:00:00+00:00",
            "commit": "c0ffee",
            "seconds": 5.0,
            "server_cores": [0],
            "load_cores": [1],
        },
        "complete": True,
    }
    assert [one.name for one in path.parent.iterdir()] == ["bench.json"]


def test_where_a_report_cannot_be_written_is_said_before(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "bench.json"):
        with pytest.raises(OSError, match=r"no file|exists|directory"):
            prepare(path)
