"""Where a server's Python objects come from: the system's malloc, which gives memory back by the page.

Python's own allocator gives back a MiB only when nothing in all of it is used. What others make while fifteen thousand
connections are there lies between these, so that more of what they took stays with the process: some 8 MiB of 32, where
it is 4 with malloc. The price: a read takes about a tenth more time, a submit no more.
"""

import os
import signal
import sys
from typing import Final

VARIABLE: Final = "PYTHONMALLOC"
"""What the interpreter reads once, when it starts; whoever sets it decides, `pymalloc` for Python's own."""
ENDING: Final = (signal.SIGINT, signal.SIGTERM)
"""They wait while the interpreter starts again, until `hear_signals`: nobody would take them there."""


def use_malloc() -> None:
    """Start this interpreter again, in this process, with malloc; go on as it is where that was done or can't be.

    Only where malloc is glibc's, which alone can be told to give back (spare_memory).
    """
    if VARIABLE in os.environ or not (_can_start_again() and _is_glibc()):
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {VARIABLE: "malloc"})
    except OSError:
        # Served all the same: it is memory that is at stake, not truth.
        hear_signals()


def hear_signals() -> None:
    """Take the signals that came while the interpreter started again; to be called once there is a handler for them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _can_start_again() -> bool:
    """Say whether it would be the same: a script that came by a pipe is read, `-X dev` has an allocator of its own."""
    is_module = any(one.startswith("-m") for one in sys.orig_argv)
    return is_module and bool(sys.executable) and not (sys.flags.dev_mode or sys.flags.ignore_environment)


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):
        return False
