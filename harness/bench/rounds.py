"""One round of a contest of sockets: what was counted in it, and what it cost the server and the load client."""

from collections.abc import Sequence

from msgspec import Struct

from harness.bench.load import less
from harness.bench.machine import cpu_s, waited_s


class Spent(Struct, frozen=True):
    """What a process had of its core, and for how long it wanted it and others had it; None without /proc."""

    cpu_s: float | None = None
    waited_s: float | None = None

    @classmethod
    def by(cls, pid: int) -> "Spent":
        """Read what a process has spent until now."""
        return cls(cpu_s(pid), waited_s(pid))

    def since(self, before: "Spent") -> "Spent":
        """Return what was spent between two readings."""
        return Spent(less(self.cpu_s, before.cpu_s), less(self.waited_s, before.waited_s))

    @classmethod
    def of_all(cls, parts: Sequence["Spent"]) -> "Spent":
        """Return what was spent in all; unknown when one part is."""
        return cls(_summed([one.cpu_s for one in parts]), _summed([one.waited_s for one in parts]))


def _summed(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


class Round(Struct, frozen=True):
    """What was counted; `seconds` end when the last byte was read, spent is what was till then.

    `fault` voids it, and is what the server did wrong unless it is the load client's `own`.
    In a round of connects each counts as published, and its welcome as delivered.
    """

    published: int
    deliveries: int
    bytes_read: int
    seconds: float
    server: Spent
    client: Spent
    fault: str = ""
    own: bool = False
    read_in_full: int = 0
    """Connections of which every message was looked at, and not its length alone."""

    @classmethod
    def void(cls, fault: str, *, own: bool) -> "Round":
        """Return a round in which nothing was counted."""
        return cls(0, 0, 0, 0.0, Spent(), Spent(), fault, own)

    @classmethod
    def of_slices(cls, slices: Sequence["Round"]) -> "Round":
        """Return the round that these make; one that is void makes it void."""
        void = [one for one in slices if one.per_s is None]
        if void:
            return min(void, key=lambda one: (one.own, not one.fault))
        return cls(
            sum(one.published for one in slices),
            sum(one.deliveries for one in slices),
            sum(one.bytes_read for one in slices),
            sum(one.seconds for one in slices),
            Spent.of_all([one.server for one in slices]),
            Spent.of_all([one.client for one in slices]),
            read_in_full=min(one.read_in_full for one in slices),
        )

    @property
    def per_s(self) -> float | None:
        """Deliveries a second, None when the round is void."""
        return None if self.fault or not self.deliveries else self.deliveries / self.seconds
