"""The orchestrator (contract §3): one row an operation."""

from typing import Final

from reference_server.contract import models
from reference_server.contract.operations.model import BASE, Operation

ORCHESTRATOR: Final = (
    Operation("orchestrator_metrics", "GET", f"{BASE}/orchestrator/metrics", "user", "Figures since start", 200,
              models.OrchestratorMetrics, tag="orchestrator"),
    Operation("orchestrator_health", "GET", f"{BASE}/orchestrator/health", "user", "Do enough tasks succeed", 200,
              models.OrchestratorHealth, tag="orchestrator"),
)  # fmt: skip
