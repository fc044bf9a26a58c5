"""A contest of sockets: the reference server and its rivals in turn, in one run on one machine.

All servers are up at once and idle ones cost nothing; a round is one of each, so that what the neighbours take in a
minute they take of all. Where a round can be cut in slices, all have their turn in each of them: so what neighbours
take in a second they take of all too. A ratio is that of two rates of one round, the figure the median of the rounds.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from msgspec import structs

from harness.bench.bars import Figure
from harness.bench.contestants import OURS, MissingError
from harness.bench.machine import calibration_ms, shares
from harness.bench.rounds import Round
from harness.bench.setting import Setting

ROUNDS: Final = 5
WAITED_MAX: Final = 0.02

Play = Callable[[], Round]
"""Let one contestant have one round; RuntimeError voids it."""
Join = Callable[[str], contextlib.AbstractContextManager[Play]]
"""Start the contestant of a name, warmed up; raises MissingError or RuntimeError when that can't be."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The rounds of each contestant in turn, why others have none, and the calibration before each round."""

    rounds: Sequence[Mapping[str, Round]]
    missing: Mapping[str, str] = field(default_factory=dict)
    calibrations_ms: Sequence[float] = ()
    when_whole: str = "as many arrived as were sent"
    """What a reader is told of rounds that are not void."""


def contested(setting: Setting, names: Iterable[str], join: Join, when_whole: str, slices: int = 1) -> Contest:
    """Let each of these contestants have its rounds, of so many slices each."""
    missing: dict[str, str] = {}
    rounds, calibrations_ms = [], []
    with contextlib.ExitStack() as stack:
        present = {name: play for name in names if (play := _joined(stack, name, join, missing))}
        for _ in range(ROUNDS):
            calibrations_ms.append(calibration_ms(setting.server_cores))
            parts: dict[str, list[Round]] = {name: [] for name in present}
            for _ in range(slices):
                for name, play in present.items():
                    # One void slice voids the round: what is broken is not waited for again.
                    if not parts[name] or parts[name][-1].per_s is not None:
                        parts[name].append(_played(play))
            rounds.append({name: Round.of_slices(played) for name, played in parts.items()})
    return Contest(rounds, missing, calibrations_ms, when_whole)


def rates(contest: Contest, name: str, names: Iterable[str], of_ours: str = "") -> Iterator[Figure]:
    """Give the rate of each of these contestants; a rival's is named after it."""
    for who in names:
        yield rate(contest, name, who, of_ours) if who == OURS else rate(contest, f"{name}_{who}", who)


def rate(contest: Contest, name: str, who: str, told: str = "") -> Figure:
    """Return the median rate of one contestant; a round that is void leaves no figure."""
    if absent := _absent(contest, name, who):
        return absent
    calibration = median(contest.calibrations_ms) if contest.calibrations_ms else None
    rounds = [one[who] for one in contest.rounds]
    rates_per_s = [one.per_s or 0.0 for one in rounds]
    note = [f"{min(rates_per_s):,.0f} to {max(rates_per_s):,.0f}", _busy(rounds), contest.when_whole]
    note += _read_in_full(rounds)
    if who != OURS and not _why_not(contest, OURS):
        note.append(f"ours is {median(_ratios(contest, who)):.2f} of it (median of the rounds' ratios)")
    if told:
        note.append(told)
    (busy, waited), per_s, cpu_us = _shares(rounds), median(rates_per_s), _cpu_us(rounds)
    found = Figure(name, per_s, cpu_us, calibration_ms=calibration, note="; ".join(note), rounds=rates_per_s)
    return structs.replace(found, busy=busy, waited=waited)


def ratio(contest: Contest, name: str, rival: str) -> Figure:
    """Return the median over the rounds of our rate to a rival's; beside it the same by the servers' CPU time."""
    if absent := _absent(contest, name, OURS, rival):
        return absent
    calibration = median(contest.calibrations_ms) if contest.calibrations_ms else None
    ratios = _ratios(contest, rival)
    both = [[one[who] for one in contest.rounds] for who in (OURS, rival)]
    ours, theirs = map(_cpu_us, both)
    by_cpu = theirs / ours if ours and theirs else None
    busy, waited = zip(*map(_shares, both), strict=True)
    found = Figure(name, median(ratios), calibration_ms=calibration, rounds=ratios, by_cpu=by_cpu)
    note = f"median of the rounds' ratios, {min(ratios):.2f} to {max(ratios):.2f}"
    note += "" if by_cpu is None else f"; by CPU time {by_cpu:.2f}"
    return structs.replace(found, note=note, busy=_extreme(min, busy), waited=_extreme(max, waited))


