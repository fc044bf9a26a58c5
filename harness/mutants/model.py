"""What a mutant is: one broken system, who must notice, and where it shows."""

from dataclasses import dataclass
from typing import Literal

from harness.mutants.parts import Parts

Tier = Literal["t0", "inside", "t2", "acts", "t3"]
"""Where a mutant shows: on virtual time under the scenarios (t0), in this process under rows and acts (inside), as a
process over sockets under the scenarios (t2) or under acts (acts), in a browser (t3).
"""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken system: what is wrong in a sentence, and who must notice.

    `killed_by` names clauses: under a scenario any of them counts as the kill, under rows and acts every one must be
    violated. `checkers` are those that give their verdicts. `tiers` are where it shows, `needs_fault` the kind of fault
    without which it survives.
    """

    name: str
    sentence: str
    parts: Parts
    killed_by: tuple[str, ...]
    checkers: tuple[str, ...]
    tiers: tuple[Tier, ...] = ("t0", "t2")
    needs_fault: str = ""
