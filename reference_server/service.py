"""How the process is: alive, ready, its figures as text for a scraper and as JSON for an admin (contract §§1, 3).

None of it is a decision: it tells of this process, and of the store only whether it works and what it holds.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from reference_server.commit import GroupCommit
from reference_server.contract.lifecycle import FINAL, TRANSITIONS
from reference_server.contract.models import Health, SocketStats
from reference_server.core.answers import Answer, unavailable
from reference_server.core.calls import Call
from reference_server.core.envelopes import timestamp
from reference_server.core.transaction import Transaction
from reference_server.hub_driver import HubDriver
from reference_server.observing.exposition import exposition
from reference_server.observing.metrics import Metrics
from reference_server.readiness import Readiness

logger = logging.getLogger(__name__)
Reply = Callable[[Answer], None]
SERVICE: Final = "zerostate-reference"
UNFINISHED: Final = tuple(status for status in TRANSITIONS if status not in FINAL)


class Service:
    """The operations that tell of the process; `wall_ns` is the driver's clock."""

    def __init__(
        self,
        readiness: Readiness,
        commit: GroupCommit,
        hub: HubDriver,
        metrics: Metrics,
        version: str,
        wall_ns: Callable[[], int],
    ) -> None:
        self._readiness = readiness
        self._commit = commit
        self._hub = hub
        self._metrics = metrics
        self._version = version
        self._wall_ns = wall_ns
        self._stopped = False

    def stop(self) -> None:
        """Be ready no more."""
        self._stopped = True

    def health(self, _: Call, reply: Reply) -> None:
        """Say that the process lives."""
        reply(Answer(200, Health("healthy", SERVICE, self._version, timestamp(self._wall_ns()))))

    def ready(self, _: Call, reply: Reply) -> None:
        """Check hub, store and blobs for real (contract §1 service)."""
        if self._stopped or not self._hub.healthy():
            reply(unavailable("the hub does not serve now"))
        else:
            self._readiness.ask(reply)

    def stats(self, _: Call, reply: Reply) -> None:
        """Tell the figures of the sockets."""
        reply(Answer(200, SocketStats(self._hub.figures())))

    def metrics(self, call: Call, reply: Reply) -> None:
        """Tell all figures; a store that can't be used takes its own from them, and no more."""

        def shown(tasks: Mapping[str, int]) -> None:
            text = exposition(self._metrics, self._hub.figures(), tasks, self._version)
            reply(Answer(200, text, media=call.operation.media))

        def failed(fault: Exception) -> None:
            logger.warning("the store's figures are missing: %s", fault)
            shown({})

        self._commit.read(_unfinished_tasks, shown, failed)


def _unfinished_tasks(tx: Transaction) -> Mapping[str, int]:
    return {status: tx.count_tasks(status) for status in UNFINISHED}
