"""One run of the browser tests: its folder, its recorders, its seed, what it could not do."""

import time
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from e2e.visits import Numbers
from harness.history import FileSink, Recorder
from reference_server.contract.clauses import CLAUSES_BY_ID, Depth

NOTES: Final = "browser-notes"
WHY_CHARS_MAX: Final = 500


class _Scope(Struct):
    """What of `run.json` is read here."""

    depth: str = Depth.STANDARD.value


class Run:
    """Lends sinks and recorders that write into `<folder>/history`; screenshots go to `<folder>/browser`."""

    def __init__(self, folder: Path, seed: int, *, is_judged: bool) -> None:
        self.folder = folder
        self.seed = seed
        self.is_judged = is_judged
        self.numbers = Numbers()
        # Accounts of two runs with one seed on one target must differ.
        self._desks = Numbers()
        self.tag = f"{seed & 0xFFFFFFFF:08x}-{time.time_ns() // 1_000_000 & 0xFFFFFF:06x}"
        self.verdict_lines: list[str] = []
        self._sinks: dict[str, FileSink] = {}
        self._recorders: dict[str, Recorder] = {}

    def exercises(self, clauses: list[str]) -> bool:
        """Say whether a test of these clauses belongs to this run; our own tests do where nobody else is judging."""
        if self.is_judged:
            return True
        return any(self.depth.reaches(CLAUSES_BY_ID[clause].depth) for clause in clauses)

    def next_tag(self) -> str:
        """Return a tag for the accounts of one more test."""
        return f"{self.tag}-{self._desks.next()}"

    @property
    def depth(self) -> Depth:
        """How deep the run goes: as its record says, else all the way."""
        try:
            told = msgspec.json.decode((self.folder / "run.json").read_bytes(), type=_Scope)
        except FileNotFoundError:
            return Depth.THOROUGH
        return Depth(told.depth)

    @property
    def history_folder(self) -> Path:
        """Where the recorders write."""
        return self.folder / "history"

    @property
    def browser_folder(self) -> Path:
        """Where screenshots and traces go; made when asked for."""
        folder = self.folder / "browser"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def has_history(self) -> bool:
        """Whether anything was recorded at all."""
        return bool(self._sinks)

    def sink(self, name: str) -> FileSink:
        """Return the sink of a recorder; one a name, closed with the run."""
        if name not in self._sinks:
            self._sinks[name] = FileSink(self.history_folder, name)
        return self._sinks[name]

    def recorder(self, name: str) -> Recorder:
        """Return the recorder of this name."""
        if name not in self._recorders:
            self._recorders[name] = Recorder(name, time.monotonic_ns, self.sink(name))
        return self._recorders[name]

    def note(self, clauses: list[str], test: str, outcome: str, why: list[str]) -> None:
        """Record that a step could not be done, so that its clauses were not exercised here."""
        told = " ".join(why)[:WHY_CHARS_MAX]
        self.recorder(NOTES).record("note", clauses=clauses, test=test, outcome=outcome, why=f"{test}: {told}")

    def close(self) -> None:
        """Close every file."""
        for sink in self._sinks.values():
            sink.close()
