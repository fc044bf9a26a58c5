"""One measure after the other: each figure is told as it comes, and none is lost when a later measure breaks or Ctrl-C.

What a measure raises is the reason why its rows have no figure; the next ones are measured all the same.
"""

import contextlib
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from types import FrameType
from typing import Final

from msgspec.structs import replace

from harness.bench.bars import Figure
from harness.bench.machine import calibration_ms, file_limit
from harness.bench.measures import MEASURES
from harness.bench.menu import MENU, about
from harness.bench.report import INTERRUPTED, line
from harness.bench.setting import Setting

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REASON_MAX: Final = 300

Tell = Callable[[str], None]


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let each signal that asks for an end be a KeyboardInterrupt, once: what follows must not stop the tidying up."""
    # One that is ignored already (nohup, a job in the background of a script) stays so.
    before = {one: handler for one in ENDING if (handler := signal.getsignal(one)) is not signal.SIG_IGN}

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for one in before:
        signal.signal(one, interrupt)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def measured(names: Sequence[str], setting: Setting, tell: Tell) -> tuple[list[Figure], bool]:
    """Return the figures of these measures, and whether all were made; rows that were not say so."""
    figures: list[Figure] = []
    try:
        for number, name in enumerate(names, 1):
            tell(f"[{number}/{len(names)}] {name}: {MENU[name].what}, {about(MENU[name].takes_s(setting.seconds))}")
            with contextlib.closing(_figures(name, setting)) as found:
                for figure in found:
                    figures.append(figure)
                    tell(f"    {line(figure, shared=setting.shared)}")
    except KeyboardInterrupt:
        tell("interrupted")
        return [*figures, *(row for name in names for row in _without(name, figures, INTERRUPTED))], False
    return figures, True


def _figures(name: str, setting: Setting) -> Generator[Figure, None, None]:
    """Give what a measure finds; when it breaks, the rest of its rows with the reason."""
    figures: list[Figure] = []
    try:
        _check_files(MENU[name].files(setting.seconds))
        for figure in _calibrated(name, setting):
            figures.append(figure)
            yield figure
    except Exception as fault:  # noqa: BLE001 - whatever it is, what the other measures find must not be lost
        yield from _without(name, figures, _reason(fault))


def _check_files(needed: int) -> None:
    if (allowed := file_limit()) < needed:
        raise RuntimeError(f"a process may open {allowed:,} files here and {needed:,} are needed; raise ulimit -n")


def _without(name: str, figures: Sequence[Figure], why: str) -> list[Figure]:
    """Return those rows of a measure that are not among the figures."""
    there = {figure.name for figure in figures}
    return [Figure(bar.name, None, note=why) for bar in MENU[name].bars() if bar.name not in there]


def _reason(fault: Exception) -> str:
    """Return one line; what we did not raise ourselves is told with its type."""
    told = str(fault) if type(fault) is RuntimeError else f"{type(fault).__name__}: {fault}"
    return " ".join(told.split())[:REASON_MAX]


def _calibrated(name: str, setting: Setting) -> Iterator[Figure]:
    """Give what a measure finds, each figure beside how slow the machine was before and after."""
    before_ms = calibration_ms(setting.server_cores)
    for figure in MEASURES[name](setting):
        after_ms = calibration_ms(setting.server_cores)
        yield figure if figure.calibration_ms else replace(figure, calibration_ms=(before_ms + after_ms) / 2)
        before_ms = after_ms
