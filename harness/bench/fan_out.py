"""Fan-out to a thousand connections: the reference server and its rivals in turn, in one run on one machine.

All servers are up at once and idle ones cost nothing; a round is one of each, so that what the neighbours take in a
minute they take of all. A ratio is that of two rates of one round, and the figure is the median of the rounds. The
rivals are asked by a request that they do not look at, the reference server by its own `POST /ws/broadcast`: whatever
admission, JSON and the order of messages cost is in its figure and in nobody else's.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from harness.bench.bars import Figure
from harness.bench.contestants import OURS, Contestant, MissingError, contestant
from harness.bench.machine import calibration_ms
from harness.bench.rivals.catalog import RIVALS
from harness.bench.setting import Setting
from harness.bench.sink import Round

CONNECTIONS: Final = 1_000
BURST: Final = 8
ROUNDS: Final = 5
ROUND_S_MIN: Final = 1.0
WARM_UP_S: Final = 0.3
BUSY_MIN: Final = 0.9
"""Of the server's core, what it had and waited for: under it something else was the limit."""
WAITED_MAX: Final = 0.02
HELD_AGAINST: Final = ("floor", "picows")
"""The rivals to which a ratio is asked (of messages one by one)."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The rounds of each contestant in turn, why others have none, and the calibration before each round."""

    rounds: Sequence[Mapping[str, Round]]
    missing: Mapping[str, str] = field(default_factory=dict)
    calibrations_ms: Sequence[float] = ()


def fan_out(setting: Setting) -> Iterator[Figure]:
    """Publish one message after the other."""
    contest = _contested(setting, 1)
    yield rate(contest, "fan_out", OURS)
    for rival in HELD_AGAINST:
        yield ratio(contest, f"fan_out_to_{rival}", rival)
    for rival in RIVALS:
        yield rate(contest, f"fan_out_{rival}", rival)


def fan_out_bursts(setting: Setting) -> Iterator[Figure]:
    """Publish eight messages at once, again and again."""
    contest = _contested(setting, BURST)
    yield rate(contest, "fan_out_bursts", OURS)
    for rival in RIVALS:
        yield rate(contest, f"fan_out_bursts_{rival}", rival)


def rate(contest: Contest, name: str, who: str) -> Figure:
    """Return the median rate of one contestant; a round that is void leaves no figure."""
    calibration = median(contest.calibrations_ms) if contest.calibrations_ms else None
    why = _why_not(contest, who)
    if why:
        return Figure(name, None, calibration_ms=calibration, note=why)
    rounds = [one[who] for one in contest.rounds]
    rates = [one.per_s or 0.0 for one in rounds]
    note = [f"{min(rates):,.0f} to {max(rates):,.0f}", _busy(rounds), "all arrived once"]
    if who != OURS and not _why_not(contest, OURS):
        note.append(f"ours is {median(_ratios(contest, who)):.2f} of it")
    cpu_us, told = _cpu_us(rounds), "; ".join(note)
    return Figure(name, median(rates), cpu_us, calibration_ms=calibration, note=told, rounds=rates)


def ratio(contest: Contest, name: str, rival: str) -> Figure:
    """Return the median over the rounds of our rate to a rival's; beside it the same by the servers' CPU time."""
    calibration = median(contest.calibrations_ms) if contest.calibrations_ms else None
    why = _why_not(contest, OURS) or _why_not(contest, rival)
    if why:
        return Figure(name, None, calibration_ms=calibration, note=why)
    ratios = _ratios(contest, rival)
    note = f"{min(ratios):.2f} to {max(ratios):.2f}"
    ours, theirs = (_cpu_us([one[who] for one in contest.rounds]) for who in (OURS, rival))
    if ours and theirs:
        note += f"; by CPU time {theirs / ours:.2f}"
    return Figure(name, median(ratios), calibration_ms=calibration, note=note, rounds=ratios)


def _ratios(contest: Contest, rival: str) -> list[float]:
    return [(one[OURS].per_s or 0.0) / per_s for one in contest.rounds if (per_s := one[rival].per_s)]


def _why_not(contest: Contest, who: str) -> str:
    """Say why a contestant has no figure, nothing when it has one."""
    if who in contest.missing:
        return contest.missing[who]
    faults = [one[who].fault or "nothing was delivered" for one in contest.rounds if one[who].per_s is None]
    return f"{who}: {len(faults)} of {len(contest.rounds)} rounds void: {faults[0]}" if faults else ""


def _busy(rounds: Sequence[Round]) -> str:
    """Tell what the server had of its core, what neighbours had of it meanwhile, and the sink of its own."""
    had, waited = _share(rounds, lambda one: one.server.cpu_s), _share(rounds, lambda one: one.server.waited_s)
    if had is None:
        return "CPU time unknown"
    limit = "" if had + (waited or 0.0) >= BUSY_MIN else "; the server was not the limit"
    sink, sink_waited = _share(rounds, lambda one: one.sink.cpu_s), _share(rounds, lambda one: one.sink.waited_s)
    return f"server's core {had:.0%}{_waited(waited)}, sink's {sink or 0.0:.0%}{_waited(sink_waited)}{limit}"


def _waited(share: float | None) -> str:
    return "" if share is None or share <= WAITED_MAX else f" (waited {share:.0%})"


def _share(rounds: Sequence[Round], what: Callable[[Round], float | None]) -> float | None:
    known = [seconds / one.seconds for one in rounds if (seconds := what(one)) is not None]
    return median(known) if known else None


def _cpu_us(rounds: Sequence[Round]) -> float | None:
    known = [one.server.cpu_s / one.deliveries for one in rounds if one.server.cpu_s is not None and one.deliveries]
    return median(known) * 1e6 if known else None


def _contested(setting: Setting, together: int) -> Contest:
    seconds = max(ROUND_S_MIN, setting.seconds / ROUNDS)
    missing: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        present = [one for name in (OURS, *RIVALS) if (one := _joined(stack, setting, name, missing))]
        for one in present:
            _round(one, together, WARM_UP_S)
        rounds, calibrations_ms = [], []
        for _ in range(ROUNDS):
            calibrations_ms.append(calibration_ms(setting.server_cores))
            rounds.append({one.name: _round(one, together, seconds) for one in present})
    return Contest(rounds, missing, calibrations_ms)


def _round(one: Contestant, together: int, seconds: float) -> Round:
    try:
        return one.sink.fan(together, seconds)
    except RuntimeError as fault:
        return Round.void(f"its sink failed: {fault}")


def _joined(stack: contextlib.ExitStack, setting: Setting, name: str, missing: dict[str, str]) -> Contestant | None:
    """Start a contestant and open its connections; note why when that can't be."""
    try:
        one = stack.enter_context(contestant(setting, name, CONNECTIONS))
        one.open(CONNECTIONS)
    except MissingError as why:
        missing[name] = str(why)
        return None
    except RuntimeError as why:
        missing[name] = f"{name}: {why}"
        return None
    return one
