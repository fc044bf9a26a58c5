"""What stands in the driver's place where pages alone are served: the service says that it lives, all else is absent.

For a split deployment (contract §7): the pages' `/config.json` tells where the API is.
"""

from collections.abc import Callable

from reference_server.contract.models import Health, Ready
from reference_server.core import admission
from reference_server.core.answers import Answer, error
from reference_server.core.calls import Admitted, Granted, Head
from reference_server.core.envelopes import timestamp
from reference_server.environment import Environment
from reference_server.service import SERVICE
from reference_server.transfers.blob_access import Download
from reference_server.transfers.uploads import Received, Receiving


class PagesOnly:
    """Implements `http.application.Api` without an API."""

    def __init__(self, environment: Environment, version: str) -> None:
        self._environment = environment
        self._version = version

    def admit(self, head: Head, then: Callable[[Admitted | Answer], None]) -> None:
        """Answer the service's questions, refuse everything else; nothing is admitted.

        Pages are found when the process starts, so that it is ready as long as it lives.
        """
        found = admission.route(head)
        if isinstance(found, Answer):
            then(found)
        elif found.operation.name == "ready":
            then(Answer(200, Ready("ready", {"pages": "ok"})))
        elif found.operation.name == "health":
            now = timestamp(self._environment.wall_ns())
            then(Answer(200, Health("healthy", SERVICE, self._version, now)))
        else:
            then(_absent())

    def receive(self, admitted: Admitted) -> Receiving | Answer:
        raise _nothing_admitted(admitted)

    def handle(self, admitted: Admitted, body: bytes | Received, reply: Callable[[Answer], None]) -> None:  # noqa: ARG002
        raise _nothing_admitted(admitted)

    def open_blob(self, admitted: Admitted, answer: Answer, then: Callable[[Download | Answer], None]) -> None:  # noqa: ARG002
        raise _nothing_admitted(admitted)

    def handshake(self, head: Head, reply: Callable[[Granted | Answer], None]) -> None:  # noqa: ARG002
        """Refuse: there is no socket."""
        reply(_absent())


def _absent() -> Answer:
    return error(404, "only pages are served here; /config.json tells where the API is")


def _nothing_admitted(admitted: Admitted) -> LookupError:
    return LookupError(f"{admitted.route.operation.name} was admitted where pages alone are served")
