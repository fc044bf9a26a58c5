"""What keeps a run within what a target allows: its pace, and the connections held at a time (contract §10)."""

import asyncio
from collections.abc import Mapping
from typing import Final

from harness.client.rest import Headers, RawAnswer, Transport

RETRY_AFTER_S_MAX: Final = 90
PACED_TRIES_MAX: Final = 5


class PacedTransport:
    """Keeps to a pace and honours 429: a paced run is no violation (contract §10)."""

    def __init__(self, inner: Transport, calls_per_s: float | None) -> None:
        self._inner = inner
        self._gap_s = 1 / calls_per_s if calls_per_s else 0.0
        self._next_s = 0.0

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        """Send when it is this call's turn; a 429 is waited out a few times before it is the answer."""
        for _ in range(PACED_TRIES_MAX - 1):
            await self._turn()
            answer = await self._inner.send(method, path_and_query, headers, body)
            after = retry_after_s(answer.headers)
            if answer.status != 429 or after is None:
                return answer
            await asyncio.sleep(after)
        return await self._inner.send(method, path_and_query, headers, body)

    async def _turn(self) -> None:
        now = asyncio.get_running_loop().time()
        mine = max(now, self._next_s)
        self._next_s = mine + self._gap_s
        await asyncio.sleep(mine - now)


def retry_after_s(headers: Mapping[str, str]) -> int | None:
    """Return how long an answer asks to wait, bounded; None where it gives no whole seconds (§1 errors)."""
    told = headers.get("retry-after", "").strip()
    # A number of a thousand digits is decimal too, and no wait.
    return min(int(told[:9]), RETRY_AFTER_S_MAX) if told.isascii() and told.isdecimal() else None


class TooManyConnectionsError(RuntimeError):
    """More live connections are wanted than the target allows."""


class Connections:
    """The connections held now, tabs and raw sockets alike; one more than allowed is refused before it is made."""

    def __init__(self, target: str, allowed: int) -> None:
        self._target = target
        self._allowed = allowed
        self._held: set[int] = set()

    def __len__(self) -> int:
        return len(self._held)

    def hold(self, owner: object) -> None:
        """Count the owner's connection, once; raises TooManyConnectionsError over what the target allows."""
        if id(owner) not in self._held and len(self._held) >= self._allowed:
            told = f"{self._target} allows {self._allowed} connections; allow connections:N for more"
            raise TooManyConnectionsError(told)
        self._held.add(id(owner))

    def let_go(self, owner: object) -> None:
        """Count the owner's connection no more; one that was not counted is none."""
        self._held.discard(id(owner))
