"""The order of priorities as a number, for the indexes of the stores (contract §4: higher priority first)."""

from typing import Final

from reference_server.contract.models import Priority

RANK: Final[dict[Priority, int]] = {"low": 0, "normal": 1, "high": 2, "critical": 3}
