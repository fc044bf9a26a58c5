"""The rivals by name: what each is, for a reader of the table, and the module that serves as it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rival:
    """One rival; `module` is imported only in its own process, since it may not be installed."""

    name: str
    what: str
    module: str


_ALL: Final = (
    Rival("floor", "bare loop of sock.send", "harness.bench.rivals.floor"),
    Rival("picows", "picows", "harness.bench.rivals.picows_server"),
    Rival("websockets", "websockets.broadcast", "harness.bench.rivals.broadcast"),
    Rival("stock", "uvicorn's stock socket path", "harness.bench.rivals.stock"),
)
RIVALS: Final = {rival.name: rival for rival in _ALL}
