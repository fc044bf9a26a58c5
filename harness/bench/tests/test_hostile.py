"""Others are measured beside each kind, memory behind each wave, the hub's figures held to what was read."""

import contextlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
import pytest

from harness.bench import held as held_measure
from harness.bench import hostile as hostile_measure
from harness.bench.bars import BARS, Figure
from harness.bench.clients import Ready
from harness.bench.held import held
from harness.bench.hostile import differences, hostile
from harness.bench.hostile_kinds import KINDS, KINDS_BY_NAME, Kind
from harness.bench.latency import Count
from harness.bench.ledger import Tally
from harness.bench.load import Count as LoadCount
from harness.bench.measures import MEASURES
from harness.bench.misdeeds import Count as PeersCount
from harness.bench.misdeeds import Plan as PeersPlan
from harness.bench.process import Server
from harness.bench.report import verdict
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
    monkeypatch.setattr(hostile_measure, "KINDS", (Kind("no such kind", "nobody", 1, 1, ()),))
    monkeypatch.setattr(hostile_measure, "ORDINARY_S", 0.0)
    monkeypatch.setattr(hostile_measure, "PEER_ACCOUNTS", 1)

    assert [one.value for one in hostile(SETTING)] == [None] * 4


def test_others_are_measured_beside_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostile_measure, "KINDS", (Kind("cycles", "a few", 20, 10, ("1000",), per_s=200),))
    monkeypatch.setattr(hostile_measure, "ORDINARY_S", 0.1)
    monkeypatch.setattr(hostile_measure, "GIVEN_BACK_S", 0.1)
    resident_mib = iter([100.0, 104.0, 105.0])
    monkeypatch.setattr(hostile_measure, "resident_mib", lambda _: next(resident_mib))
    monkeypatch.setattr(hostile_measure, "OTHERS", 5)
    monkeypatch.setattr(hostile_measure, "PEER_ACCOUNTS", 5)
    felt, memory, second, stats = hostile(SETTING)

    assert felt.value is not None
    assert felt.value > 0
    assert "20 ended with 1000" in felt.note
    # Read when only others were there, behind the first wave, and behind the second.
    assert (memory.value, second.value) == (5.0, 1.0)
    assert stats.value == 0, stats.note


KIND = Kind("cycles", "a few", 20, 10, ("1000",))
BAR = next(bar for bar in BARS if bar.name == "hostile_cycles")
CALLED = LoadCount(500, 5.0, 2.0, 7.0, {"200": 500}, 0.5, None, 0.1, 100.0)
PUBLISHED = LoadCount(1_000, 5.0, 1.0, 2.0, {"200": 1_000}, 0.5, None, 0.1, 200.0)
WHOLE = Count(
    5.0, 2_000, 1.0, 4.0, 9.0, 0.1, Tally(4_000, 4_000, 0, 0, 0), PUBLISHED, CALLED, 200, 4_200, 0, 0, None, [4.0] * 5
)
CAME = PeersCount(20, 20, {"1000": 20}, {})


def felt(waves: Sequence[PeersCount] = (CAME, CAME), calls: dict[str, Any] | None = None, **named: Any) -> Figure:
    called = msgspec.structs.replace(CALLED, **(calls or {}))
    return hostile_measure._felt(KIND, msgspec.structs.replace(WHOLE, calls=called, **named), waves)


@pytest.mark.parametrize(
    ("pushes_ms", "calls_ms", "worst_ms", "p50_ms"),
    [(4.0, 7.0, 7.0, 2.0), (9.0, 7.0, 9.0, 1.0), (4.0, 70.0, 70.0, 2.0)],
)
def test_what_others_felt_is_the_worse_of_pushes_and_calls(
    pushes_ms: float, calls_ms: float, worst_ms: float, p50_ms: float
) -> None:
    found = felt(calls={"p99_ms": calls_ms}, p99_ms=pushes_ms)

    assert (found.value, found.p50_ms, found.p99_ms, found.fault) == (worst_ms, p50_ms, worst_ms, "")
    assert found.note.startswith(
        f"pushes p99 {pushes_ms} ms, calls p99 {calls_ms} ms; 20 ended with 1000; 200 publishes/s"
    )
    assert verdict(found, BAR) == ("missed" if worst_ms > 50 else "met")


GAPS = "what a stalled reader got has gaps"


