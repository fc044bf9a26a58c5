"""Lines of the log: one JSON object or one line of text an event, with an instant, a level and named fields.

Nothing that a caller chose stands in one but a request id of harmless letters: no path, query, header or body.
"""

import itertools
import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from reference_server.core.calls import Head
from reference_server.core.units import MILLISECOND_NS
from reference_server.observing.metrics import METHODS, OTHER
from reference_server.observing.observer import Line

TRACEBACK_CHARS_MAX: Final = 16 * 1024
_HARMLESS_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_PLAIN_VALUE: Final = re.compile(r"[^\s\"=\\]+")

logger = logging.getLogger("reference_server.requests")


def fields(**named: Any) -> dict[str, dict[str, Any]]:
    """Return what a logging call takes as `extra`, so that these fields stand in its line."""
    return {"fields": named}


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(_fields_of(record), ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """`instant LEVEL event name=value …`; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        said = _fields_of(record)
        head = f"{said.pop('time')} {said.pop('level').upper()} {said.pop('event')}"
        traceback = said.pop("traceback", None)
        line = " ".join([head, *(f"{name}={_quoted(value)}" for name, value in said.items())])
        return line if traceback is None else f"{line}\n{traceback}"


class RequestLines:
    """Writes a line for every answer; implements `observer.RequestLog`."""

    def __init__(self, new_secret: Callable[[], str]) -> None:
        # Of two processes, or of one before and after a restart, no two requests have the same id.
        self._process = re.sub(r"[^A-Za-z0-9]", "0", new_secret())[:8]
        self._numbers = itertools.count(1)

    def request_id(self, head: Head) -> str:
        """Return the id that the request brought, if it is short and of harmless letters, else a new one."""
        given = head.headers.get("x-request-id", "")
        return given if _HARMLESS_ID.fullmatch(given) else f"{self._process}-{next(self._numbers):x}"

    def answered(self, line: Line) -> None:
        """Write it."""
        method = line.observed.head.method
        told = {
            "request_id": line.observed.request_id,
            "method": method if method in METHODS else OTHER,
            "route": line.route,
            "operation": line.operation,
            "status": line.status,
            "duration_ms": round(line.duration_ns / MILLISECOND_NS, 3),
            "bytes": line.size,
        }
        if line.account_id is not None:
            told["account_id"] = line.account_id
        logger.info("request", extra=fields(**told))


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    instant = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    said: dict[str, Any] = {
        "time": instant.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
        "logger": record.name,
        **getattr(record, "fields", {}),
    }
    if record.exc_info:
        said["traceback"] = logging.Formatter().formatException(record.exc_info)[-TRACEBACK_CHARS_MAX:]
    return said


def _quoted(value: Any) -> str:
    text = str(value)
    return text if _PLAIN_VALUE.fullmatch(text) else json.dumps(text, ensure_ascii=False)
