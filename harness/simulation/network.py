"""Links between two ends on virtual time: bytes arrive in order or the link dies (design law 10).

Every piece takes a drawn time; none overtakes another of the same direction. What a cut finds on its way is lost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from harness.simulation.scheduler import Scheduler

LATENCY_MS: Final = (1, 40)
SEND_BUFFER_BYTES: Final = 64 * 1024
NS_PER_MS: Final = 1_000_000


class End(Protocol):
    """Who stands at one end of a link."""

    def bytes_came(self, data: bytes) -> None:
        """Take what arrived, in order."""

    def link_ended(self) -> None:
        """The other end closed or the link was cut; nothing follows."""

    def link_drained(self) -> None:
        """There is room in the send buffer again."""


@dataclass(slots=True, eq=False)
class _Side:
    end: End
    open: bool = True
    arrives_ns: int = 0
    on_the_way: int = 0
    full: bool = False


class Link:
    """One TCP connection between two ends; `draw` gives each piece its latency."""

    def __init__(
        self, scheduler: Scheduler, draw: Callable[[], float], a: End, b: End, latency_ms: tuple[int, int] = LATENCY_MS
    ) -> None:
        self._scheduler = scheduler
        self._draw = draw
        self._latency_ms = latency_ms
        self._sides = (_Side(a), _Side(b))
        self._cut = False

    def send(self, sender: End, data: bytes) -> None:
        """Put bytes on their way; nothing once this end is closed."""
        side, peer = self._both(sender)
        if side.open:
            side.on_the_way += len(data)
            side.full = side.full or side.on_the_way > SEND_BUFFER_BYTES
            self._in_order(side, lambda: self._arrive(side, peer, data))

    def writable(self, sender: End) -> bool:
        """Say whether the send buffer of this end has room."""
        return not self._both(sender)[0].full

    def close(self, sender: End) -> None:
        """Close this end: what was sent still arrives, then the other end learns of it."""
        side, peer = self._both(sender)
        if side.open:
            side.open = False
            self._in_order(side, lambda: self._end(peer))

    def cut(self, sender: End) -> None:
        """Lose the link: what is on its way is lost; this end knows at once, the other after a latency."""
        side, peer = self._both(sender)
        self._cut = True
        self._scheduler.call_soon(lambda: self._end(side))
        self._scheduler.call_at(self._scheduler.now_ns + self._latency_ns(), lambda: self._end(peer))

    def _both(self, end: End) -> tuple[_Side, _Side]:
        first, second = self._sides
        return (first, second) if first.end is end else (second, first)

    def _latency_ns(self) -> int:
        low, high = self._latency_ms
        return round((low + (high - low) * self._draw()) * NS_PER_MS)

    def _in_order(self, side: _Side, arrive: Callable[[], None]) -> None:
        side.arrives_ns = max(side.arrives_ns, self._scheduler.now_ns + self._latency_ns())
        self._scheduler.call_at(side.arrives_ns, arrive)

    def _arrive(self, side: _Side, peer: _Side, data: bytes) -> None:
        if self._cut:
            return
        side.on_the_way -= len(data)
        if peer.open:
            peer.end.bytes_came(data)
        if side.open and side.full and side.on_the_way <= SEND_BUFFER_BYTES // 2:
            side.full = False
            side.end.link_drained()

    def _end(self, side: _Side) -> None:
        if side.open:
            side.open = False
            side.end.link_ended()
