"""A deterministic loop on virtual time: callbacks run in the order of (time, number), coroutines ride on promises.

Nothing waits for real: when no callback is due, the clock jumps to the next one. When nothing is left to do and the
main coroutine is not done, that is a deadlock and is said in words.
"""

import heapq
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Final, Generic, TypeVar, cast

T = TypeVar("T")
NS_PER_S: Final = 1_000_000_000
STEPS_MAX: Final = 2_000_000
_PENDING: Final = object()


class DeadlockError(Exception):
    """Nothing is left that could happen, and the main coroutine still waits."""

    def __init__(self, now_ns: int, waiting: int) -> None:
        super().__init__(
            f"deadlock at {now_ns / NS_PER_S:.3f} s of virtual time: {waiting} coroutines wait and nothing is due; "
            "give the wait a deadline"
        )


class StepLimitError(Exception):
    """The run took more steps than it may: something goes round without end."""

    def __init__(self, steps: int, now_ns: int) -> None:
        super().__init__(
            f"step limit: {steps} steps by {now_ns / NS_PER_S:.3f} s of virtual time, expected fewer; "
            "look for a callback that schedules itself"
        )


class Promise(Generic[T]):
    """A value that will come; await it. Settled once; later settlements are ignored."""

    __slots__ = ("_error", "_then", "_value")

    def __init__(self) -> None:
        self._value: Any = _PENDING
        self._error: BaseException | None = None
        self._then: list[Callable[[], None]] = []

    @property
    def done(self) -> bool:
        """Say whether it is settled."""
        return self._value is not _PENDING or self._error is not None

    def set(self, value: T) -> None:
        """Settle with a value."""
        if not self.done:
            self._value = value
            self._settle()

    def fail(self, error: BaseException) -> None:
        """Settle with an exception, raised in whoever awaits."""
        if not self.done:
            self._error = error
            self._settle()

    def then(self, callback: Callable[[], None]) -> None:
        """Call back when settled; at once when it is already."""
        if self.done:
            callback()
        else:
            self._then.append(callback)

    def result(self) -> T:
        """Return the value or raise the exception."""
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    def _settle(self) -> None:
        then, self._then = self._then, []
        for callback in then:
            callback()

    def __await__(self) -> Generator["Promise[Any]", None, T]:
        if not self.done:
            yield self
        return self.result()


class Timer:
    """A callback on the schedule; `cancel` calls it off."""

    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Forget the callback; nothing when it already ran."""
        self._callback = None

    def run(self) -> bool:
        """Run the callback unless it was canceled; say whether it ran."""
        callback, self._callback = self._callback, None
        if callback is None:
            return False
        callback()
        return True


class Scheduler:
    """One clock and one order for everything in a simulated world; not reentrant."""

    def __init__(self, start_ns: int = 0, steps_max: int = STEPS_MAX) -> None:
        self.now_ns = start_ns
        self.steps = 0
        self._steps_max = steps_max
        self._number = 0
        self._heap: list[tuple[int, int, Timer]] = []
        self._waiting = 0

    def call_at(self, at_ns: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` once that time has come, after all that was scheduled for it before."""
        timer = Timer(callback)
        self._number += 1
        heapq.heappush(self._heap, (max(at_ns, self.now_ns), self._number, timer))
        return timer

    def call_soon(self, callback: Callable[[], None]) -> Timer:
        """Run `callback` after what is due now."""
        return self.call_at(self.now_ns, callback)

    def spawn(self, work: Coroutine[Any, Any, T]) -> Promise[T]:
        """Start a coroutine; the promise settles with what it returns or raises."""
        promise: Promise[T] = Promise()
        self._waiting += 1
        self.call_soon(lambda: self._resume(work, promise))
        return promise

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        woken: Promise[None] = Promise()
        self.call_at(self.now_ns + round(seconds * NS_PER_S), lambda: woken.set(None))
        await woken

    async def gather(self, *jobs: Coroutine[Any, Any, None]) -> None:
        """Run jobs at the same time until all have ended; then raise the first error in their order."""
        promises = [self.spawn(job) for job in jobs]
        errors = [error for error in [await _ended(promise) for promise in promises] if error is not None]
        if errors:
            raise errors[0]

    def condition(self) -> "VirtualCondition":
        """Make something to wait for."""
        return VirtualCondition(self)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run everything until `main` has ended; raises what it raises, DeadlockError and StepLimitError."""
        promise = self.spawn(main)
        try:
            while not promise.done:
                self._step()
        finally:
            if not promise.done:
                main.close()
        return promise.result()

    def run_until(self, at_ns: int) -> None:
        """Run all that is due up to that time."""
        while self._heap and self._heap[0][0] <= at_ns:
            self._step()
        self.now_ns = max(self.now_ns, at_ns)

    def _step(self) -> None:
        if not self._heap:
            raise DeadlockError(self.now_ns, self._waiting)
        at_ns, _, timer = heapq.heappop(self._heap)
        self.now_ns = at_ns
        if timer.run():
            self.steps += 1
        if self.steps > self._steps_max:
            raise StepLimitError(self.steps, self.now_ns)

    def _resume(self, work: Coroutine[Any, Any, T], promise: Promise[T]) -> None:
        try:
            awaited: Promise[Any] = work.send(None)
        except StopIteration as stop:
            self._waiting -= 1
            promise.set(stop.value)
        except Exception as error:  # noqa: BLE001 - it is raised in whoever awaits the promise
            self._waiting -= 1
            promise.fail(error)
        else:
            awaited.then(lambda: self._wake(work, promise))

    def _wake(self, work: Coroutine[Any, Any, T], promise: Promise[T]) -> None:
        self.call_soon(lambda: self._resume(work, promise))


async def _ended(promise: Promise[None]) -> Exception | None:
    try:
        await promise
    except Exception as error:  # noqa: BLE001 - gather raises it once all have ended
        return error
    return None


class VirtualCondition:
    """Something to wait for on virtual time; `notify` lets every waiter look again."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._waiters: list[Promise[None]] = []

    def notify(self) -> None:
        """Wake whoever waits."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.set(None)

    async def wait(self, holds: Callable[[], bool], deadline_s: float) -> bool:
        """Wait until `holds()`; False when the deadline came first."""
        until_ns = self._scheduler.now_ns + round(deadline_s * NS_PER_S)
        while not holds():
            if self._scheduler.now_ns >= until_ns:
                return False
            woken: Promise[None] = Promise()
            self._waiters.append(woken)
            timer = self._scheduler.call_at(until_ns, lambda woken=woken: woken.set(None))  # type: ignore[misc]
            await woken
            timer.cancel()
        return True
