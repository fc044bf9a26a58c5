"""What ten thousand idle connections cost a server: resident memory a connection, and CPU while nothing happens.

Memory is that of the process (contract §8 P5): what the kernel holds for a socket is not in it. An allocator grows in
steps, and the first connections make what all later ones share: so some hundred come and leave before the level is
taken. One server after the other, since what they hold is all that is asked; five fresh ones of each, and the median.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import structs

from harness.bench.bars import Figure
from harness.bench.contestants import OURS, SOCKETS, Contestant, MissingError, contestant
from harness.bench.machine import GIVEN_BACK_S, counted, cpu_s, file_limit, open_files, resident_mib
from harness.bench.setting import Setting

CONNECTIONS: Final = 10_000
ROUNDS: Final = 5
OPENED_AT_ONCE: Final = 500
WARM_UPS: Final = 3
WARM_UP_CONNECTIONS: Final = 200
FILES_BESIDE: Final = 500
"""What a server has open beside its connections, at most."""
SETTLED_S: Final = 0.3
SETTLE_S_MAX: Final = 15.0
IDLE_S_MIN: Final = 5.0


def idle_memory(setting: Setting) -> Iterator[Figure]:
    """Hold ten thousand connections on each server in turn."""
    for name in SOCKETS:
        row = "idle_memory" if name == OURS else f"idle_memory_{name}"
        yield from _held(setting, name, row)


def _held(setting: Setting, name: str, row: str) -> Iterator[Figure]:
    most = file_limit()
    if most < CONNECTIONS + FILES_BESIDE:
        why = f"a process may open {most:,} files here and {CONNECTIONS + FILES_BESIDE:,} are needed; raise ulimit -n"
        yield Figure(row, None, note=why)
        return
    found: list[Figure] = []
    idle: list[Figure] = []
    try:
        for _ in range(ROUNDS):
            with contestant(setting, name, CONNECTIONS) as one:
                found.append(_measured(one, row))
                if name == OURS and len(found) == ROUNDS:
                    idle.append(_idle_cpu(one, max(setting.seconds, IDLE_S_MIN)))
    except MissingError as why:
        yield Figure(row, None, note=str(why))
    except RuntimeError as why:
        yield Figure(row, None, note=f"{name}: {why}")
    else:
        yield median_of(found)
        yield from idle


def _measured(one: Contestant, row: str) -> Figure:
    before_mib = _warmed_up(one)
    for _ in range(CONNECTIONS // OPENED_AT_ONCE):
        one.open(OPENED_AT_ONCE)
    after_mib = _settled(lambda: resident_mib(one.pid))
    one.sink.check()
    return Figure(row, a_connection_kib(before_mib, after_mib, CONNECTIONS), note=_note(before_mib, after_mib))


def median_of(found: Sequence[Figure]) -> Figure:
    """Return the figure in the middle, with what all of them were; one without a value stands for all."""
    rounds = [figure.value for figure in found if figure.value is not None]
    if len(rounds) < len(found):
        return next(figure for figure in found if figure.value is None)
    middle = sorted(found, key=lambda figure: figure.value or 0.0)[len(found) // 2]
    note = f"{min(rounds):.2f} to {max(rounds):.2f} in {counted(len(rounds), 'fresh server')}; {middle.note}"
    return structs.replace(middle, rounds=rounds, note=note)


def a_connection_kib(before_mib: float | None, after_mib: float | None, connections: int) -> float | None:
    """Return what each of so many connections added; None where the system does not tell."""
    return None if before_mib is None or after_mib is None else (after_mib - before_mib) * 1024 / connections


def _note(before_mib: float | None, after_mib: float | None) -> str:
    if before_mib is None or after_mib is None:
        return "this system has no /proc"
    return f"resident {before_mib:.1f} to {after_mib:.1f} MiB; kernel buffers not included"


def _warmed_up(one: Contestant) -> float | None:
    """Let connections come and leave; return the resident memory then."""
    files = open_files(one.pid)
    for _ in range(WARM_UPS):
        one.open(WARM_UP_CONNECTIONS)
        one.sink.leave()
        _wait_until_left(one.pid, files)
    time.sleep(GIVEN_BACK_S)
    return _settled(lambda: resident_mib(one.pid))


def _wait_until_left(pid: int, files: int | None) -> None:
    deadline = time.monotonic() + SETTLE_S_MAX
    while (now := open_files(pid)) is not None and files is not None and now > files:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{now - files} connections were still open {SETTLE_S_MAX:.0f} s after they were reset")
        time.sleep(SETTLED_S / 10)


def _settled(read: Callable[[], float | None]) -> float | None:
    """Return what is read when it did not change for a while, or at the deadline."""
    deadline = time.monotonic() + SETTLE_S_MAX
    last = read()
    while time.monotonic() < deadline:
        time.sleep(SETTLED_S)
        now = read()
        if now == last:
            break
        last = now
    return last


def _idle_cpu(one: Contestant, idle_s: float) -> Figure:
    started = time.monotonic()
    try:
        before = one.sink.check()
        before_s, started = cpu_s(one.pid), time.monotonic()
        time.sleep(idle_s)
        after_s, lasted_s = cpu_s(one.pid), time.monotonic() - started
        pings = one.sink.check() - before
    except RuntimeError as why:
        return Figure("idle_cpu", None, note=f"{why} within {time.monotonic() - started:.0f} s")
    if before_s is None or after_s is None:
        return Figure("idle_cpu", None, note="this system has no /proc")
    note = f"over {lasted_s:.0f} s, {pings:,} pings of the server answered"
    return Figure("idle_cpu", (after_s - before_s) / lasted_s * 100, note=note)
