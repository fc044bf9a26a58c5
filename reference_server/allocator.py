"""Where a server's Python objects come from: the system's malloc, which gives memory back by the page.

Python's own allocator gives back a MiB only when nothing in all of it is used. What others make while fifteen thousand
connections are there lies between these, so that more of what they took stays with the process: some 8 MiB of 32, where
it is 4 with malloc. The price: a read takes 8 % more time, a submit no more.
"""

import os
import sys
from typing import Final

VARIABLE: Final = "PYTHONMALLOC"
"""What the interpreter reads once, when it starts; whoever sets it decides, `pymalloc` for Python's own."""


def use_malloc() -> None:
    """Start this interpreter again, in this process, with malloc; go on as it is where that was done or can't be.

    Only where malloc is glibc's, which alone can be told to give back (spare_memory).
    """
    if VARIABLE in os.environ or sys.flags.dev_mode or not sys.executable or not _is_glibc():
        return
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {VARIABLE: "malloc"})
    except OSError:
        # Served all the same: it is memory that is at stake, not truth.
        return


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):
        return False
