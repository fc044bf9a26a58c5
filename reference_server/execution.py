"""Runs the executor: a turn after commits that may give it work, and one whenever something is due (contract §4).

A turn is a member of the group commit as any request is; what it pushes leaves after the commit.
"""

import logging
from collections.abc import Callable

from reference_server.commit import GroupCommit
from reference_server.core import executor
from reference_server.core.answers import Outgoing
from reference_server.core.calls import Context
from reference_server.core.executor import Advanced
from reference_server.core.orchestrator import Figures
from reference_server.core.transaction import Transaction
from reference_server.core.units import SECOND_NS
from reference_server.environment import Cancelable, Environment
from reference_server.store.base import StoreError

logger = logging.getLogger(__name__)
RETRY_NS = SECOND_NS


class Execution:
    """The executor of one process; `figures` count what it finished since start."""

    def __init__(
        self,
        environment: Environment,
        commit: GroupCommit,
        context: Callable[[], Context],
        leave: Callable[[Outgoing], None],
    ) -> None:
        self.figures = Figures()
        self._environment = environment
        self._commit = commit
        self._context = context
        self._leave = leave
        self._turning = False
        self._again = False
        self._stopped = False
        self._timer: Cancelable | None = None

    def wake(self) -> None:
        """Take a turn soon: something may have become due."""
        if self._stopped:
            return
        if self._turning:
            self._again = True
            return
        self._turning = True
        self._commit.submit(self._turn, self._turned, self._failed)

    def stop(self) -> None:
        """Take no further turn; what runs is taken up at the next start."""
        self._stopped = True
        self._call_off()

    def _turn(self, tx: Transaction) -> Advanced:
        return executor.advance(tx, self._context())

    def _turned(self, advanced: Advanced) -> None:
        self.figures.fold(advanced.finished)
        for outgoing in advanced.outgoing:
            self._leave(outgoing)
        self._turning = False
        if self._again:
            self._again = False
            self.wake()
        elif advanced.next_due_ns is not None:
            self._wake_at(advanced.next_due_ns)

    def _failed(self, fault: Exception) -> None:
        """Try again later: the store may be back, and a stuck executor would break liveness."""
        logger.error("the executor's turn failed: %s", fault, exc_info=None if isinstance(fault, StoreError) else fault)
        self._turning = False
        self._set_timer(self._environment.monotonic_ns() + RETRY_NS)

    def _wake_at(self, wall_ns: int) -> None:
        delay_ns = wall_ns - self._context().now_ns
        if delay_ns <= 0:
            self.wake()
        else:
            self._set_timer(self._environment.monotonic_ns() + delay_ns)

    def _set_timer(self, at_ns: int) -> None:
        self._call_off()
        if not self._stopped:
            self._timer = self._environment.call_at(at_ns, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self.wake()

    def _call_off(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
