"""The history: what each recorder saw, in its own order (design law 5).

A recorder writes one file; an event carries recorder, index, monotonic ns and host. An index is total within one
recorder: `invoke` is recorded before the send, `received` after the read. Across recorders only intervals on one
host's monotonic clock count. Secrets never enter: `Recorder` masks every string it was told to.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

Kind = Literal[
    # REST, by a client: invoke, then one of ok (2xx), fail (an answer that is none), info (no answer came)
    "invoke", "ok", "fail", "info",
    # socket, by a client
    "connecting", "opened", "refused", "received", "sent", "closed", "frame",
    # reconnect machine, by a client: what it decided (delay, give up, reload)
    "client",
    # server: the acceptance tap
    "accepted",
    # runner: phases, faults, people, notes
    "phase", "fault", "person", "note", "process",
    # browser: constructor calls, console, what a page shows, navigations, axe, layout
    "construct", "console", "shows", "navigated", "requested", "axe", "layout", "toast",
    # load: a histogram or a sum
    "sample",
]  # fmt: skip


class Event(Struct, frozen=True, omit_defaults=True):
    """One fact.

    `op` pairs an invoke with its completion; `connection` names a socket (`c3`) or a page (`p1`); `account` is the
    account's id or name in the scenario; `case` names a row of a conformance suite. `data` by kind:

    invoke    {operation, method, path, query?, body?, headers?(names)}      ok/fail {status, body, headers, ms}
    info      {why}                                                          refused {status, body?}
    received  {message: the envelope, bytes}                                 sent {message | opcode}
    closed    {code, reason, clean, by: "peer"|"self", after_ms}             frame {opcode, bytes} control frames
    client    {effect, ...}                                                  accepted {seq, audience, type, digest}
    phase     {name: "start"|"faults"|"healed"|"quiet"|"end"}                fault {name, action: "inject"|"heal", ...}
    person    {name, account_id, role}                                       process {action, code?}
    """

    recorder: str
    index: int
    at_ns: int
    kind: Kind
    op: int | None = None
    connection: str | None = None
    account: str | None = None
    case: str | None = None
    data: dict[str, Any] = {}

    @property
    def ref(self) -> str:
        """How evidence cites it: `client#412`."""
        return f"{self.recorder}#{self.index}"


class Sink(Protocol):
    """Where a recorder's events go."""

    def __call__(self, event: Event, /) -> None:
        """Take one event."""


class Recorder:
    """Give events their index and instant, mask secrets, and hand them to a sink, in order."""

    def __init__(self, name: str, monotonic_ns: Callable[[], int], sink: Sink) -> None:
        self.name = name
        self._monotonic_ns = monotonic_ns
        self._sink = sink
        self._index = 0
        self._ops = 0
        self._secrets: list[str] = []

    def now_ns(self) -> int:
        """Return the instant that an event recorded now would carry."""
        return self._monotonic_ns()

    def mask(self, secret: str) -> None:
        """Let `secret` never appear in an event from now on."""
        if secret and secret not in self._secrets:
            self._secrets.append(secret)

    def next_op(self) -> int:
        """Return a number that pairs an invoke with its completion."""
        self._ops += 1
        return self._ops

    def record(
        self,
        kind: Kind,
        *,
        op: int | None = None,
        connection: str | None = None,
        account: str | None = None,
        case: str | None = None,
        **data: Any,
    ) -> Event:
        """Record one event and return it."""
        clean = {key: masked(value, self._secrets) for key, value in data.items()}
        event = Event(self.name, self._index, self._monotonic_ns(), kind, op, connection, account, case, clean)
        self._index += 1
        self._sink(event)
        return event


def masked(value: Any, secrets: Sequence[str]) -> Any:
    """Return `value` with every secret in every string (keys too) replaced by `***`."""
    match value:
        case str():
            for secret in secrets:
                if secret in value:
                    value = value.replace(secret, "***")
            return value
        case dict():
            return {masked(key, secrets): masked(item, secrets) for key, item in value.items()}
        case list() | tuple():
            return [masked(item, secrets) for item in value]
        case _:
            return value


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Event).decode


def encode(event: Event) -> bytes:
    """Return the event as one line of JSON, without the newline."""
    return _encode(event)


class FileSink:
    """Append events to `<folder>/<recorder>.jsonl`, a line each; flushed at every event so a crash keeps them."""

    def __init__(self, folder: Path, recorder: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"{recorder}.jsonl").open("ab")

    def __call__(self, event: Event) -> None:
        self._file.write(encode(event) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_history(folder: Path) -> Iterator[Event]:
    """Yield every recorder's events merged by instant; raises ValueError naming the line that is no event."""
    events: list[Event] = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            try:
                events.append(_decode(line))
            except msgspec.DecodeError as fault:
                raise ValueError(f"{path.name} line {number} is no event: {fault}; was the run cut off?") from fault
    yield from merged(events)


def merged(events: Sequence[Event]) -> list[Event]:
    """Return the events by instant; ties by recorder and index, so that the order depends on nothing else."""
    return sorted(events, key=lambda event: (event.at_ns, event.recorder, event.index))