def _extreme(which: Callable[[list[float]], float], values: Iterable[float | None]) -> float | None:
    """Return the least or the most of what is known: a ratio is as doubtful as the worse of its two rates."""
    known = [value for value in values if value is not None]
    return which(known) if known else None


def _ratios(contest: Contest, rival: str) -> list[float]:
    return [(one[OURS].per_s or 0.0) / per_s for one in contest.rounds if (per_s := one[rival].per_s)]


def _absent(contest: Contest, name: str, subject: str, *others: str) -> Figure | None:
    """Return a row without a figure where one of them has none; what the subject itself did wrong is its fault."""
    why = next((why for who in (subject, *others) if (why := _why_not(contest, who))), "")
    if not why:
        return None
    calibration = median(contest.calibrations_ms) if contest.calibrations_ms else None
    wrong = any(one[subject].fault and not one[subject].own for one in contest.rounds if subject in one)
    return Figure(name, None, calibration_ms=calibration, note="" if wrong else why, fault=why if wrong else "")


def _read_in_full(rounds: Sequence[Round]) -> list[str]:
    streams = min(one.read_in_full for one in rounds)
    return [f"{streams} connections read in full: each message once, in one order"] if streams else []


def _why_not(contest: Contest, who: str) -> str:
    """Say why a contestant has no figure, nothing when it has one."""
    if who in contest.missing:
        return contest.missing[who]
    void = [one[who] for one in contest.rounds if one[who].per_s is None]
    if not void:
        return ""
    # What the server did wrong is told before what the load client could not do.
    first = min(void, key=lambda one: (one.own, not one.fault))
    return f"{who}: {len(void)} of {len(contest.rounds)} rounds void: {first.fault or 'nothing was delivered'}"


def _busy(rounds: Sequence[Round]) -> str:
    """Tell what the server had of its core, what neighbours had of it meanwhile, and the load client of its own."""
    had, waited = _share(rounds, lambda one: one.server.cpu_s), _share(rounds, lambda one: one.server.waited_s)
    if had is None:
        return "CPU time unknown"
    client, client_waited = (
        _share(rounds, lambda one: one.client.cpu_s),
        _share(rounds, lambda one: one.client.waited_s),
    )
    return f"server's core {had:.0%}{_waited(waited)}, client's {client or 0.0:.0%}{_waited(client_waited)}"


def _shares(rounds: Sequence[Round]) -> tuple[float | None, float | None]:
    """Return which part of the time a server had or wanted its core, and in which others had it."""
    return shares(_share(rounds, lambda one: one.server.cpu_s), _share(rounds, lambda one: one.server.waited_s), 1.0)


def _waited(share: float | None) -> str:
    return "" if share is None or share <= WAITED_MAX else f" (waited {share:.0%})"


def _share(rounds: Sequence[Round], what: Callable[[Round], float | None]) -> float | None:
    known = [seconds / one.seconds for one in rounds if (seconds := what(one)) is not None]
    return median(known) if known else None


def _cpu_us(rounds: Sequence[Round]) -> float | None:
    known = [one.server.cpu_s / one.deliveries for one in rounds if one.server.cpu_s is not None and one.deliveries]
    return median(known) * 1e6 if known else None


def _joined(stack: contextlib.ExitStack, name: str, join: Join, missing: dict[str, str]) -> Play | None:
    """Start a contestant; note why when that can't be."""
    try:
        return stack.enter_context(join(name))
    except MissingError as why:
        missing[name] = str(why)
    except RuntimeError as why:
        missing[name] = f"{name}: {why}"
    return None


def _played(play: Play) -> Round:
    try:
        return play()
    except RuntimeError as fault:
        return Round.void(f"its load client failed: {fault}", own=True)
