"""Load clients on a leash: processes of their own that say when they are ready, and end what they do when told.

Each is a module run as `python -m`, reads its plan as a line of JSON, and answers with lines of JSON; an empty line
(or one that says what to do) tells it to go on, the end of its input to end. Without its bench it ends too.
"""

import contextlib
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from harness.bench.children import close_stdin, send, started

T = TypeVar("T")
LINE_BYTES_MAX: Final = 1024 * 1024
END_S_MAX: Final = 15.0


class Ready(Struct, frozen=True):
    """What a client says first: all its connections are open; `note` is for the reader of the table."""

    note: str = ""


class Client:
    """One such process; see `running`."""

    def __init__(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        self._read = b""

    def tell(self, what: Struct | None = None) -> None:
        """Tell it to go on, or what to do; raises RuntimeError when it has ended."""
        try:
            send(self._child, (b"" if what is None else msgspec.json.encode(what)) + b"\n")
        except BrokenPipeError:
            raise RuntimeError(self._ended()) from None

    def said(self, kind: type[T], seconds_max: float) -> T:
        """Return what it says next; raises RuntimeError when it ends or is silent for longer."""
        deadline = time.monotonic() + seconds_max
        while b"\n" not in self._read:
            self._read += self._more(deadline)
        line, _, self._read = self._read.partition(b"\n")
        return msgspec.json.decode(line, type=kind)

    def _more(self, deadline: float) -> bytes:
        stream = self._child.stdout
        if stream is None or len(self._read) > LINE_BYTES_MAX:
            raise RuntimeError("the load client said too much")
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise RuntimeError("the load client said nothing in time")
        data = os.read(stream.fileno(), 65536)
        if not data:
            raise RuntimeError(self._ended())
        return data

    def _ended(self) -> str:
        return f"the load client ended with {self._child.wait(END_S_MAX)}; see its stderr above"


@contextlib.contextmanager
def running(cores: AbstractSet[int], module: str, plan: Struct) -> Iterator[Client]:
    """Start `python -m module` on these cores with its plan; it is ended whatever happens."""
    child = started(cores, [module], stdin=subprocess.PIPE)
    client = Client(child)
    try:
        client.tell(plan)
        yield client
        _end(child)
    finally:
        child.kill()
        child.communicate()


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Let it leave in its own way."""
    close_stdin(child)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(END_S_MAX)


# the client's end of the leash


def say(what: Struct) -> None:
    """Answer with one line."""
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


def heard_plan(kind: type[T]) -> T:
    """Read the plan."""
    return msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)


def heard_more() -> bool:
    """Wait until told to go on; false when told to end."""
    return bool(sys.stdin.buffer.readline())
