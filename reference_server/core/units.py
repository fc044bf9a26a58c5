"""Units of time in nanoseconds, which is what pure code counts in."""

from typing import Final

SECOND_NS: Final = 1_000_000_000
MILLISECOND_NS: Final = 1_000_000
MICROSECOND_NS: Final = 1_000


def whole_microseconds(instant_ns: int) -> int:
    """Return the instant cut to the microseconds that a timestamp shows, in nanoseconds."""
    return instant_ns // MICROSECOND_NS * MICROSECOND_NS
