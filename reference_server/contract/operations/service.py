"""The service itself, at the root (contract §1): one row an operation."""

from typing import Final

from reference_server.contract import models
from reference_server.contract.operations.model import Operation

SERVICE: Final = (
    Operation("health", "GET", "/health", "none", "Is the process alive", 200, models.Health,
              limited=False, tag="service"),
    Operation("ready", "GET", "/ready", "none", "Can it serve: store and hub are checked", 200, models.Ready,
              limited=False, tag="service"),
)  # fmt: skip
