"""The acceptance tap: one JSON line for each message that the bus accepted, never its payload.

A line has the shape of a history event (recorder, index, monotonic instant, kind, data), so that a judge can read
it beside what clients recorded; `digest` is the SHA-256, in hex, of the envelope's bytes as they go over the wire.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from reference_server.core.answers import Only, Publish

_encode = msgspec.json.Encoder().encode


class FileTap:
    """Append to a file; every line is flushed before the message is delivered, so that a crash keeps it."""

    def __init__(self, path: Path, monotonic_ns: Callable[[], int]) -> None:
        """Open the file; raises OSError when it can't be written."""
        self._path = path
        self._made = not path.exists()
        self._file = path.open("ab")
        self._monotonic_ns = monotonic_ns
        self._index = 0

    def __call__(self, seq: int, publish: Publish, payload: bytes) -> None:
        self._file.write(_encode(self._event(seq, publish, payload)) + b"\n")
        self._file.flush()
        self._index += 1

    def _event(self, seq: int, publish: Publish, payload: bytes) -> dict[str, Any]:
        audience = publish.audience.account_id if isinstance(publish.audience, Only) else "everyone"
        digest = hashlib.sha256(payload).hexdigest()
        data = {"seq": seq, "audience": audience, "type": publish.type, "digest": digest}
        at_ns = self._monotonic_ns()
        return {"recorder": "server", "index": self._index, "at_ns": at_ns, "kind": "accepted", "data": data}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file; when the server could not start, leave none that was made here and holds nothing."""
        self._file.close()
        if kind is not None and self._made and self._path.is_file() and not self._path.stat().st_size:
            self._path.unlink()