@pytest.mark.parametrize(
    ("waves", "calls", "named", "said", "why"),
    [
        ([CAME, PeersCount(20, 20, {"1000": 20}, {GAPS: 2})], {}, {}, "missed", f"2 x {GAPS}"),
        ([PeersCount(20, 20, {"1000": 20}, {GAPS: 2}), CAME], {}, {}, "missed", f"2 x {GAPS}"),
        ([CAME, PeersCount(20, 20, {"1000": 19, "1006": 1}, {})], {}, {}, "missed", "1 ended with 1006, expected 1000"),
        ([CAME, PeersCount(0, 0, {}, {"401": 20})], {}, {}, "missed", "20 x 401"),
        ([CAME, PeersCount()], {}, {}, "-", "0 of 20 peers came"),
        ([PeersCount(10, 10, {"1006": 10}), CAME], {}, {}, "met", ""),
        ([CAME] * 2, {}, {"tally": Tally(4_000, 3_999, 1, 0, 0)}, "missed", "LOST 1,"),
        ([CAME] * 2, {"statuses": {"200": 499, "503": 1}}, {}, "missed", "1 calls x 503"),
        ([CAME] * 2, {"answers": 400, "statuses": {"200": 400}}, {}, "missed", "400 calls of 500 due"),
        ([CAME] * 2, {"answers": 0, "statuses": {}, "p99_ms": None}, {}, "missed", "0 calls of 500 due"),
        ([CAME] * 2, {}, {"timed": 0, "p99_ms": None}, "-", "nothing was timed"),
    ],
    ids=[
        "peers' faults",
        "faults of the first wave",
        "another end",
        "nobody got in",
        "nobody came",
        "the first wave leaves as it likes",
        "a message lost",
        "a call refused",
        "too few calls",
        "no call answered",
        "nothing timed",
    ],
)
def test_the_bar_of_others_is_met_only_where_all_was_as_it_must(
    waves: list[PeersCount], calls: dict[str, Any], named: dict[str, Any], said: str, why: str
) -> None:
    found = felt(waves, calls, **named)

    assert verdict(found, BAR) == said
    assert why in (found.fault if said == "missed" else found.note)


def test_memory_left_behind_is_held_against_a_fresh_server_and_the_second_wave_against_the_first() -> None:
    left, added = hostile_measure._memory(KIND, 100.0, 114.0, 115.5)

    assert (left.name, left.value) == ("hostile_cycles_memory", 15.5)
    assert (added.name, added.value) == ("hostile_cycles_second", 1.5)
    assert left.note == added.note == "fresh 100.0 MiB, behind the first wave 114.0, behind the second 115.5"


@pytest.mark.parametrize("readings", [(None, 1.0, 1.0), (1.0, None, 1.0), (1.0, 1.0, None)])
def test_memory_that_can_t_be_read_is_no_figure(readings: tuple[float | None, float | None, float | None]) -> None:
    assert [one.value for one in hostile_measure._memory(KIND, *readings)] == [None, None]


class Leash:
    """A client that notes what it is told and asked for."""

    def __init__(self, diary: list[str], name: str) -> None:
        self._diary, self._name = diary, name

    def tell(self) -> None:
        self._diary.append(f"{self._name} told")

    def said(self, kind: type[Any], _: float) -> Any:
        self._diary.append(f"{self._name} said {kind.__name__}")
        return kind()


def test_others_are_timed_from_when_the_peers_are_ready_to_when_they_have_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    diary: list[str] = []

    @contextlib.contextmanager
    def running(_: AbstractSet[int], module: str, plan: PeersPlan) -> Iterator[Leash]:
        diary.append("peers start")
        yield Leash(diary, "peers")
        diary.append("peers end")

    monkeypatch.setattr(hostile_measure, "running", running)
    monkeypatch.setattr(hostile_measure, "_current", lambda _: hostile_measure.OTHERS * hostile_measure.OTHERS_TABS)
    monkeypatch.setattr(hostile_measure, "GIVEN_BACK_S", 0.0)
    others, server = Leash(diary, "others"), Server("", 0, 0, 0.0)
    plan = hostile_measure._peers(server, "", KIND, 1, 1.0)
    hostile_measure._wave(SETTING, server, plan, others.tell, others.tell)

    ready, counted = f"peers said {Ready.__name__}", f"peers said {PeersCount.__name__}"
    assert diary == ["peers start", ready, "others told", "peers told", counted, "others told", "peers end"]
