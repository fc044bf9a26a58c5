"""The sink, a process of its own: holds the connections of one server, publishes, and counts what comes of it.

`python -m harness.bench.sink` reads commands from stdin, a line of JSON each, and answers each with a line. Streams are
swept at a fixed period and never waited for: a sleeping reader that the kernel must wake for every frame would cost the
server more than the frame. The publisher shares the process and is looked at between the reads of a sweep: in a process
of its own it waits for the core, and the server for it. While no command runs, a sweep a second answers pings.
"""

import gc
import os
import select
import sys
import time
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from harness.bench.clients import heard_plan, say
from harness.bench.publisher import Publisher
from harness.bench.rounds import Round, Spent
from harness.bench.streams import Streams

SWEEP_S: Final = 0.004
IDLE_SWEEP_S: Final = 1.0
QUIET_S: Final = 0.05
"""How long after the last frame nothing more may come."""


class Plan(Struct, frozen=True):
    """Whom to connect to and what to publish; the first line, answered by `Done`.

    `publishes` are sent in turn; with N of them, the messages of each go to every Nth of the streams, from its own
    place on.
    """

    host: str
    port: int
    publish_port: int
    server_pid: int
    publishes: list[bytes]
    frame_bytes: int
    welcomes: int
    drain_s_max: float = 15.0


class Open(Struct, frozen=True, tag=True):
    """Open a stream for each of these handshakes; answered by `Done`."""

    upgrades: list[bytes]


class Leave(Struct, frozen=True, tag=True):
    """Reset all streams; answered by `Done`."""


class Rest(Struct, frozen=True, tag=True):
    """Look whether every stream is still there and nothing came; answered by `Done`."""


class Fan(Struct, frozen=True, tag=True):
    """Publish on so many connections, at once or each by itself, again and again for so long; answered by `Round`."""

    together: int
    seconds: float
    at_once: bool = True


class Done(Struct, frozen=True):
    """A command is over; `fault` says what went wrong, `pings` how many of the server were answered until now."""

    fault: str = ""
    pings: int = 0


Command: TypeAlias = Open | Leave | Rest | Fan


class Sink:
    """The streams of one server and who publishes to them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.streams = Streams(plan.host, plan.port, plan.frame_bytes)

    def obey(self, command: Command) -> Done | Round:
        """Carry out one command."""
        match command:
            case Open(upgrades):
                return self._opened(upgrades)
            case Leave():
                self.streams.leave()
                return Done()
            case Rest():
                self.idle()
                return Done(self.streams.fault([0] * len(self.streams)), self.streams.pings)
            case Fan():
                return self.fan(command)

    def idle(self) -> None:
        """Answer pings."""
        self.streams.sweep(_nothing)

    def _opened(self, upgrades: list[bytes]) -> Done:
        self.idle()
        try:
            self.streams.open(upgrades, self.plan.welcomes)
        except (OSError, RuntimeError) as fault:
            return Done(f"{len(self.streams)} connections opened, then: {fault}")
        return Done()

    def fan(self, fan: Fan) -> Round:
        """Publish for so long, then read to the end."""
        self.idle()
        self.streams.begin()
        try:
            plan = self.plan
            publisher = Publisher(plan.host, plan.publish_port, plan.publishes, fan.together, at_once=fan.at_once)
        except OSError as fault:
            refused = isinstance(fault, ConnectionError | TimeoutError)
            return Round.void(f"no connection to publish on: {fault}", own=not refused)
        try:
            return self._counted(publisher, fan.seconds)
        finally:
            publisher.close()

    def _counted(self, publisher: Publisher, seconds: float) -> Round:
        pids = (self.plan.server_pid, os.getpid())
        before, started = [Spent.by(pid) for pid in pids], time.monotonic()
        self._publish(publisher, started + seconds)
        if not publisher.fault:
            self._drain(publisher.deliveries * self.plan.frame_bytes)
        lasted_s = time.monotonic() - started
        server, own = (Spent.by(pid).since(earlier) for pid, earlier in zip(pids, before, strict=True))
        fault = publisher.fault or self._at_quiet(publisher)
        published, read_bytes = publisher.published, self.streams.bytes_read
        in_full = len(publisher.numbers(self.streams.in_full))
        counted = (published, publisher.deliveries, read_bytes, lasted_s)
        return Round(*counted, server, own, fault, read_in_full=in_full)

    def _publish(self, publisher: Publisher, until: float) -> None:
        publisher.going = True
        publisher.publish()
        due = time.monotonic() + SWEEP_S
        while due < until and not publisher.fault:
            while (left_s := due - time.monotonic()) > 0:
                publisher.turn(left_s)
            self.streams.sweep(publisher.turn)
            due = max(due + SWEEP_S, time.monotonic())
        publisher.finish(time.monotonic() + self.plan.drain_s_max)

    def _drain(self, expected_bytes: int) -> None:
        deadline = time.monotonic() + self.plan.drain_s_max
        while self.streams.bytes_read < expected_bytes and time.monotonic() < deadline:
            self.streams.sweep(_nothing)

    def _at_quiet(self, publisher: Publisher) -> str:
        """Look once more when nothing is due: a doubled frame comes late."""
        select.select([], [], [], QUIET_S)
        self.streams.sweep(_nothing)
        times = publisher.times()
        expected = [times[number % len(times)] for number in range(len(self.streams))]
        if publisher.deliveries != sum(expected):
            return f"{publisher.published} publishes named {publisher.deliveries} recipients where {sum(expected)} were"
        return self.streams.fault(expected, publisher.numbers(self.streams.in_full))


def _nothing() -> None:
    """Stand where a publisher would be looked at."""


def main() -> None:
    """Obey until stdin ends."""
    sink = Sink(heard_plan(Plan))
    commands = msgspec.json.Decoder[Command](Command)
    gc.freeze()
    say(Done())
    # The parent waits for each answer before it says more: a line in the buffer of stdin would not wake this.
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], IDLE_SWEEP_S)
        if not ready:
            sink.idle()
            continue
        line = sys.stdin.buffer.readline()
        if not line:
            return
        say(sink.obey(commands.decode(line)))


if __name__ == "__main__":
    main()
