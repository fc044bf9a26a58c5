"""The seam at which a server is broken: the parts of a driver that come from outside, and the pages it serves.

The same `Parts` make the simulated driver and the one behind sockets, so a mutant is one object at every tier.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from harness.mutants.front import MakeFront, behind
from reference_server.blobs import Blobs
from reference_server.bus import LoopbackBus
from reference_server.core.hub import Hub
from reference_server.driver import Driver, MakeBus
from reference_server.environment import Environment, Sockets
from reference_server.hub_driver import HubMachine
from reference_server.operations import Decisions, Options, default_decisions
from reference_server.store.base import Store

Asgi = Callable[[Any, Any, Any], Awaitable[None]]
"""An application as ASGI has it: scope, receive, send."""


def _as_it_serves(application: Asgi) -> Asgi:
    return application


def _as_it_is(_: str, text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Parts:
    """What a process is composed of; the defaults are the honest server's own.

    `page` transforms a page file when it is served: (path below `pages/`, text) -> text. `shell` wraps what answers
    before a driver is asked; it is for the server that a mutant has within this process.
    """

    make_hub: Callable[[], HubMachine] = Hub
    make_bus: MakeBus = LoopbackBus
    decisions: Callable[[], Decisions] = default_decisions
    page: Callable[[str, str], str] = _as_it_is
    front: MakeFront | None = None
    shell: Callable[[Asgi], Asgi] = _as_it_serves

    def driver(
        self, environment: Environment, store: Store, blobs: Blobs, sockets: Sockets, options: Options, tap: Any = None
    ) -> Driver:
        """Compose a driver of these parts."""
        make = Driver if self.front is None else behind(self.front())
        return make(
            environment,
            store,
            sockets,
            options,
            make_hub=self.make_hub,
            make_bus=self.make_bus,
            decisions=self.decisions(),
            tap=tap,
            blobs=blobs,
        )


HONEST = Parts()
