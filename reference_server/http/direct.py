"""Requests that are here as a whole are answered without ASGI: no task, no events, one write.

A task, a scope and five events cost as much as all that a small call does besides (measured: 55 of 110 us for a
read). So what came in one piece and wants JSON takes this way; pages, uploads, streamed answers, bodies in pieces
and requests behind others go through `http.application.Application`. Both ask the same driver the same questions in
the same order.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from reference_server.contract import limits
from reference_server.contract.operations import BY_NAME, Operation
from reference_server.contract.operations.model import JSON
from reference_server.core.admission import Origins, route
from reference_server.core.answers import Answer, Headers, went_wrong
from reference_server.core.calls import Admitted, Head, Route
from reference_server.driver import Driver
from reference_server.http.responses import raw_response, sharing_headers
from reference_server.observing.observer import Observer

logger = logging.getLogger(__name__)
Respond = Callable[[Answer, Admitted | None, bool], None]
"""Takes the answer, the request if it was admitted, and whether the connection must end after it."""

_HANDSHAKE: Final = BY_NAME["ws_connect"]
_BLANK_LINE: Final = b"\r\n\r\n"


class DirectAnswers:
    """What of one process can be answered directly, and how."""

    def __init__(self, driver: Driver, origins: Origins, observer: Observer) -> None:
        self.observer = observer
        self._driver = driver
        self._origins = origins

    def takes(self, head: Head, body: bytes) -> bool:
        """Say whether a request whose whole body is here can be answered so."""
        found = route(head)
        return isinstance(found, Route) and _is_plain(found.operation) and len(body) <= limits.JSON_BODY_BYTES_MAX

    def answer(self, head: Head, body: bytes, respond: Respond) -> None:
        """Admit and carry out, as the ASGI application does once it has read the body; `respond` is called once."""

        def admitted(judged: Admitted | Answer) -> None:
            if isinstance(judged, Answer):
                respond(judged, None, False)
                return

            def replied(answer: Answer) -> None:
                respond(answer, judged, False)

            self._driver.handle(judged, body if judged.route.operation.body is not None else b"", replied)

        try:
            self._driver.admit(head, admitted)
        except Exception:
            logger.exception("a request failed")
            respond(went_wrong(), None, True)

    def response(self, head: Head, answer: Answer, standing: Headers, *, close: bool) -> bytes:
        """Return the answer as bytes; `standing` are the headers that every answer of the process has."""
        sharing = sharing_headers(self._origins, head)
        return raw_response(answer, sharing, standing, close=close)


def _body_size(response: bytes) -> int:
    return len(response) - response.index(_BLANK_LINE) - len(_BLANK_LINE)


def _is_plain(operation: Operation) -> bool:
    return operation.file is None and operation.media == JSON and operation is not _HANDSHAKE


class _NobodyWaits(asyncio.Event):
    """What uvicorn sets when more of a request came: all of ours is here, and one that never changes serves all."""

    def set(self) -> None:
        """Wake nobody."""


_NOBODY_WAITS: Final = _NobodyWaits()


class Exchange(RequestResponseCycle):
    """One request in direct hands; to the connection's bookkeeping it is a cycle of uvicorn's like any other."""

    def __init__(
        self,
        direct: DirectAnswers,
        head: Head,
        transport: asyncio.Transport,
        standing: Headers,
        on_response: Callable[[], None],
        *,
        keep_alive: bool,
    ) -> None:
        # uvicorn's own is not called: it makes what only ASGI needs.
        self.transport = transport
        self.on_response = on_response
        self.keep_alive = keep_alive
        self.message_event = _NOBODY_WAITS
        self.scope: Any = {"state": {}}
        self.disconnected = self.response_complete = self.more_body = False
        self._direct = direct
        self._head = head
        self._observed = direct.observer.begin(head)
        self._standing = [*standing, *self._observed.headers] if self._observed.request_id else standing

    def answered(self, answer: Answer, admitted: Admitted | None, ends: bool) -> None:
        """Write the answer, and end the connection where it ends; nothing when the peer is gone."""
        if self.disconnected or self.response_complete:
            return
        close = ends or not self.keep_alive
        response = self._direct.response(self._head, answer, self._standing, close=close)
        self.transport.write(response)
        self.response_complete = True
        self._direct.observer.answer(self._observed, admitted, answer.status, _body_size(response))
        if close:
            self.transport.close()
        self.on_response()
