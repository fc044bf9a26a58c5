"""A ratio is one of a round; a round that is void, or a rival that is missing, leaves no figure but the reason."""

import contextlib
from collections.abc import Iterator

import msgspec
import pytest

from harness.bench.bars import BARS
from harness.bench.contest import ROUNDS, Contest, Play, contested, rate, ratio
from harness.bench.contestants import OURS, SOCKETS, MissingError
from harness.bench.report import verdict
from harness.bench.rivals.catalog import RIVALS
from harness.bench.rounds import Round, Spent
from harness.bench.setting import Setting

BUSY = Spent(0.98, 0.0)
BY_NAME = {bar.name: bar for bar in BARS}


def round_of(
    per_s: int, server: Spent = BUSY, *, client_waited: float = 0.0, fault: str = "", own: bool = False
) -> Round:
    return Round(per_s // 1000, per_s, per_s * 164, 1.0, server, Spent(0.4, client_waited), fault, own)


def contest(ours: list[Round], picows: list[Round] | None) -> Contest:
    if picows is None:
        return Contest([{OURS: one} for one in ours], {"picows": "not installed"}, [11.0, 10.0, 12.0])
    rounds = [{OURS: one, "picows": other} for one, other in zip(ours, picows, strict=True)]
    return Contest(rounds, {}, [11.0, 10.0, 12.0])


def test_a_ratio_is_the_median_of_the_ratios_of_each_round_and_not_the_ratio_of_medians() -> None:
    ours = [round_of(100_000), round_of(100_000), round_of(300_000)]
    picows = [round_of(100_000), round_of(400_000), round_of(300_000)]
    figure = ratio(contest(ours, picows), "fan_out_to_picows", "picows")

    assert (figure.value, figure.rounds) == (1.0, [1.0, 0.25, 1.0])
    assert figure.note.startswith("median of the rounds' ratios, 0.25 to 1.00")
    assert figure.calibration_ms == 11.0


def test_a_rate_is_the_median_of_the_rounds_with_its_cpu_time_and_what_was_the_limit() -> None:
    busy = [round_of(100_000), round_of(200_000), round_of(400_000)]
    figure = rate(contest(busy, busy), "fan_out", OURS)

    assert figure.value == 200_000
    assert figure.cpu_us_per_request == pytest.approx(4.9)
    assert figure.note == "100,000 to 400,000; server's core 98%, client's 40%; as many arrived as were sent"


@pytest.mark.parametrize(
    ("busy", "waited", "client_waited", "said"),
    [
        (0.5, 0.0, 0.0, "server's core 50%, client's 40%"),
        (0.5, 0.2, 0.0, "server's core 50% (waited 20%), client's 40%"),
        (0.5, 0.45, 0.0, "server's core 50% (waited 45%), client's 40%"),
        (0.5, 0.0, 0.6, "server's core 50%, client's 40% (waited 60%)"),
    ],
)
def test_what_was_the_limit_is_told(busy: float, waited: float, client_waited: float, said: str) -> None:
    rounds = [round_of(100_000, Spent(busy, waited), client_waited=client_waited)] * 3

    assert f"; {said}; " in rate(contest(rounds, rounds), "fan_out", OURS).note


def test_a_rival_says_how_ours_stands_to_it() -> None:
    figure = rate(contest([round_of(300_000)] * 3, [round_of(200_000)] * 3), "fan_out_picows", "picows")

    assert figure.note.endswith("ours is 1.50 of it (median of the rounds' ratios)")


def test_a_round_in_which_the_server_did_wrong_leaves_no_figure_but_a_fault() -> None:
    ours = [round_of(100_000), round_of(100_000, fault="one was lost"), round_of(0, fault="it broke", own=True)]
    found = contest(ours, [round_of(100_000)] * 3)

    for figure in (rate(found, "fan_out", OURS), ratio(found, "fan_out_to_picows", "picows")):
        assert (figure.value, figure.note) == (None, "")
        assert figure.fault == "ours: 2 of 3 rounds void: one was lost"
        assert verdict(figure, BY_NAME[figure.name]) == "missed"
    assert rate(found, "fan_out_picows", "picows").value == 100_000


@pytest.mark.parametrize(
    ("ours", "picows"),
    [
        (round_of(0, fault="its load client failed", own=True), round_of(100_000)),
        (round_of(100_000), round_of(100_000, fault="one was lost")),
        (round_of(100_000), round_of(0, fault="its load client failed", own=True)),
    ],
    ids=["our load client failed", "the rival did wrong", "the rival's load client failed"],
)
def test_what_is_not_the_server_s_fault_leaves_no_ratio_and_misses_no_bar(ours: Round, picows: Round) -> None:
    figure = ratio(contest([ours] * 3, [picows] * 3), "fan_out_to_picows", "picows")

    assert (figure.value, figure.fault) == (None, "")
    assert figure.note.endswith((ours.fault, picows.fault))
    assert verdict(figure, BY_NAME[figure.name]) == "-"


def test_it_is_told_on_how_many_connections_the_messages_were_looked_at() -> None:
    rounds = [msgspec.structs.replace(round_of(100_000), read_in_full=number) for number in (10, 9, 10)]
    note = rate(contest(rounds, rounds), "fan_out", OURS).note

    assert note.endswith("as many arrived as were sent; 9 connections read in full: each message once, in one order")


def test_a_missing_rival_leaves_no_figure_and_says_so() -> None:
    found = contest([round_of(100_000)] * 3, None)

    for figure in (rate(found, "fan_out_picows", "picows"), ratio(found, "fan_out_to_picows", "picows")):
        assert (figure.value, figure.note) == (None, "not installed")
    assert rate(found, "fan_out", OURS).value == 100_000


def test_every_rival_has_a_row_for_each_kind() -> None:
    names = {bar.name for bar in BARS}

    assert {f"{kind}_{rival}" for kind in ("fan_out", "fan_out_bursts") for rival in RIVALS} <= names
    assert {f"{kind}_{rival}" for kind in ("connect_rate", "directed_rate") for rival in SOCKETS[1:]} <= names


def test_a_round_in_which_nothing_was_delivered_is_no_rate() -> None:
    found = contest([round_of(100_000)] * 3, [round_of(100_000), round_of(0), round_of(100_000)])

    assert ratio(found, "fan_out_to_picows", "picows").note == "picows: 1 of 3 rounds void: nothing was delivered"


def test_contestants_play_in_turn_and_those_that_cannot_are_told() -> None:
    played: list[str] = []

    @contextlib.contextmanager
    def join(name: str) -> Iterator[Play]:
        if name == "picows":
            raise MissingError("not installed")
        if name == "stock":
            raise RuntimeError("it did not start")

        def play() -> Round:
            played.append(name)
            if name == "websockets":
                raise RuntimeError("it ended")
            return round_of(100_000)

        yield play

    setting = Setting(1.0, frozenset(), frozenset())
    found = contested(setting, [OURS, "picows", "websockets", "stock"], join, "all came")

    assert played == [OURS, "websockets"] * ROUNDS
    assert rate(found, "fan_out", OURS).note.endswith("all came")
    assert rate(found, "fan_out_picows", "picows").note == "not installed"
    assert rate(found, "fan_out_stock", "stock").note == "stock: it did not start"
    assert rate(found, "fan_out_websockets", "websockets").note == (
        "websockets: 5 of 5 rounds void: its load client failed: it ended"
    )
    assert len(found.calibrations_ms) == ROUNDS


def test_a_round_in_slices_is_one_round_and_all_have_their_turn_in_each() -> None:
    played: list[str] = []

    @contextlib.contextmanager
    def join(name: str) -> Iterator[Play]:
        def play() -> Round:
            played.append(name)
            return round_of(1000 * len(played))

        yield play

    found = contested(Setting(0.1, frozenset(), frozenset()), [OURS, "picows"], join, "all came", slices=3)

    assert played == [OURS, "picows"] * 3 * ROUNDS
    assert [one[OURS].deliveries for one in found.rounds[:2]] == [1000 + 3000 + 5000, 7000 + 9000 + 11000]
    assert found.rounds[0]["picows"].published == 2 + 4 + 6


def test_a_slice_that_is_void_voids_its_round_and_is_not_waited_for_again() -> None:
    played = 0

    @contextlib.contextmanager
    def join(_: str) -> Iterator[Play]:
        def play() -> Round:
            nonlocal played
            played += 1
            return Round.void("it hangs", own=False) if played == 2 else round_of(1000)

        yield play

    found = contested(Setting(0.1, frozenset(), frozenset()), [OURS], join, "all came", slices=3)

    assert played == 2 + 3 * (ROUNDS - 1)
    assert [one[OURS].fault for one in found.rounds] == ["it hangs"] + [""] * (ROUNDS - 1)


def test_slices_are_added_up() -> None:
    slices = [
        Round(1, 10, 100, 0.5, Spent(0.25, None), Spent(0.2, 0.3), read_in_full=7),
        Round(2, 20, 200, 1.0, Spent(0.5, 0.1), Spent(0.2, 0.3), read_in_full=5),
    ]

    assert Round.of_slices(slices) == Round(3, 30, 300, 1.5, Spent(0.75, None), Spent(0.4, 0.6), read_in_full=5)


@pytest.mark.parametrize(
    ("slices", "fault"),
    [
        ([Round.void("ours", own=True), Round.void("lost", own=False)], "lost"),
        ([round_of(1000), Round.void("ours", own=True)], "ours"),
        ([round_of(1000), round_of(0)], ""),
    ],
)
def test_a_slice_that_is_void_voids_the_round(slices: list[Round], fault: str) -> None:
    whole = Round.of_slices(slices)
    assert (whole.per_s, whole.fault) == (None, fault)
