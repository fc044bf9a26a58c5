"""Gives back what a wave of connections needed: glibc keeps freed memory for the process until it is told to let go."""

import ctypes
from collections.abc import Callable
from typing import Final

GIVE_BACK_AFTER_S: Final = 2.0
"""How long after a connection left; those that leave meanwhile are served by the same call, which takes about 1 ms."""

CallLater = Callable[[float, Callable[[], None]], object]


class SpareMemory:
    """Told of connections that leave, it gives memory back a little later, once for all of them."""

    def __init__(self, call_later: CallLater, give_back: Callable[[], None] | None = None) -> None:
        self._call_later = call_later
        self._give_back = give_back if give_back is not None else trim
        self._waits = False

    def connection_left(self) -> None:
        """See that what it held is given back."""
        if not self._waits:
            self._waits = True
            self._call_later(GIVE_BACK_AFTER_S, self._fire)

    def _fire(self) -> None:
        self._waits = False
        self._give_back()


def trim() -> None:
    """Let the allocator return its free pages (malloc_trim(3)); nothing where it has no such call."""
    call = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if call is not None:
        call(0)
