"""The orchestrator's figures: what finished since the process started, and what runs now (contract §3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reference_server.contract.models import OrchestratorHealth, OrchestratorMetrics
from reference_server.core.answers import Answer, Decision
from reference_server.core.transaction import Transaction
from reference_server.core.units import MILLISECOND_NS

DEGRADED_OVER_PROCESSED: Final = 10
DEGRADED_UNDER_RATE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Finished:
    """A task completed or failed; `duration_ns` from its first start, None when it never started."""

    task_id: str
    succeeded: bool
    timed_out: bool = False
    duration_ns: int | None = None


@dataclass(slots=True)
class Figures:
    """Counts since start; fold in only what has been committed."""

    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    started: int = 0
    duration_ns: int = 0

    @property
    def processed(self) -> int:
        """Completed and failed; canceled ones count nowhere."""
        return self.succeeded + self.failed

    @property
    def success_rate(self) -> float:
        """The part of the processed that succeeded, 0 to 1; 0 where there are none."""
        return self.succeeded / self.processed if self.processed else 0.0

    def fold(self, finished: Iterable[Finished]) -> None:
        """Count finished tasks; exact integers, so that no rate drifts."""
        for fact in finished:
            self.succeeded += fact.succeeded
            self.failed += not fact.succeeded
            self.timed_out += fact.timed_out
            if fact.duration_ns is not None:
                self.started += 1
                self.duration_ns += fact.duration_ns


def metrics(tx: Transaction, figures: Figures) -> Decision:
    """Show the figures; rates and means are 0 where there are none, `success_rate` in percent."""
    mean_ms = figures.duration_ns / figures.started / MILLISECOND_NS if figures.started else 0.0
    return Decision(
        Answer(
            200,
            OrchestratorMetrics(
                tasks_processed=figures.processed,
                tasks_succeeded=figures.succeeded,
                tasks_failed=figures.failed,
                tasks_timed_out=figures.timed_out,
                avg_execution_ms=mean_ms,
                active_workers=tx.count_tasks("running"),
                success_rate=100 * figures.success_rate,
            ),
        )
    )


def health(tx: Transaction, figures: Figures) -> Decision:
    """Say whether enough tasks succeed; `success_rate` is a fraction (contract §3)."""
    degraded = figures.processed > DEGRADED_OVER_PROCESSED and figures.success_rate < DEGRADED_UNDER_RATE
    return Decision(
        Answer(
            200,
            OrchestratorHealth(
                status="degraded" if degraded else "healthy",
                tasks_processed=figures.processed,
                success_rate=figures.success_rate,
                active_workers=tx.count_tasks("running"),
            ),
        )
    )
