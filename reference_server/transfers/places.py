"""How much of one kind may go on at once: in all, and for each caller, so that nobody takes every place."""

from collections import Counter


class Places:
    """Places that are taken and given back by a key."""

    def __init__(self, total_max: int, each_max: int) -> None:
        self._total_max = total_max
        self._each_max = each_max
        self._taken: Counter[str] = Counter()

    def take(self, key: str) -> bool:
        """Take a place; False when there is none for this key."""
        if self._taken.total() >= self._total_max or self._taken[key] >= self._each_max:
            return False
        self._taken[key] += 1
        return True

    def give_back(self, key: str) -> None:
        """Give a place back."""
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]

    @property
    def taken(self) -> int:
        """How many places are taken in all."""
        return self._taken.total()
