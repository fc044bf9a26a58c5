"""What a password's hash costs, and whether one was made at that cost (contract §2 login); hashing is a shell's."""

from dataclasses import dataclass
from typing import Final

from reference_server.contract import limits

ARGON2: Final = "$argon2"


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """The parameters of argon2id (RFC 9106 §4): memory in KiB, passes, lanes."""

    memory_kib: int = limits.ARGON2_MEMORY_KIB
    passes: int = limits.ARGON2_TIME_COST
    lanes: int = limits.ARGON2_PARALLELISM

    @property
    def prefix(self) -> str:
        """How a hash of this cost begins (PHC string format)."""
        return f"{ARGON2}id$v=19$m={self.memory_kib},t={self.passes},p={self.lanes}$"

    def outdates(self, password_hash: str) -> bool:
        """Say whether a hash is argon2's of another variant or cost, so that it is to be made again."""
        return password_hash.startswith(ARGON2) and not password_hash.startswith(self.prefix)
