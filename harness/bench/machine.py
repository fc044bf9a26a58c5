"""What the machine says: its cores, what a process took of them, and how much its neighbours take now."""

import contextlib
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Final

from msgspec import Struct

ROUNDS: Final = 5
GIVEN_BACK_S: Final = 3.0
"""How long after connections left the server has given back what they held: it does so 2 s after the last of them."""
GIT_S_MAX: Final = 10.0
LIBRARIES: Final = ("uvicorn", "uvloop", "websockets", "picows", "httptools", "msgspec")
"""What a figure may hang on, by the name of its distribution."""
_LOOPS: Final = 400_000
_UTIME: Final = 11
_MIB: Final = 1024 * 1024


class Machine(Struct, frozen=True):
    """What a figure was measured on: versions (None: not installed) and how many cores there are."""

    python: str
    libraries: dict[str, str | None]
    kernel: str
    cores: int

    def __str__(self) -> str:
        libraries = ", ".join(f"{name} {version or 'missing'}" for name, version in self.libraries.items())
        return f"Python {self.python}, {libraries}; kernel {self.kernel}; {counted(self.cores, 'core')}"


def counted(number: int, noun: str) -> str:
    """Return so many of something, in words."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def machine() -> Machine:
    """Return what this process runs on."""
    chosen, rest = cores()
    number = len(chosen | rest) or os.cpu_count() or 1
    kernel = f"{platform.system()} {platform.release()}"
    return Machine(platform.python_version(), {name: _version(name) for name in LIBRARIES}, kernel, number)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """Return the commit that is checked out where this code lies, marked where files differ; None outside of git."""
    top = Path(__file__).parents[2]
    if not (top / ".git").exists():
        return None
    try:
        said = [_git(top, "rev-parse", "HEAD"), _git(top, "status", "--porcelain", "--untracked-files=no")]
    except (OSError, subprocess.SubprocessError):
        return None
    return said[0] + (" with changes" if said[1] else "")


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=GIT_S_MAX).stdout.strip()


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


def shares(cpu: float | None, waited: float | None, seconds: float) -> tuple[float | None, float | None]:
    """Return the part of a time in which a process had or wanted its core, and that in which others had it.

    What the first thread waited for may be the process's own other threads: others had at most the rest of the core.
    """
    if cpu is None:
        return None, None
    had = cpu / seconds
    wanted = min((waited or 0.0) / seconds, max(0.0, 1 - had))
    return had + wanted, None if waited is None else wanted


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


def open_files(pid: int) -> int | None:
    """Return how many files a process has open; None where /proc is not to be had."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None


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
