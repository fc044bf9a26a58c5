"""Make a failing list of steps small: leave steps out, in ever smaller groups, while it still fails.

Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002), with a bound on
tries, since each is a run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")
TRIES_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Shrunk(Generic[T]):
    """What is left, how many runs it took, and whether no single step can be left out any more."""

    steps: tuple[T, ...]
    tries: int
    minimal: bool


def shrink(steps: Sequence[T], fails: Callable[[Sequence[T]], bool], tries_max: int = TRIES_MAX) -> Shrunk[T]:
    """Return a short part of `steps` that still fails; `steps` themselves are known to."""
    current = list(steps)
    tries, size = 0, max(1, len(current) // 2)
    while current:
        kept, used, left_out = _pass(current, size, fails, tries_max - tries)
        current, tries = kept, tries + used
        if tries >= tries_max:
            return Shrunk(tuple(current), tries, minimal=False)
        if size == 1 and not left_out:
            break
        # A group that went may let one of its neighbours go too, so single steps are tried until none does.
        size = max(1, size // 2)
    return Shrunk(tuple(current), tries, minimal=True)


def _pass(
    steps: list[T], size: int, fails: Callable[[Sequence[T]], bool], tries_left: int
) -> tuple[list[T], int, bool]:
    """Try to leave out each group of `size` once, from the end: later steps lean on earlier ones."""
    used, left_out, end = 0, False, len(steps)
    while end > 0 and used < tries_left:
        start = max(0, end - size)
        without = steps[:start] + steps[end:]
        used += 1
        if fails(without):
            steps, left_out = without, True
        end = start
    return steps, used, left_out
