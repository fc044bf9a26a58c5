"""What a checker is: a bounded fold over a history (design law 4)."""

from typing import Protocol

from msgspec import Struct

from harness.history import Event
from harness.verdicts import Verdict


class RunFacts(Struct, frozen=True):
    """What a checker may know of a run besides its events; all from the record."""

    seed: int = 0
    depth: str = "standard"
    target: str = "local"
    local: bool = True
    shared_clock: bool = True
    has_tap: bool = False
    replay: str = ""
    names: dict[str, str] = {}


class Checker(Protocol):
    """Judges one family of clauses: `step` each event in merged order, then `finish`.

    `clauses` names what it gives verdicts on: exactly one verdict for each, every time. It keeps memory bounded by
    what is alive (connections, tasks, open operations), raises nothing on strange histories, and says `unknown`
    where the order of events of different recorders can't be decided.
    """

    @property
    def name(self) -> str:
        """How verdicts name it."""

    @property
    def clauses(self) -> tuple[str, ...]:
        """What it gives verdicts on."""

    @property
    def live(self) -> bool:
        """Say whether it can run on a ledger, in constant memory."""

    def start(self, run: RunFacts) -> None:
        """Begin a history."""

    def step(self, event: Event) -> None:
        """Take the next event."""

    def finish(self) -> list[Verdict]:
        """Return one verdict for each of `clauses`."""
