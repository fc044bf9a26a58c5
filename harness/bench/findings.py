"""What stands against a figure: what the server did wrong makes its bar missed, what was not measured leaves no figure.

A quantile of the messages that came says nothing of those that did not, so a latency counts only beside a balanced
ledger, answers that are successes, and a load that was really put on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from harness.bench.bars import Figure
from harness.bench.ledger import Tally
from harness.bench.load import Count
from harness.bench.machine import shares
from harness.bench.report import WAITED_MAX

RATE_MIN: Final = 0.99
"""Of the rate that was asked for; under it the server was measured under less than its bar says."""
LAG_MS_MAX: Final = 25.0
"""A load client that was later than this itself, or never looked, may be why too little was done."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What the server did wrong, and why something was not measured."""

    faults: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()

    def __add__(self, other: "Findings") -> "Findings":
        return Findings(self.faults + other.faults, self.unmeasured + other.unmeasured)

    def on(self, figure: Figure) -> Figure:
        """Return a figure held to this: with the server's faults, and without a value where there is none."""
        value = None if self.unmeasured else figure.value
        note = "; ".join(part for part in (*self.unmeasured, figure.note) if part)
        return msgspec.structs.replace(figure, value=value, fault="; ".join(self.faults), note=note)


def of_statuses(what: str, statuses: Mapping[str, int]) -> Findings:
    """Find answers that are no success."""
    bad = sorted((status, number) for status, number in statuses.items() if not status.startswith("2"))
    return Findings(tuple(f"{number:,} {what} x {status}" for status, number in bad))


def of_tally(tally: Tally) -> Findings:
    """Find messages that were lost, doubled, or came to the wrong one."""
    if tally.balanced:
        return Findings()
    return Findings((f"LOST {tally.lost:,}, DOUBLED {tally.doubled:,}, FOREIGN {tally.foreign:,}",))


def of_rate(what: str, done: int, due: float, lag_ms: float | None, waited: float | None) -> Findings:
    """Find that less was done than fell due.

    It is the server's fault, unless the load client was late (None: unknown) or the server `waited` for its core.
    """
    # One may have been on its way at either end.
    if done + 1 >= due * RATE_MIN:
        return Findings()
    short = f"{done:,} {what} of {due:,.0f} due"
    if lag_ms is None or lag_ms > LAG_MS_MAX:
        return Findings(unmeasured=(f"{short}, and the load client was late itself",))
    if waited is not None and waited > WAITED_MAX:
        return Findings(unmeasured=(f"{short}, and the server waited {waited:.0%} of the time for its core",))
    return Findings((short,))


def of_load(what: str, count: Count) -> Findings:
    """Find what was wrong with the answers to a load at a steady rate."""
    due = (count.rate_per_s or 0.0) * count.seconds
    _, waited = shares(count.cpu_s, count.waited_s, count.seconds)
    rate = of_rate(what, count.answers, due, count.lag_p99_ms, waited)
    none = () if count.answers else (f"no {what} answered",)
    return of_statuses(what, count.statuses) + rate + Findings(unmeasured=none)
