"""The service itself, at the root (contract §1): one row an operation."""

from typing import Final

from reference_server.contract import models
from reference_server.contract.operations.model import Operation

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"

SERVICE: Final = (
    Operation("health", "GET", "/health", "none", "Is the process alive", 200, models.Health,
              limited=False, tag="service"),
    Operation("ready", "GET", "/ready", "none", "Can it serve: store and hub are checked", 200, models.Ready,
              limited=False, tag="service"),
    Operation("metrics", "GET", "/metrics", "none", "Figures of HTTP, tasks and sockets for Prometheus", 200, bytes,
              limited=False, tag="service", media=PROMETHEUS),
)  # fmt: skip
