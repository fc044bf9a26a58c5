"""The orchestrator (contract §3)."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class OrchestratorMetrics(Struct, frozen=True):
    """`GET /orchestrator/metrics`: counts since start, `success_rate` in percent."""

    tasks_processed: Annotated[int, Meta(ge=0)]
    tasks_succeeded: Annotated[int, Meta(ge=0)]
    tasks_failed: Annotated[int, Meta(ge=0)]
    tasks_timed_out: Annotated[int, Meta(ge=0)]
    avg_execution_ms: Annotated[float, Meta(ge=0)]
    active_workers: Annotated[int, Meta(ge=0)]
    success_rate: Annotated[float, Meta(ge=0, le=100)]


class OrchestratorHealth(Struct, frozen=True):
    """`GET /orchestrator/health`; here `success_rate` is a fraction."""

    status: Literal["healthy", "degraded"]
    tasks_processed: Annotated[int, Meta(ge=0)]
    success_rate: Annotated[float, Meta(ge=0, le=1)]
    active_workers: Annotated[int, Meta(ge=0)]
