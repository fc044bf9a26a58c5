"""Where the log goes: stderr, by a thread of its own, so that a reader who stalls holds nobody up.

Lines that find no room are dropped, and how many is told once there is room again; the end waits for the rest, with a
deadline.
"""

import contextlib
import logging
import os
import queue
from collections.abc import Iterator
from logging.handlers import QueueHandler, QueueListener
from typing import Any, Final

from reference_server.observing.log_lines import JsonLines, TextLines, fields
from reference_server.settings.values import Settings

LINES_WAITING_MAX: Final = 10_000
FLUSH_S_MAX: Final = 2.0
OURS: Final = "reference_server"
STDERR: Final = 2


@contextlib.contextmanager
def log_of(settings: Settings, descriptor: int = STDERR) -> Iterator[bool]:
    """Keep the log that the settings ask for; give whether requests are to stand in it.

    Without one, warnings and errors alone go to stderr, as they did before the settings were read.
    """
    if settings.log == "off":
        yield False
        return
    lines: queue.Queue[Any] = queue.Queue(LINES_WAITING_MAX)
    handler = BoundedHandler(lines)
    handler.setFormatter(JsonLines() if settings.log == "json" else TextLines())
    writer = Writer(lines, descriptor)
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    before = root.handlers, root.level, ours.level
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    root.handlers = [handler]
    # Of what we are built on, only what went wrong is told.
    root.setLevel(max(level, logging.WARNING))
    ours.setLevel(level)
    writer.start()
    try:
        yield ours.isEnabledFor(logging.INFO)
    finally:
        writer.stop()
        root.handlers, root_level, ours_level = before
        root.setLevel(root_level)
        ours.setLevel(ours_level)


class BoundedHandler(QueueHandler):
    """Queues lines, never waiting for room."""

    def __init__(self, lines: "queue.Queue[Any]") -> None:
        super().__init__(lines)
        self._dropped = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record's line, and before it how many were dropped, if any were."""
        if self._dropped and self._queued(self.format(_dropped(self._dropped))):
            self._dropped = 0
        if not self._queued(self.format(record)):
            self._dropped += 1

    def _queued(self, line: str) -> bool:
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(line)
            return True
        return False


def _dropped(count: int) -> logging.LogRecord:
    record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, "lines were dropped", (), None)
    record.__dict__.update(fields(lines=count))
    return record


class Writer(QueueListener):
    """Writes queued lines to a descriptor until it is stopped."""

    def __init__(self, lines: "queue.Queue[Any]", descriptor: int) -> None:
        super().__init__(lines)
        self._descriptor: int | None = descriptor

    def handle(self, record: Any) -> None:
        """Write a line; once nobody reads any more, none."""
        left = f"{record}\n".encode("utf-8", "replace")
        try:
            while left and self._descriptor is not None:
                left = left[os.write(self._descriptor, left) :]
        except OSError:
            self._descriptor = None

    def stop(self) -> None:
        """Let it write what waits, for so long and no longer: whoever reads may have stopped."""
        with contextlib.suppress(queue.Full):
            self.queue.put(self._sentinel, timeout=FLUSH_S_MAX)  # type: ignore[attr-defined]
        if self._thread is not None:
            self._thread.join(FLUSH_S_MAX)
            self._thread = None
