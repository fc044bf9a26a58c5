"""Messages that carry the number of their publish: one that is missing, doubled or another's is known by it."""

from collections.abc import Sequence
from typing import Final

from harness.bench.load import MARK

PREFIX: Final = b"bench "
NUMBERED: Final = (PREFIX + MARK).decode()
"""What a publish's text holds, so that its messages tell its number."""
_DIGITS: Final = len(MARK)


def number_of(payload: bytes) -> int:
    """Return the number that a message carries; 0 for one that carries none."""
    at = payload.find(PREFIX)
    digits = payload[at + len(PREFIX) : at + len(PREFIX) + _DIGITS]
    return int(digits) if at >= 0 and digits.isdigit() else 0


class Numbered:
    """A request with a place for its number, or without: then it is always the same."""

    def __init__(self, request: bytes) -> None:
        # Its number stands behind the prefix and nowhere else: eight noughts might be in a token as well.
        front, mark, self._back = request.partition(NUMBERED.encode())
        self._front = front + PREFIX if mark else front
        self.numbered = bool(mark)

    def request(self, number: int) -> bytes:
        """Return the request with its number."""
        return b"%b%08d%b" % (self._front, number, self._back) if self.numbered else self._front


def numbers_fault(streams: Sequence[Sequence[int]], sent: Sequence[range]) -> str:
    """Say what is wrong when not each stream brought each number once that was `sent` to it, all in one order."""
    orders: dict[range, Sequence[int]] = {}
    for numbers, due in zip(streams, sent, strict=True):
        if sorted(numbers) != list(due):
            lost, doubled = len(set(due) - set(numbers)), len(numbers) - len(set(numbers))
            return f"of {len(due)} messages a connection lost {lost}, got {doubled} twice, or got another's"
        if orders.setdefault(due, numbers) != numbers:
            return "two connections got the messages in two orders"
    return ""
