"""One deadline for each connection, in a heap whose size is bounded by the number of connections.

A deadline that moved leaves its old entry behind; when those outnumber the living, the heap is built anew.
"""

import heapq
from collections.abc import Iterator, Mapping
from typing import Final

from reference_server.core.connections import Connection

_SPARE: Final = 64


class Deadlines:
    """The `due_ns` of each connection of a table, earliest first, ties by number."""

    def __init__(self, connections: Mapping[int, Connection]) -> None:
        self._connections = connections
        self._heap: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def set(self, connection: Connection, due_ns: int) -> None:
        """Let the connection be due then."""
        if connection.due_ns == due_ns:
            return
        connection.due_ns = due_ns
        heapq.heappush(self._heap, (due_ns, connection.number))
        if len(self._heap) > 2 * len(self._connections) + _SPARE:
            self.shrink()

    def shrink(self) -> None:
        """Keep the entries of the living alone, one for each."""
        # The entries as they are: new ones would lie among what is about to be given back (spare_memory).
        self._heap = list(dict.fromkeys(entry for entry in self._heap if self._living(*entry) is not None))
        heapq.heapify(self._heap)

    def next_ns(self) -> int | None:
        """Return the earliest deadline of a living connection."""
        while self._heap and self._living(*self._heap[0]) is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now_ns: int) -> Iterator[Connection]:
        """Give each connection that is due, once; the caller sets its next deadline or removes it."""
        while self._heap and self._heap[0][0] <= now_ns:
            connection = self._living(*heapq.heappop(self._heap))
            if connection is not None:
                connection.due_ns = 0
                yield connection

    def _living(self, due_ns: int, number: int) -> Connection | None:
        connection = self._connections.get(number)
        return connection if connection is not None and connection.due_ns == due_ns else None
