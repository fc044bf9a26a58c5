"""One round of a contest of sockets: what was counted in it, and what it cost the server and the load client."""

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

    @property
    def per_s(self) -> float | None:
        """Deliveries a second, None when the round is void."""
        return None if self.fault or not self.deliveries else self.deliveries / self.seconds
