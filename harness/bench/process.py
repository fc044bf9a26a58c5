"""The server under the bench: a child on its own core with limits off, and the loads put on it from another."""

import contextlib
import secrets
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, AnyStr, Final

import msgspec

from harness.bench.children import close_stdin, folder, send, started
from harness.bench.load import Count, Plan

READY: Final = "ready http://"
START_S_MAX: Final = 60.0
STOP_S_MAX: Final = 15.0
LOAD_S_MAX: Final = 60.0
OPTIONS: Final = ("--limits", "off", "--queue-max", "100000000")
"""A queue that never fills, so that what is measured is the submit and not its refusal."""


ADMIN: Final = {"email": "admin@example.com", "password": secrets.token_urlsafe(16)}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready; `ready_s` is how long that took, `tokens` are those of its numbered accounts."""

    host: str
    port: int
    pid: int
    ready_s: float
    tokens: tuple[str, ...] = field(default=(), repr=False)


@contextlib.contextmanager
def serving(cores: AbstractSet[int], *options: str, accounts: int = 0) -> Iterator[Server]:
    """Start a server on a database of its own, end it whatever happens; raises RuntimeError when it is not ready.

    It has an admin, `ADMIN`, and so many numbered accounts.
    """
    with folder() as path:
        database = path / "bench.db"
        options = ("--port", "0", "--db", str(database), *OPTIONS, "--accounts", str(accounts), *options)
        admin = {"ZEROSTATE_ADMIN_EMAIL": ADMIN["email"], "ZEROSTATE_ADMIN_PASSWORD": ADMIN["password"]}
        before_s = time.monotonic()
        with running(cores, ("reference_server", *options), admin) as (child, line):
            host, _, port = line.removeprefix(READY).strip().rpartition(":")
            if not line.startswith(READY):
                raise RuntimeError(f"the server said {line!r} instead of being ready; see its stderr above")
            ready_s = time.monotonic() - before_s
            yield Server(host, int(port), child.pid, ready_s, _tokens(Path(f"{database}.accounts"), accounts))


@contextlib.contextmanager
def running(
    cores: AbstractSet[int], module: Sequence[str], environment: Mapping[str, str] | None = None
) -> "Iterator[tuple[subprocess.Popen[bytes], str]]":
    """Start a module with its arguments on these cores; give the child and its first line, end it whatever happens."""
    child = started(cores, module, environment)
    try:
        yield child, (line_of(child.stdout, START_S_MAX) or b"").decode()
    finally:
        _end(child)


def counted(cores: AbstractSet[int], plans: Sequence[Plan]) -> list[Count]:
    """Put all loads on at once, each a process of its own on these cores; raises RuntimeError when one breaks."""
    children: list[subprocess.Popen[bytes]] = []
    try:
        children.extend(started(cores, ["harness.bench.load"], stdin=subprocess.PIPE) for _ in plans)
        for child, plan in zip(children, plans, strict=True):
            send(child, msgspec.json.encode(plan))
            close_stdin(child)
        return [_count_of(child, plan) for child, plan in zip(children, plans, strict=True)]
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _tokens(path: Path, accounts: int) -> tuple[str, ...]:
    """Return the tokens that the server wrote for its numbered accounts."""
    if not accounts:
        return ()
    return tuple(msgspec.json.decode(line)["token"] for line in path.read_bytes().splitlines())


def _count_of(child: "subprocess.Popen[bytes]", plan: Plan) -> Count:
    try:
        said, _ = child.communicate(timeout=plan.warm_up_s + plan.seconds + LOAD_S_MAX)
    except subprocess.TimeoutExpired:
        raise RuntimeError("the load client said nothing in time") from None
    if child.returncode:
        raise RuntimeError(f"the load client ended with {child.returncode}; see its stderr above")
    return msgspec.json.decode(said, type=Count)


def line_of(stream: IO[AnyStr] | None, deadline_s: float) -> AnyStr | None:
    """Return a child's next line; None when none comes in time or at all. Nothing else may read of the stream."""
    if stream is None or not select.select([stream], [], [], deadline_s)[0]:
        return None
    return stream.readline() or None


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        child.kill()
    child.communicate()
