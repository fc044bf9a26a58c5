"""What a simulated server is lent: virtual clocks and timers, chance from the seed, cheap hashes, real tokens."""

import hashlib
import random
import uuid
from collections.abc import Callable
from typing import Final, TypeVar

from harness.simulation.network import NS_PER_MS
from harness.simulation.scheduler import Scheduler, Timer
from reference_server.environment import Tokens
from reference_server.environment_asyncio import JwtTokens

T = TypeVar("T")
EPOCH_NS: Final = 1_767_225_600 * 1_000_000_000
"""Where the wall clock starts: midnight of 1 January 2026, UTC."""
SECRET: Final = "simulated-" * 4
"""The key of simulated tokens; it guards nothing, since it leaves no process."""
HASH_MS: Final = (10, 60)
WORK_MS: Final = (1, 8)


class VirtualEnvironment:
    """`reference_server.environment.Environment` on virtual time; one for each simulated process."""

    def __init__(self, scheduler: Scheduler, chance: random.Random) -> None:
        self.tokens: Tokens = JwtTokens(SECRET)
        self._scheduler = scheduler
        self._chance = chance

    def monotonic_ns(self) -> int:
        """Return the scheduler's clock."""
        return self._scheduler.now_ns

    def wall_ns(self) -> int:
        """Return the scheduler's clock, counted from the Unix epoch."""
        return EPOCH_NS + self._scheduler.now_ns

    def call_at(self, monotonic_ns: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` once that time has come."""
        return self._scheduler.call_at(monotonic_ns, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run `callback` after what is due now."""
        self._scheduler.call_soon(callback)

    def new_id(self) -> str:
        """Return a UUID v4 from the seed."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def new_secret(self) -> str:
        """Return 256 bits from the seed: nothing simulated is worth stealing."""
        return f"{self._chance.getrandbits(256):064x}"

    def draw(self) -> float:
        """Return a number in [0, 1) from the seed."""
        return self._chance.random()

    def offload(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Do the work after a drawn time, as if a worker had come to it."""
        self._later(WORK_MS, lambda: _work(work, done, failed))

    def hash_password(self, password: str, done: Callable[[str | None], None]) -> None:
        """Make a hash that is cheap on purpose, after a drawn time as if it had been made off the loop."""
        salt = f"{self._chance.getrandbits(64):016x}"
        self._later(HASH_MS, lambda: done(_hash(salt, password)))

    def verify_password(self, password_hash: str, password: str, done: Callable[[bool | None], None]) -> None:
        """Compare, after a drawn time."""
        salt = password_hash.partition("$")[0]
        self._later(HASH_MS, lambda: done(_hash(salt, password) == password_hash))

    def _later(self, span_ms: tuple[int, int], callback: Callable[[], None]) -> None:
        low, high = span_ms
        took_ns = round((low + (high - low) * self._chance.random()) * NS_PER_MS)
        self._scheduler.call_at(self._scheduler.now_ns + took_ns, callback)


def _work(work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
    try:
        value = work()
    except Exception as fault:  # noqa: BLE001 - it is handed to whoever asked for this work
        failed(fault)
    else:
        done(value)


def _hash(salt: str, password: str) -> str:
    return f"{salt}${hashlib.sha256((salt + password).encode()).hexdigest()}"
