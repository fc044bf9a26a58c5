"""The service itself (contract §1)."""

from typing import Literal

from msgspec import Struct

from reference_server.contract.models.base import Timestamp


class Health(Struct, frozen=True):
    """`GET /health`, at the root."""

    status: Literal["healthy"]
    service: str
    version: str
    time: Timestamp


class Ready(Struct, frozen=True):
    """`GET /ready` 200, at the root: each part that was checked."""

    status: Literal["ready"]
    checks: dict[str, str]
