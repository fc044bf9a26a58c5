"""Processes that the bench starts: no Ctrl-C at its terminal reaches them, and they are gone when it is, killed or not.

The kernel ends them with the bench (Linux); what a killed bench would leave on the disk, a shell removes that waits for
the end of a pipe.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final

from harness.bench.machine import pinned

PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that a process gets when its parent has ended."""
_GUARD: Final = 'read -r _; sleep 1; rm -rf -- "$1"'
"""The second is for whoever still writes there: the kernel closes a dead bench's pipes before it ends its children."""


def started(
    cores: AbstractSet[int],
    module: Sequence[str],
    environment: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """Start `python -m` with a module and its arguments on these cores; its pipes are unbuffered."""
    with pinned(cores):
        return subprocess.Popen(
            [sys.executable, "-P", "-m", *module],
            stdin=stdin,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=os.environ | (environment or {}),
            start_new_session=True,
            # No thread of the bench is at work when it starts a child.
            preexec_fn=_ending_with_parent(),  # noqa: PLW1509
        )


def send(child: "subprocess.Popen[bytes]", data: bytes) -> None:
    """Write all of it; raises BrokenPipeError when the child has ended."""
    rest = memoryview(data)
    while child.stdin is not None and rest:
        # Unbuffered: a pipe takes what it has room for.
        rest = rest[child.stdin.write(rest) or 0 :]


def close_stdin(child: "subprocess.Popen[bytes]") -> None:
    """Let the child read to the end of its input."""
    if child.stdin is not None:
        child.stdin.close()
        child.stdin = None


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a folder for a child's files; it is removed whatever happens, SIGKILL included."""
    with tempfile.TemporaryDirectory(prefix="zsh-bench-") as path:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", path], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
        )
        try:
            yield Path(path)
        finally:
            guard.kill()
            guard.communicate()


def _ending_with_parent() -> Callable[[], None] | None:
    """Return what a child says of itself before it becomes a program; nothing where the system has no such thing."""
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # A parent that ended before the call tells nobody any more.
        if os.getppid() != parent:
            os._exit(1)

    return ask
