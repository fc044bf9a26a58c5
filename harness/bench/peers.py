"""The hostile peers, a process of their own that gives way to the client that measures beside it.

`python -m harness.bench.peers` reads a `Plan`, is ready, and when told to go on lets its kind do what it does, leaves,
and says what became of it; see `clients` for how it is led, and `misdeeds` for what each kind does.
"""

import asyncio
import gc
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from harness.bench.clients import Ready, heard_more, heard_plan, say
from harness.bench.load import loop_factory
from harness.bench.misdeeds import Count, Plan, cycles, drip, idle, loris, ping_flood, ping_limit, resets
from harness.bench.stalling import stalled

NICE: Final = 10
"""Hostile peers share the load core: whoever measures the others goes first."""

MISDEEDS: Final[Mapping[str, Callable[[Plan, Count], Awaitable[None]]]] = {
    "stalled": stalled,
    "loris": loris,
    "drip": drip,
    "idle": idle,
    "ping_flood": ping_flood,
    "ping_limit": ping_limit,
    "resets": resets,
    "cycles": cycles,
}


async def _led(plan: Plan) -> None:
    count = Count()
    say(Ready())
    if await asyncio.to_thread(heard_more):
        await MISDEEDS[plan.kind](plan, count)
        say(count)


def main() -> None:
    """Read the plan, be hostile, say what became of it."""
    os.nice(NICE)
    gc.disable()
    plan = heard_plan(Plan)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_led(plan))


if __name__ == "__main__":
    main()
