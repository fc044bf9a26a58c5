"""The environment of a real process: its clocks and chance, asyncio's timers, argon2 off the loop."""

import asyncio
import contextlib
import random
import re
import secrets
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import argon2
import jwt

from reference_server.contract import limits
from reference_server.core.passwords import PasswordCost
from reference_server.core.units import SECOND_NS
from reference_server.environment import Cancelable, OffloadFullError, TokenInvalidError, Tokens

T = TypeVar("T")
_ALGORITHM = "HS256"
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
"""Three parts of base64url, which has no padding in a JWS (RFC 7515 §2): PyJWT takes some all the same."""
_ID_MARKS = 4 << 76 | 2 << 62
_ID_CHANCE = (1 << 128) - 1 & ~(15 << 76 | 3 << 62)


def new_secret() -> str:
    """Return 256 bits of the operating system's chance, as text."""
    return secrets.token_urlsafe(32)


class JwtTokens:
    """Signing and decoding with PyJWT; its own checks of time are off, the core judges (contract §2 token)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._options: Any = {
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
            "verify_aud": False,
            "verify_sub": False,
            "verify_jti": False,
            "require": ["sub", "email", "role", "iat", "nbf", "exp", "jti"],
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """Return the compact JWT."""
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM)

    def decode(self, token: str) -> dict[str, Any]:
        """Return the claims; raises TokenInvalidError. Only HS256 is believed, whatever the header says."""
        if _COMPACT.fullmatch(token) is None:
            raise TokenInvalidError("malformed")
        try:
            claims: dict[str, Any] = jwt.decode(token, self._secret, algorithms=[_ALGORITHM], options=self._options)
        except (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.MissingRequiredClaimError) as fault:
            raise TokenInvalidError("invalid") from fault
        except (jwt.PyJWTError, ValueError) as fault:
            raise TokenInvalidError("malformed") from fault
        return claims


class PasswordHasher:
    """Argon2id on at most 2 threads with 64 waiting (contract §2 login)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, cost: PasswordCost) -> None:
        self._loop = loop
        self._pool = ThreadPoolExecutor(limits.HASH_THREADS_MAX, thread_name_prefix="argon2")
        self._waiting = 0
        self._argon2 = argon2.PasswordHasher(
            time_cost=cost.passes,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
        )

    def hash(self, password: str, done: Callable[[str | None], None]) -> None:
        """Hash off the loop; `done(None)` when too many wait."""
        self._offload(lambda: self._argon2.hash(password), done)

    def verify(self, password_hash: str, password: str, done: Callable[[bool | None], None]) -> None:
        """Verify off the loop; `done(None)` when too many wait."""
        self._offload(lambda: self._matches(password_hash, password), done)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def _offload(self, work: Callable[[], T], done: Callable[[T | None], None]) -> None:
        if self._waiting >= limits.HASH_THREADS_MAX + limits.HASH_WAITING_MAX:
            self._loop.call_soon(done, None)
            return
        self._waiting += 1
        future = self._pool.submit(work)
        future.add_done_callback(lambda ended: self._tell(ended, done))

    def _tell(self, ended: "Future[T]", done: Callable[[T | None], None]) -> None:
        # After the loop has ended nobody is left to hear of it.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended, ended, done)

    def _ended(self, future: "Future[T]", done: Callable[[T | None], None]) -> None:
        self._waiting -= 1
        if not future.cancelled():
            done(future.result())


class Workers:
    """Threads for work that blocks; what waits for one is bounded."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._pool = ThreadPoolExecutor(limits.OFFLOAD_THREADS_MAX, thread_name_prefix="blobs")
        self._unfinished = 0

    def offload(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run `work` off the loop; over the bound, or once closed, it is refused."""
        if self._unfinished >= limits.OFFLOAD_THREADS_MAX + limits.OFFLOAD_WAITING_MAX:
            self._loop.call_soon(failed, OffloadFullError("too much work waits for a worker"))
            return
        try:
            future = self._pool.submit(work)
        except RuntimeError as closed:
            self._loop.call_soon(failed, closed)
            return
        self._unfinished += 1
        future.add_done_callback(lambda ended: self._tell(ended, done, failed))

    def close(self) -> None:
        """Let the threads end; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _tell(self, ended: "Future[T]", done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        # After the loop has ended nobody is left to hear of it.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._ended, ended, done, failed)

    def _ended(self, ended: "Future[T]", done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        self._unfinished -= 1
        if ended.cancelled():
            return
        fault = ended.exception()
        if isinstance(fault, Exception):
            failed(fault)
        else:
            done(ended.result())


class AsyncioEnvironment:
    """Clocks, timers, chance and hashing of one process; made inside its running loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        secret: str,
        seed: int | None = None,
        password_cost: PasswordCost = PasswordCost(),  # noqa: B008 - frozen
    ) -> None:
        """Take the key of the tokens; a `seed` fixes ids and draws, never secrets."""
        self.tokens: Tokens = JwtTokens(secret)
        self._loop = loop
        self._hasher = PasswordHasher(loop, password_cost)
        self._workers = Workers(loop)
        self._chance = random.Random(seed) if seed is not None else random.SystemRandom()

    def monotonic_ns(self) -> int:
        """Return the loop's own kind of clock, which never goes back."""
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        """Return nanoseconds since the Unix epoch."""
        return time.time_ns()

    def call_at(self, monotonic_ns: int, callback: Callable[[], None]) -> Cancelable:
        """Run `callback` once that time has come."""
        # A loop's clock may be coarser than ours: never early, so that a timer finds its deadline due.
        delay_ns = max(0, monotonic_ns - time.monotonic_ns())
        return self._loop.call_later(delay_ns / SECOND_NS, self._when_due, monotonic_ns, callback)

    def _when_due(self, monotonic_ns: int, callback: Callable[[], None]) -> None:
        if time.monotonic_ns() >= monotonic_ns:
            callback()
        else:
            self._loop.call_later(0.001, self._when_due, monotonic_ns, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run `callback` after what runs now."""
        self._loop.call_soon(callback)

    def new_id(self) -> str:
        """Return a UUID v4 (RFC 9562 §5.4): 122 bits of chance behind the marks of version and variant."""
        # What uuid.UUID would say, at a quarter of its cost.
        bits = self._chance.getrandbits(128)
        text = f"{bits & _ID_CHANCE | _ID_MARKS:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def new_secret(self) -> str:
        """Return 256 bits of the operating system's chance as text, whatever the seed."""
        return new_secret()

    def draw(self) -> float:
        """Return a number in [0, 1)."""
        return self._chance.random()

    def offload(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        """Run work that blocks on a worker thread, then `done` or `failed` on the loop."""
        self._workers.offload(work, done, failed)

    def hash_password(self, password: str, done: Callable[[str | None], None]) -> None:
        """Hash off the loop, then `done(hash)`; `done(None)` when too many wait."""
        self._hasher.hash(password, done)

    def verify_password(self, password_hash: str, password: str, done: Callable[[bool | None], None]) -> None:
        """Verify off the loop, then `done(matches)`; `done(None)` when too many wait."""
        self._hasher.verify(password_hash, password, done)

    def close(self) -> None:
        """Let go of the threads."""
        self._hasher.close()
        self._workers.close()
