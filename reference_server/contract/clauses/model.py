"""What a clause is: one sentence of the contract that can be held or violated."""

from enum import Enum
from typing import Literal, NamedTuple

Family = Literal["REST", "SEC", "TASK", "RT", "LIVE", "CLIENT", "PAGE", "PERF"]
Need = Literal["tap", "steer", "short_ttl", "process", "admin", "exclusive", "browser", "clock"]
Part = Literal[
    "profile-changes", "avatars", "api-keys", "uploads", "deployments", "results", "metrics",
    "split", "bus", "landing-page", "agents-page", "tasks-page", "analytics-page", "settings-page", "keys-page",
    "agent-page", "load-steps",
]  # fmt: skip
"""Parts of the system that a target may lack as a whole (contract §10, "which parts it lacks")."""

Grant = Literal["accounts", "tasks", "agents", "deployments", "keys", "publish", "flood", "connections", "faults"]


class Kind(Enum):
    """Safety: nothing bad happens. Liveness: something good comes in time. Budget: a figure is kept."""

    SAFETY = "safety"
    LIVENESS = "liveness"
    BUDGET = "budget"


class Reach(Enum):
    """From where a clause can be judged; white-box ones are held by this project's own tests."""

    BLACK_BOX = "black-box"
    STEERED = "steered"
    WHITE_BOX = "white-box"


class Depth(Enum):
    """The lowest depth of a run that exercises a clause; each depth contains those before it."""

    SMOKE = "smoke"
    STANDARD = "standard"
    THOROUGH = "thorough"

    def reaches(self, other: "Depth") -> bool:
        """Say whether a run at this depth exercises clauses of `other`."""
        order = list(Depth)
        return order.index(self) >= order.index(other)


class Clause(NamedTuple):
    """One row of the registry; `needs` and `grants` name what a target must have and allow (contract §10).

    `connections` is how many at a time the target must allow for the clause to be exercised at all. `held_by` names
    the project's tests that hold a white-box clause, as `path/to/test_file.py::test_name`.
    """

    id: str
    text: str
    section: str
    kind: Kind = Kind.SAFETY
    reach: Reach = Reach.BLACK_BOX
    depth: Depth = Depth.STANDARD
    needs: tuple[Need | Part, ...] = ()
    grants: tuple[Grant, ...] = ()
    ext: bool = False
    connections: int = 0
    held_by: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The part of the id before the first dash."""
        return self.id.partition("-")[0]


def held(id_: str, text: str, section: str, *tests: str, kind: Kind = Kind.SAFETY, ext: bool = False) -> Clause:
    """Return a white-box clause that these tests of the project hold."""
    return Clause(id_, text, section, kind=kind, reach=Reach.WHITE_BOX, ext=ext, held_by=tests)
