"""Fan-out to a thousand connections: the reference server beside its rivals.

The rivals are asked by a request that they do not look at, the reference server by its own `POST /ws/broadcast`:
whatever admission, JSON and the order of messages cost is in its figure and in nobody else's.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Final

from harness.bench.bars import Figure
from harness.bench.contest import ROUNDS, Contest, Play, contested, rate, rates, ratio
from harness.bench.contestants import OURS, contestant
from harness.bench.rivals.catalog import RIVALS
from harness.bench.setting import Setting

CONNECTIONS: Final = 1_000
BURST: Final = 8
ROUND_S_MIN: Final = 1.0
SLICES: Final = 5
"""In which all contestants of a round have their turns: what neighbours take changes within a second."""
WARM_UP_S: Final = 0.3
EVERYONE: Final = (OURS, *RIVALS)
HELD_AGAINST: Final = ("floor", "picows")
"""The rivals to which a ratio is asked (of messages one by one)."""


def fan_out(setting: Setting) -> Iterator[Figure]:
    """Publish one message after the other."""
    contest = published(setting, EVERYONE, 1)
    yield rate(contest, "fan_out", OURS)
    for rival in HELD_AGAINST:
        yield ratio(contest, f"fan_out_to_{rival}", rival)
    yield from rates(contest, "fan_out", RIVALS)


def fan_out_bursts(setting: Setting) -> Iterator[Figure]:
    """Publish eight messages at once, again and again."""
    contest = published(setting, EVERYONE, BURST)
    yield from rates(contest, "fan_out_bursts", EVERYONE)


def published(setting: Setting, names: Iterable[str], together: int, audiences: int = 1) -> Contest:
    """Let each of these publish again and again to a thousand connections: to all, or to every Nth of them in turn."""
    at_once = audiences == 1
    seconds = max(ROUND_S_MIN, setting.seconds / ROUNDS)

    @contextlib.contextmanager
    def join(name: str) -> Iterator[Play]:
        with contestant(setting, name, CONNECTIONS, audiences) as one:
            one.open(CONNECTIONS)
            one.sink.fan(together, WARM_UP_S, at_once=at_once)
            yield lambda: one.sink.fan(together, seconds / SLICES, at_once=at_once)

    return contested(setting, names, join, "as many arrived as were sent", SLICES)
