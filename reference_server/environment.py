"""Everything that a shell lends to the driver: clocks, timers, chance, hashing, tokens, sockets.

The driver is written once against this interface; asyncio and the simulation each implement it. Callbacks run on
the driver's one thread, never inside the call that asked for them.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Cancelable(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None:
        """Forget the timer; nothing when it already ran."""


class Sockets(Protocol):
    """The open connections, by number; a number that is gone is ignored."""

    def send_text(self, payload: bytes, receivers: Sequence[int]) -> None:
        """Write one text frame to each receiver."""

    def send_ping(self, receivers: Sequence[int]) -> None:
        """Write a protocol ping to each receiver."""

    def send_pong(self, connection: int, payload: bytes) -> None:
        """Write a protocol pong."""

    def close(self, connection: int, code: int, reason: str) -> None:
        """Write a close frame; reading goes on until the peer answers or the driver aborts."""

    def abort(self, connection: int) -> None:
        """End the TCP connection at once."""

    def writable(self, connection: int) -> bool:
        """Say whether the send buffer has room."""


class TokenInvalidError(Exception):
    """A token that is not signed by us with HS256, or lacks claims; `fault` is `malformed` or `invalid`."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


class OffloadFullError(Exception):
    """So much work waits for a worker already that no more is taken."""


class Tokens(Protocol):
    """Signing and decoding of JWTs; time, revocation and existence are judged by the core."""

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWT (HS256)."""

    def decode(self, token: str) -> dict[str, Any]:
        """Return the claims; raises TokenInvalidError."""


class Environment(Protocol):
    """Clocks, timers, chance, offloaded work; one instance a process."""

    tokens: Tokens

    def monotonic_ns(self) -> int:
        """Return a clock that never goes back."""

    def wall_ns(self) -> int:
        """Return nanoseconds since the Unix epoch."""

    def call_at(self, monotonic_ns: int, callback: Callable[[], None]) -> Cancelable:
        """Run `callback` once that time has come."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run `callback` after what runs now."""

    def new_id(self) -> str:
        """Return a UUID v4 from the process's chance."""

    def new_secret(self) -> str:
        """Return 256 bits as URL-safe text; no setting makes it predictable in a real process."""

    def draw(self) -> float:
        """Return a number in [0, 1)."""

    def offload(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run work that blocks (disk, network) on a worker, then `done(its value)` or `failed(what it raised)`.

        Workers and what waits for them are bounded: `failed(OffloadFullError)` over that. Nothing orders two works:
        what must follow another is offloaded once that is done.
        """

    def hash_password(self, password: str, done: Callable[[str | None], None]) -> None:
        """Hash off the loop, then `done(hash)`; `done(None)` when too many wait."""

    def verify_password(self, password_hash: str, password: str, done: Callable[[bool | None], None]) -> None:
        """Verify off the loop, then `done(matches)`; `done(None)` when too many wait."""
