"""Fan-out to a thousand connections: the reference server beside its rivals.

The rivals are asked by a request that they do not look at, the reference server by its own `POST /ws/broadcast`:
whatever admission, JSON and the order of messages cost is in its figure and in nobody else's.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

from harness.bench.bars import Figure
from harness.bench.contest import ROUNDS, Contest, Play, contested, rate, ratio
from harness.bench.contestants import OURS, contestant
from harness.bench.rivals.catalog import RIVALS
from harness.bench.setting import Setting

CONNECTIONS: Final = 1_000
BURST: Final = 8
ROUND_S_MIN: Final = 1.0
WARM_UP_S: Final = 0.3
HELD_AGAINST: Final = ("floor", "picows")
"""The rivals to which a ratio is asked (of messages one by one)."""


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


def _contested(setting: Setting, together: int) -> Contest:
    seconds = max(ROUND_S_MIN, setting.seconds / ROUNDS)

    @contextlib.contextmanager
    def join(name: str) -> Iterator[Play]:
        with contestant(setting, name, CONNECTIONS) as one:
            one.open(CONNECTIONS)
            one.sink.fan(together, WARM_UP_S)
            yield lambda: one.sink.fan(together, seconds)

    return contested(setting, (OURS, *RIVALS), join, "all arrived once")
