"""Whether store and blobs can be used now, found out by writing to both (contract §1 service).

Anybody may ask, so an outcome holds for a second: however often it is asked, the disk is written to once.
"""

from collections.abc import Callable, Mapping
from typing import Final

from reference_server.contract import limits
from reference_server.contract.models import Ready
from reference_server.core.answers import Answer, unavailable
from reference_server.core.units import SECOND_NS
from reference_server.environment import Environment
from reference_server.store.base import Store, StoreError
from reference_server.transfers.blob_access import BlobAccess

RETRY_AFTER_S: Final = limits.READY_KEPT_S
GOOD: Final[Mapping[str, str]] = {"store": "ok", "hub": "ok", "blobs": "ok"}


class Readiness:
    """The checks of one process; whoever asks while one runs shares its answer too."""

    def __init__(self, environment: Environment, store: Store, blobs: BlobAccess) -> None:
        self._environment = environment
        self._store = store
        self._blobs = blobs
        self._waiting: list[Callable[[Answer], None]] = []
        self._kept: Answer | None = None
        self._kept_until_ns = 0

    def ask(self, reply: Callable[[Answer], None]) -> None:
        """Answer 200, or 503 naming what can't be used; a blob store that does not answer in time can't."""
        if self._kept is not None and self._environment.monotonic_ns() < self._kept_until_ns:
            reply(self._kept)
        elif self._waiting:
            self._waiting.append(reply)
        else:
            self._check(reply)

    def _check(self, reply: Callable[[Answer], None]) -> None:
        try:
            self._store.check()
        except StoreError:
            reply(self._keep(_unready("the store can't be used now")))
            return
        # Only now: had the check failed in a way that nobody foresaw, everybody would wait for the one who asked.
        self._waiting.append(reply)
        self._blobs.check(self._checked)

    def _checked(self, good: bool) -> None:
        ready = Answer(200, Ready("ready", dict(GOOD)))
        answer = self._keep(ready if good else _unready("the blob store can't be used now"))
        waiting, self._waiting = self._waiting, []
        for reply in waiting:
            reply(answer)

    def _keep(self, answer: Answer) -> Answer:
        self._kept = answer
        self._kept_until_ns = self._environment.monotonic_ns() + limits.READY_KEPT_S * SECOND_NS
        return answer


def _unready(message: str) -> Answer:
    return unavailable(message, RETRY_AFTER_S)
