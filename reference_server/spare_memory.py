"""Gives back what a wave of connections needed: neither tables nor allocators let go of it by themselves.

A page goes back when nothing in it is used, so each small thing that outlives the wave keeps 4 KiB of it. What others
make meanwhile must therefore be gone when it is used up, as the request of a connection that has its answer; what is
left to do once many have left is here.
"""

import asyncio
import ctypes
import gc
from collections.abc import Callable
from functools import partial
from typing import Final

GIVE_BACK_AFTER_S: Final = 2.0
"""How long after a connection left; those that leave meanwhile are served by the same call, which takes about 1 ms."""
KEPT_HANDLES: Final = 250
"""How many of each kind uvloop keeps for reuse."""
MANY: Final = 500
"""So many must have left, and as many as are still there, before tables are made anew and the collector walks what is
left: so both cost less than the leaving did."""

CallLater = Callable[[float, Callable[[], None]], object]
Shrink = Callable[[], None]


class SpareMemory:
    """Told of connections that leave, it gives memory back a little later, once for all of them."""

    def __init__(self, call_later: CallLater, give_back: Callable[[], None] | None = None) -> None:
        self._call_later = call_later
        self._give_back = give_back if give_back is not None else trim
        self._shrinks: list[Shrink] = []
        self._waits = False
        self._left = 0
        self._still_open = 0

    def add(self, shrink: Shrink) -> None:
        """Take a function that makes a table as small as what is in it."""
        self._shrinks.append(shrink)

    def connection_left(self, still_open: int) -> None:
        """See that what it held is given back."""
        self._left += 1
        self._still_open = still_open
        if not self._waits:
            self._waits = True
            self._call_later(GIVE_BACK_AFTER_S, self._fire)

    def _fire(self) -> None:
        self._waits = False
        left, self._left = self._left, 0
        if left >= max(MANY, self._still_open):
            for shrink in self._shrinks:
                shrink()
            # Less for garbage, of which connections leave none, than for the interpreter's lists of free objects,
            # which nothing else empties.
            gc.collect()
        self._give_back()


async def fill_free_lists(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop make the handles that it keeps for reuse now, side by side, and not in the first wave."""
    handles = [make() for make in (partial(loop.call_soon, _nothing), partial(loop.call_later, 0, _nothing))
               for _ in range(KEPT_HANDLES)]  # fmt: skip
    for handle in handles:
        handle.cancel()
    del handle, handles
    # A timer is let go of a turn after it was called off.
    for _ in range(2):
        await asyncio.sleep(0)


def _nothing() -> None:
    pass


def trim() -> None:
    """Let the allocator return its free pages (malloc_trim(3)); nothing where it has no such call."""
    call = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if call is not None:
        call(0)
