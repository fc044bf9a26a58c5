"""The sink as its bench sees it: a load client that is told one thing after another."""

import contextlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from harness.bench.clients import Client, running
from harness.bench.rounds import Round
from harness.bench.sink import Command, Done, Fan, Leave, Open, Plan, Rest

ANSWER_S_MAX: Final = 60.0
Answer = TypeVar("Answer", Done, Round)


class SinkProcess:
    """One sink; what it is told and does not do in time raises RuntimeError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open(self, upgrades: Sequence[bytes]) -> None:
        """Open a stream for each handshake; raises RuntimeError when one fails."""
        self._done(Open(list(upgrades)))

    def leave(self) -> None:
        """End all streams."""
        self._done(Leave())

    def check(self) -> int:
        """Return how many pings were answered until now; nothing may have been published.

        Raises RuntimeError when a stream is lost or something came on it.
        """
        return self._done(Rest()).pings

    def fan(self, together: int, seconds: float, *, at_once: bool = True) -> Round:
        """Publish for so long; return what was counted."""
        return self._told(Fan(together, seconds, at_once), Round, seconds + ANSWER_S_MAX)

    def _done(self, command: Command) -> Done:
        done = self._told(command, Done, ANSWER_S_MAX)
        if done.fault:
            raise RuntimeError(done.fault)
        return done

    def _told(self, command: Command, kind: type[Answer], deadline_s: float) -> Answer:
        self._client.tell(command)
        return self._client.said(kind, deadline_s)


@contextlib.contextmanager
def sinking(cores: AbstractSet[int], plan: Plan) -> Iterator[SinkProcess]:
    """Start a sink for one server; end it whatever happens."""
    with running(cores, "harness.bench.sink", plan) as client:
        # A line that came with the plan would wait unseen in the sink's buffer.
        client.said(Done, ANSWER_S_MAX)
        yield SinkProcess(client)
