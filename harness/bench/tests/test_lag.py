"""How late a loop was is noted for all the time that it was late."""

import asyncio
import os

from harness.bench.lag import TICKS_PER_S, Lag
from harness.bench.load import Pace
from harness.bench.machine import waited_s

NOBODY = 2**30
SECOND_NS = 1_000_000_000


def test_a_pause_makes_every_tick_in_it_late() -> None:
    lag, pace = Lag(), Pace(TICKS_PER_S, 0)
    lag.note(pace, SECOND_NS)
    for number in range(1, 10 * TICKS_PER_S + 1):
        lag.note(pace, SECOND_NS + number * SECOND_NS // TICKS_PER_S)

    # A pause of one second in eleven: of its ticks, the worst tenth is over 900 ms late.
    assert (lag.p99_ms() or 0) > 850


def test_ticks_in_time_are_not_late() -> None:
    lag, pace = Lag(), Pace(TICKS_PER_S, 0)
    for number in range(1, 100):
        lag.note(pace, number * SECOND_NS // TICKS_PER_S)

    assert lag.p99_ms() == 0


def test_a_loop_that_never_ticked_has_no_lag_to_tell() -> None:
    assert Lag().p99_ms() is None


class Noted(Lag):
    """Tells when it first ticked."""

    def __init__(self) -> None:
        super().__init__()
        self.noted = asyncio.Event()

    def note(self, pace: Pace, now_ns: int) -> None:
        super().note(pace, now_ns)
        if pace.next_ns > now_ns and self.ticks:
            self.noted.set()


def test_a_loop_that_is_looked_at_ticks() -> None:
    async def ticking() -> int:
        lag = Noted()
        lag.start()
        async with asyncio.timeout(10):
            await lag.noted.wait()
        lag.stop()
        return lag.ticks

    assert asyncio.run(ticking()) > 0


def test_the_time_a_process_waited_for_its_core_is_told_where_the_system_tells() -> None:
    assert waited_s(NOBODY) is None
    assert (waited_s(os.getpid()) or 0) >= 0
