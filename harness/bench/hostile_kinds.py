"""The kinds of hostile peers as data: what each does, how many there are and for how long at least."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind; they come at `per_s` where that is said, and stay for at least `seconds_min`.

    `warm_up_peers` come first, at the same rate: so many that allocators and tables have their size. (Opened in another
    rhythm, 15,000 sockets leave another pattern behind, some MiB apart, and it is not theirs that was to be measured.)
    `ends` are the ways in which the server may let one end (close codes, or a word of `misdeeds`).
    """

    name: str
    what: str
    peers: int
    warm_up_peers: int
    ends: tuple[str, ...]
    per_s: float | None = None
    seconds_min: float = 0.0


KINDS: Final = (
    Kind("stalled", "stalled readers", 20, 20, ("1013", "1006")),
    # Long enough for the server to end them (contract §5: a handshake not complete after 10 s).
    Kind("loris", "slow-loris handshakes", 300, 300, ("ended by the server",), seconds_min=12.0),
    Kind("drip", "peers of a byte a second", 300, 300, ("left",)),
    Kind("idle", "15,000 idle sockets", 15_000, 15_000, ("1000",), per_s=1_000),
    Kind("ping_flood", "floods of pings", 100, 100, ("1008",)),
    Kind("ping_limit", "pings at the limit", 200, 200, ("1000",)),
    Kind("resets", "resets inside frames", 2_500, 500, ("reset",), per_s=500),
    Kind("cycles", "10,000 connect-and-leave", 10_000, 2_000, ("1000",), per_s=500),
)
KINDS_BY_NAME: Final = {kind.name: kind for kind in KINDS}
