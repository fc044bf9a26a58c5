"""What a person sees while a run works: a live line on a terminal, plain lines elsewhere, nothing when quiet."""

import sys
import time
from types import TracebackType
from typing import Any, Final, Self

TICK_S: Final = 0.2
PLAIN_S: Final = 15.0
"""Where lines stay, one is due after so many seconds of silence."""


class Progress:
    """Tells which part is at work, for how long, and how each one ended."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._live: Any = None
        self._started_s = time.monotonic()
        self._told_s = self._started_s
        self._part = ""
        self._terminal = sys.stdout.isatty()

    def __enter__(self) -> Self:
        if self._terminal and not self._quiet:
            from rich.console import Console

            self._live = Console().status("starting", refresh_per_second=1 / TICK_S)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def part(self, name: str) -> None:
        """Say that a part begins."""
        self._part = name
        self.step("")
        if self._live is None:
            self.line(f"{name} …")

    def step(self, name: str) -> None:
        """Say what the part does now; where there is no terminal, now and then."""
        told = ": ".join(word for word in (self._part, name.replace("_", " ")) if word)
        if self._live is not None:
            self._live.update(f"{self._clock()}  {told}")
        elif name and time.monotonic() - self._told_s >= PLAIN_S:
            self.line(told)

    def line(self, text: str) -> None:
        """Print a line that stays."""
        if self._quiet:
            return
        self._told_s = time.monotonic()
        if self._live is not None:
            self._live.console.print(f"{self._clock()}  {text}", markup=False, highlight=False)
        else:
            print(f"{self._clock()}  {text}", flush=True)

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._started_s)
        return f"{seconds // 60:d}:{seconds % 60:02d}"
