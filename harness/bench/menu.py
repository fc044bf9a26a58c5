"""What the bench can measure, for who chooses: what each name finds, how long it takes, which rows it leaves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from harness.bench.bars import BARS, Bar
from harness.bench.windows import seconds_of

FILES: Final = 16_000
"""What the dearest measures have open in one process (`ulimit -n`): 15,000 sockets, and what stands beside them."""
A_THOUSAND: Final = 1_200
"""What a measure of a thousand sockets has open in one process."""


def _none(_: float) -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One measure: `base_s` and so many times what `--seconds` says is about how long it takes.

    It needs `files` for so many seconds; one that looks for itself what it can do with fewer says 0. Its rows are those
    whose names begin so (`rows`), but not so (`but`).
    """

    what: str
    base_s: float
    times: float
    rows: tuple[str, ...]
    but: tuple[str, ...] = ()
    seconds_min: float = 0.0
    files: Callable[[float], int] = _none

    def takes_s(self, seconds: float) -> float:
        """Return about how long it takes when each figure counts for so long."""
        return self.base_s + self.times * max(seconds, self.seconds_min)

    def bars(self) -> list[Bar]:
        """Return its rows."""
        return [
            bar for bar in BARS if bar.name.startswith(self.rows) and not (self.but and bar.name.startswith(self.but))
        ]


def _storm_files(seconds: float) -> int:
    return min(FILES, 500 * (2 + round(seconds_of(seconds))))


def _thousand(_: float) -> int:
    return A_THOUSAND


MENU: Final = {
    "submit": Entry("POST /tasks/submit, with each durability", 5, 2, ("submit_",)),
    "get": Entry("GET /tasks/{id} over a thousand tasks", 6, 1, ("get_task",)),
    "logins": Entry("other calls beside 20 logins/s", 4, 1, ("logins_p99",)),
    "mixed": Entry("other calls beside 20 logins/s and 10 uploads of 20 MiB", 4, 1, ("mixed_p99",)),
    "start": Entry("start to ready and memory at rest, five starts", 12, 0, ("ready", "resident")),
    "connect_storm": Entry("500 new sockets a second", 12, 1, ("connect_storm",), seconds_min=5, files=_storm_files),
    "connect_rate": Entry("sockets opened as fast as it goes, and rivals", 30, 0, ("connect_rate",), files=_thousand),
    "directed": Entry(
        "pushes to the owner's two tabs at 2,000 submits/s", 8, 1, ("directed",), ("directed_rate",), seconds_min=5
    ),
    "directed_rate": Entry(
        "publishes to two of 1,000 sockets, beside rivals", 15, 4, ("directed_rate",), seconds_min=5, files=_thousand
    ),
    "held": Entry("15,000 sockets held, 1,000 of them busy, until all were pinged", 80, 0, ("held",)),
    "hostile": Entry("what others feel beside each of eight kinds of hostile peers", 320, 8, ("hostile_",)),
    "fan_out": Entry(
        "messages to 1,000 sockets one by one, beside the floor and rivals",
        *(15, 5, ("fan_out",), ("fan_out_bursts",)),
        seconds_min=5,
        files=_thousand,
    ),
    "fan_out_bursts": Entry(
        "the same, eight messages at once", 15, 5, ("fan_out_bursts",), seconds_min=5, files=_thousand
    ),
    "idle_memory": Entry("memory and CPU of 10,000 idle sockets, beside rivals", 205, 1, ("idle_",), seconds_min=5),
}


def about(seconds: float) -> str:
    """Return a time for a reader."""
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def listed(names: Sequence[str], seconds: float) -> str:
    """Return a line for each measure."""
    width = max(map(len, names))
    return "\n".join(f"{name:<{width}}  {MENU[name].what}, {about(MENU[name].takes_s(seconds))}" for name in names)
