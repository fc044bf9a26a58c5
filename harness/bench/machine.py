"""What the machine says: its cores, what a process took of them, and how much its neighbours take now."""

import contextlib
import os
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from statistics import median
from typing import Final

ROUNDS: Final = 5
_LOOPS: Final = 400_000
_UTIME: Final = 11
_MIB: Final = 1024 * 1024


def cores() -> tuple[AbstractSet[int], AbstractSet[int]]:
    """Return the cores of the server and those of its load; none where a process can't choose its own."""
    if not hasattr(os, "sched_getaffinity"):
        return frozenset(), frozenset()
    first, *rest = sorted(os.sched_getaffinity(0))
    return frozenset({first}), frozenset(rest or {first})


@contextlib.contextmanager
def pinned(chosen: AbstractSet[int]) -> Iterator[None]:
    """Run on these cores alone meanwhile, children started meanwhile for ever; where that can't be said, anywhere."""
    if not chosen:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_s(pid: int) -> float | None:
    """Return the CPU time a process took, user and system, in seconds; None where /proc is not to be had."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return None
    # The command's name may hold spaces: fields are counted behind its bracket.
    fields = text.rpartition(")")[2].split()
    return (int(fields[_UTIME]) + int(fields[_UTIME + 1])) / os.sysconf("SC_CLK_TCK")


def waited_s(pid: int) -> float | None:
    """Return how long a process's first thread was ready to run and its core was another's; None without /proc."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def resident_mib(pid: int) -> float | None:
    """Return the resident memory of a process in MiB; None where /proc is not to be had."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB


def file_limit() -> int:
    """Return how many files a process may open, and let this one and its children open that many."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def calibration_ms(chosen: AbstractSet[int]) -> float:
    """Return how long a fixed piece of work takes on these cores now; its change over a run is the machine's noise."""
    with pinned(chosen):
        return median(_round_ms() for _ in range(ROUNDS))


def _round_ms() -> float:
    started_ns = time.perf_counter_ns()
    total = 0
    for number in range(_LOOPS):
        total += number & 7
    return (time.perf_counter_ns() - started_ns) / 1e6
