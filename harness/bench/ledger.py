"""What of the numbered messages came, to whom and how often: lost and doubled ones show in the count."""

from typing import Final

from msgspec import Struct

SEEN_MAX: Final = 255


class Tally(Struct, frozen=True):
    """The ledger at quiet: expected = received + lost - doubled; `foreign` came to one they were not for.

    Nothing is expected of the `refused` messages, the number of which is that of publishes.
    """

    expected: int
    received: int
    lost: int
    doubled: int
    foreign: int
    refused: int = 0

    @property
    def balanced(self) -> bool:
        """Whether everything came once, and to those it was for."""
        return self.expected == self.received and not (self.lost or self.doubled or self.foreign)


class Ledger:
    """A count for each message, numbered from 1, and each slot: a receiver of it, or one of its steps at a receiver."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._seen = bytearray()
        self._refused: set[int] = set()
        self._foreign = 0
        self._missing = 0

    def expect(self, number: int) -> None:
        """Expect the next message in every slot; called before it is sent."""
        if number != len(self._seen) // self._slots + 1:
            raise ValueError(f"message {number} follows {len(self._seen) // self._slots}; expected the next number")
        self._seen += bytes(self._slots)
        self._missing += self._slots

    def refuse(self, number: int) -> None:
        """Expect nothing of a message that was not accepted (contract §5b); what comes all the same is foreign."""
        self._refused.add(number)
        self._missing -= self._seen[self._row(number)].count(0)

    def take(self, number: int, slot: int) -> None:
        """Note that a message came in a slot."""
        at = (number - 1) * self._slots + slot
        if not (number > 0 and at < len(self._seen) and 0 <= slot < self._slots):
            self._foreign += 1
            return
        seen = self._seen[at]
        if not seen and number not in self._refused:
            self._missing -= 1
        self._seen[at] = min(seen + 1, SEEN_MAX)

    def take_foreign(self) -> None:
        """Note that a message came to one whom it was not for."""
        self._foreign += 1

    @property
    def complete(self) -> bool:
        """Whether nothing is missing any more."""
        return self._missing == 0

    def tally(self) -> Tally:
        """Count."""
        refused = b"".join(self._seen[self._row(number)] for number in sorted(self._refused))
        foreign = self._foreign + sum(refused)
        expected = len(self._seen) - len(refused)
        received, lost = sum(self._seen) - sum(refused), self._seen.count(0) - refused.count(0)
        return Tally(expected, received, lost, received - (expected - lost), foreign, len(self._refused))

    def _row(self, number: int) -> slice:
        return slice((number - 1) * self._slots, number * self._slots)
