"""The users of one load process as a crew: they register, connect, submit and leave together, phase by phase.

Registering burns a core in argon2 and connecting has its own rate, so each has its own window, before the measured one
opens. A user that drops out arrives at every barrier, or the others would wait for it. Imports gevent, not Locust.
"""

import time
from pathlib import Path
from typing import Final

import gevent
from gevent.event import Event

from loadtests.ledger import Ledger, Sums
from loadtests.plan import Plan
from loadtests.recording import LOOP_LAG, NS_PER_S, Recording, Sample, write_sample

LAG_PERIOD_NS: Final = 10_000_000
SETTLE_S: Final = 0.25
"""Between the last welcome and the first submit: what connecting left behind in both processes ends here."""


class Barrier:
    """Opens when as many have arrived as are awaited."""

    def __init__(self) -> None:
        self._arrived = 0
        self._awaited: int | None = None
        self._open = Event()
        self.opened_ns = 0

    def await_count(self, count: int) -> None:
        """Say how many are awaited."""
        self._awaited = count
        self._look()

    def arrive(self, count: int = 1) -> None:
        """Count arrivals."""
        self._arrived += count
        self._look()

    def wait(self, deadline_s: float) -> bool:
        """Wait until it opens; False when the deadline came first."""
        return bool(self._open.wait(deadline_s))

    def _look(self) -> None:
        if self._awaited is not None and self._arrived >= self._awaited and not self._open.is_set():
            self.opened_ns = time.monotonic_ns()
            self._open.set()


class Crew:
    """What the users of this process share: plan, barriers, recording, ledgers."""

    def __init__(self, plan: Plan, recorder: str = "") -> None:
        self.plan = plan
        self.recorder = recorder or f"worker-{plan.attempt}"
        self.recording = Recording()
        self.ledgers: list[Ledger] = []
        self.spawned, self.registered, self.connected, self.left = Barrier(), Barrier(), Barrier(), Barrier()
        self.size = 0
        self.ready = 0
        self.broken: list[str] = []
        self.end_ns = 0
        self._written = False

    def join(self, tag: str) -> tuple[int, Ledger]:
        """Take in a user; return its number within the process and its ledger."""
        number = len(self.ledgers)
        ledger = Ledger(f"zsh-{self.plan.run}-{tag}{self.recorder.removeprefix('worker-')}x{number}")
        self.ledgers.append(ledger)
        self.spawned.arrive()
        return number, ledger

    def complete(self, user_count: int) -> None:
        """Say how many users this process has: all of them are spawned."""
        self.size = user_count
        for barrier in (self.spawned, self.registered, self.connected, self.left):
            barrier.await_count(user_count)

    def drop(self) -> None:
        """Let a user that failed hold nobody up; it may have arrived at some barriers already, which opens none early
        that matters: the run is lost anyway."""
        for barrier in (self.registered, self.connected, self.left):
            barrier.arrive()

    def turn(self, since_ns: int, number: int, rate_per_s: float) -> None:
        """Wait for this user's turn in a phase that lets `rate_per_s` users begin."""
        sleep_until(since_ns + int(number * NS_PER_S / rate_per_s))

    def open_window(self) -> None:
        """Open the measured window, once, for all users of this process, and watch the loop while it is open."""
        if self.recording.start_ns:
            return
        self.recording.start_ns = self.connected.opened_ns + int(SETTLE_S * NS_PER_S)
        self.end_ns = self.recording.start_ns + int(self.plan.duration_s * NS_PER_S)
        gevent.spawn(self._watch_loop)

    def write(self) -> None:
        """Write the sample file, once."""
        if self._written:
            return
        self._written = True
        if not self.left.wait(0):
            self.recording.fault("users had not left when the run ended")
            # Whoever was stopped while it read can't tell what else would have come.
            for ledger in self.ledgers:
                ledger.cut()
        ledgers = {ledger.owner: ledger.sums() for ledger in self.ledgers}
        sample = self._sample(ledgers)
        write_sample(Path(self.plan.run_dir), sample)

    def _sample(self, ledgers: dict[str, Sums]) -> Sample:
        return Sample(
            recorder=self.recorder,
            series=self.recording.series(),
            messages=self.recording.messages,
            ledgers=ledgers,
            users_asked=self.size,
            users_ready=self.ready,
            measured_s=self.plan.duration_s if self.recording.start_ns else 0.0,
            faults=self.recording.faults,
        )

    def _watch_loop(self) -> None:
        """An absolute schedule: a stall of two seconds counts as two hundred late ticks, not as one."""
        due = self.recording.start_ns
        while due < self.end_ns:
            sleep_until(due)
            now = time.monotonic_ns()
            self.recording.add(LOOP_LAG, now, now - due)
            due += LAG_PERIOD_NS


def sleep_until(instant_ns: int) -> None:
    """Let other greenlets run until an instant of the monotonic clock; returns at once, but yields, when it is past."""
    gevent.sleep(max(0, instant_ns - time.monotonic_ns()) / NS_PER_S)
