"""Who takes part in a contest of sockets: the reference server and its rivals, each started with a sink of its own."""

import contextlib
import select
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Final

from harness.bench.accounts import admin_token, sends
from harness.bench.calls import head
from harness.bench.numbering import NUMBERED
from harness.bench.process import running, serving
from harness.bench.rivals.catalog import RIVALS
from harness.bench.rivals.publishing import HOST, MESSAGE_BYTES, request
from harness.bench.setting import Setting
from harness.bench.sink import Plan
from harness.bench.sinks import SinkProcess, sinking
from harness.bench.upgrades import upgrade
from reference_server.contract.limits import SOCKETS_PER_ACCOUNT_MAX

OURS: Final = "ours"
WELCOMES: Final = 1
"""Messages that each of the servers says before any that is published."""
FRAME_HEAD_BYTES: Final = 4
"""Of a text frame of 126 to 65,535 bytes (RFC 6455 §5.2)."""
SOCKETS: Final = (OURS, *(name for name in RIVALS if name != "floor"))
"""Those who hold a connection in the sense that a server does."""
NO_TOKEN: Final = "none"
_ENVELOPE: Final = '{"type":"system","timestamp":"2026-01-01T00:00:00.000000Z","data":{"message":"","level":"info"}}'
_FOR_ONE: Final = ',"user_id":"00000000-0000-4000-8000-000000000000"'
"""What the envelope of a message for one user has beside that (contract §5)."""
_TO_ALL: Final = NUMBERED.ljust(MESSAGE_BYTES - len(_ENVELOPE), "x")
_TO_ONE: Final = NUMBERED.ljust(MESSAGE_BYTES - len(_ENVELOPE) - len(_FOR_ONE), "x")
PUBLISH: Final = {"type": "system", "data": {"message": _TO_ALL, "level": "info"}}
"""What the reference server makes an envelope of exactly `MESSAGE_BYTES` of, with the number of its publish in it."""


class MissingError(Exception):
    """A rival is not to be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One server under the bench, and the sink that holds its connections."""

    name: str
    pid: int
    sink: SinkProcess
    upgrades: Iterator[bytes]
    """Handshakes of all accounts in turn, without end: so none has more sockets than another (contract §2 limits)."""

    def open(self, connections: int) -> None:
        """Open so many connections more."""
        self.sink.open(list(islice(self.upgrades, connections)))


@contextlib.contextmanager
def contestant(setting: Setting, name: str, connections: int, audiences: int = 1) -> Iterator[Contestant]:
    """Start one of the servers, able to hold so many connections; raises MissingError where it is not to be had.

    With one audience each publish goes to everyone; with N, to every Nth connection in turn.
    """
    with started(setting, name, connections, audiences) as (plan, tokens), sinking(setting.load_cores, plan) as sink:
        yield Contestant(name, plan.server_pid, sink, cycle(map(upgrade, tokens)))


@contextlib.contextmanager
def started(setting: Setting, name: str, connections: int, audiences: int = 1) -> Iterator[tuple[Plan, Sequence[str]]]:
    """Start one of the servers alone; give what its sink would be told, and the tokens to connect with in turn."""
    if not hasattr(select, "epoll"):
        raise MissingError("sockets are measured on Linux only (epoll)")
    chosen = _ours if name == OURS else _rival
    with chosen(setting, name, connections, audiences) as told:
        yield told


@contextlib.contextmanager
def _ours(setting: Setting, _: str, connections: int, audiences: int) -> Iterator[tuple[Plan, Sequence[str]]]:
    """An audience that is not everyone is an account, whose connections are every Nth by the order of handshakes."""
    accounts = audiences if audiences > 1 else -(-connections // SOCKETS_PER_ACCOUNT_MAX)
    with serving(setting.server_cores, accounts=accounts) as server:
        admin = admin_token(server)
        broadcast = [head("POST", "/ws/broadcast", admin, PUBLISH)]
        publishes = sends(server.tokens, admin, _TO_ONE) if audiences > 1 else broadcast
        yield _plan(server.host, server.port, server.port, server.pid, publishes), server.tokens


@contextlib.contextmanager
def _rival(setting: Setting, name: str, connections: int, audiences: int) -> Iterator[tuple[Plan, Sequence[str]]]:
    pick = [range(first, connections, audiences) for first in range(audiences)] if audiences > 1 else [()]
    publishes = [request(numbers) for numbers in pick]
    with running(setting.server_cores, ("harness.bench.rivals", RIVALS[name].name)) as (child, line):
        said, _, rest = line.strip().partition(" ")
        if said == "missing":
            raise MissingError(rest)
        if said != "ready":
            raise MissingError(f"{name} said {line!r} instead of being ready; see its stderr above")
        port, publish_port = map(int, rest.split())
        yield _plan(HOST, port, publish_port, child.pid, publishes), (NO_TOKEN,)


def _plan(host: str, port: int, publish_port: int, pid: int, publishes: list[bytes]) -> Plan:
    return Plan(host, port, publish_port, pid, publishes, FRAME_HEAD_BYTES + MESSAGE_BYTES, WELCOMES)
