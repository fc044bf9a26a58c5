"""Others are measured beside each kind, and the hub's figures held to what was held, opened and read."""

import pytest

from harness.bench import held as held_measure
from harness.bench import hostile as hostile_measure
from harness.bench.bars import BARS
from harness.bench.held import held
from harness.bench.hostile import differences, hostile
from harness.bench.hostile_kinds import KINDS, KINDS_BY_NAME, Kind
from harness.bench.latency import Count
from harness.bench.ledger import Tally
from harness.bench.load import Count as LoadCount
from harness.bench.measures import MEASURES
from harness.bench.misdeeds import Count as PeersCount
from harness.bench.setting import Setting
from reference_server.contract.models import SocketFigures

SETTING = Setting(0.2, frozenset(), frozenset())
EXACT = SocketFigures(200, 212, 1_250, 0, 0)


def counted() -> Count:
    published = LoadCount(100, 1.0, 1.0, 2.0, {"200": 100}, 0.5)
    return Count(1.0, 100, 1.0, 2.0, 3.0, 0.1, Tally(0, 0, 0, 0, 0), published, None, 200, 1_200, 0, 0, None, [])


def test_figures_that_agree_differ_in_nothing() -> None:
    assert differences(KINDS[0], EXACT, counted(), [PeersCount(0, 38), PeersCount(12, 12)]) == [
        "slow_consumers_closed 0, expected 12"
    ]
    assert differences(KINDS[1], EXACT, counted(), [PeersCount(0, 38), PeersCount(12, 12)]) == []


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        (SocketFigures(201, 212, 1_250, 0, 0), "current_connections 201, expected 200"),
        (SocketFigures(200, 213, 1_250, 0, 0), "total_connections 213, expected 212"),
        (SocketFigures(200, 212, 1_249, 0, 0), "messages_sent 1,249, expected 1,250"),
        (SocketFigures(200, 212, 1_250, 1, 0), "slow_consumers_closed 1, expected 0"),
        (SocketFigures(200, 212, 1_250, 0, 1), "invalid_messages 1, expected 0"),
    ],
)
def test_a_figure_that_is_off_is_named(figures: SocketFigures, said: str) -> None:
    assert differences(KINDS_BY_NAME["idle"], figures, counted(), [PeersCount(12, 50)]) == [said]


@pytest.mark.parametrize("name", ["connect_storm", "connect_rate", "directed", "directed_rate", "held", "hostile"])
def test_the_measure_is_on_the_menu(name: str) -> None:
    assert name in MEASURES


def test_too_few_files_leave_each_bar_a_row_that_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (held_measure, hostile_measure):
        monkeypatch.setattr(module, "file_limit", lambda: 1)
    figures = [*held(SETTING), *hostile(SETTING)]

    assert [one.name for one in figures] == [bar.name for bar in BARS if bar.name.startswith(("held", "hostile"))]
    assert all(one.value is None and one.note for one in figures)


def test_what_breaks_beside_one_kind_leaves_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile_measure, "KINDS", (Kind("no such kind", "nobody", 1, 1),))
    monkeypatch.setattr(hostile_measure, "QUIET_S", 0.0)
    monkeypatch.setattr(hostile_measure, "PEER_ACCOUNTS", 1)

    assert [one.value for one in hostile(SETTING)] == [None, None, None]


def test_others_are_measured_beside_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile_measure, "KINDS", (Kind("cycles", "a few", 20, 10, per_s=200),))
    monkeypatch.setattr(hostile_measure, "QUIET_S", 0.1)
    monkeypatch.setattr(hostile_measure, "OTHERS", 5)
    monkeypatch.setattr(hostile_measure, "PEER_ACCOUNTS", 5)
    felt, memory, stats = hostile(SETTING)

    assert felt.value is not None
    assert felt.value > 0
    assert "20 ended with 1000" in felt.note
    assert (memory.value is None) == ("no /proc" in memory.note)
    assert stats.value == 0, stats.note
