"""What every measure is told: how long to count, and which cores are whose."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """How long each measure counts, and which cores are whose."""

    seconds: float
    server_cores: AbstractSet[int]
    load_cores: AbstractSet[int]

    @property
    def shared(self) -> bool:
        """Whether server and load have to share a core."""
        return bool(self.server_cores & self.load_cores)
