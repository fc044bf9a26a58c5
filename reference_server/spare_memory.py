"""Gives back what a wave of connections needed: neither tables nor allocators let go of it by themselves.

A page goes back when nothing in it is used, so each small thing that outlives the wave keeps 4 KiB of it. What others
make meanwhile must therefore be gone when it is used up, as the request of a connection that has its answer; what is
left to do once many have left is here.
"""

import ctypes
import gc
from collections.abc import Callable
from typing import Final

GIVE_BACK_AFTER_S: Final = 2.0
"""How long after a connection left; those that leave meanwhile are served by the same call, of some ms."""
MANY: Final = 100
"""So many must have left since the last time, and a quarter as many as are still there, before tables are made anew and
the collector walks what is left: so that costs no more than the leaving did, however slowly it went."""
STAY_PER_LEFT: Final = 4

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
        if self._left >= max(MANY, self._still_open / STAY_PER_LEFT):
            self._left = 0
            for shrink in self._shrinks:
                shrink()
            # Less for garbage, of which connections leave none, than for the interpreter's lists of free objects,
            # which nothing else empties.
            gc.collect()
        self._give_back()


def trim() -> None:
    """Let the allocator return its free pages (malloc_trim(3)); nothing where it has no such call."""
    call = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if call is not None:
        call(0)
