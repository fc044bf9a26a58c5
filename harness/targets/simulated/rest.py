"""REST calls of simulated clients: bytes of head and body through the driver's front door, and the answer's back.

Each way takes a drawn time, so that a push may be read before or after the answer of the call that caused it.
"""

from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import unquote

from harness.client.rest import Headers, NoAnswerError, RawAnswer
from harness.simulation.network import LATENCY_MS, NS_PER_MS
from harness.simulation.scheduler import NS_PER_S, Promise, Scheduler
from harness.targets.simulated import files
from reference_server.core.admission import Origins
from reference_server.core.answers import Answer, BlobBody
from reference_server.core.calls import Admitted, Head
from reference_server.driver import Driver
from reference_server.http.responses import body_of, head_of, headers_of, sharing_headers

CALL_WITHIN_S: Final = 20.0


class DriverTransport:
    """`harness.client.rest.Transport` to a simulated driver; `draw` gives each way its latency."""

    def __init__(self, scheduler: Scheduler, driver: Driver, draw: Callable[[], float], address: str) -> None:
        self._scheduler = scheduler
        self._driver = driver
        self._draw = draw
        self._address = address

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        """Send one request; raises NoAnswerError when no answer came in time."""
        answered: Promise[RawAnswer | None] = Promise()
        path, _, query = path_and_query.partition("?")
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        if body is not None:
            raw.append((b"content-length", b"%d" % len(body)))
        head = head_of(method, unquote(path), query.encode("latin-1"), raw, self._address)

        def reply(answer: Answer, content: bytes | None = None) -> None:
            came = _raw(answer, head, body_of(answer) if content is None else content)
            self._after_latency(lambda: answered.set(came))

        def admitted(judged: Admitted | Answer) -> None:
            if isinstance(judged, Answer):
                reply(judged)
            elif judged.route.operation.file is not None:
                self._scheduler.spawn(self._upload(judged, body or b"", reply))
            else:
                self._driver.handle(judged, body or b"", lambda answer: self._out(judged, answer, reply))

        self._after_latency(lambda: self._driver.admit(head, admitted))
        late_ns = self._scheduler.now_ns + round(CALL_WITHIN_S * NS_PER_S)
        late = self._scheduler.call_at(late_ns, lambda: answered.set(None))
        came = await answered
        late.cancel()
        if came is None:
            raise NoAnswerError(f"no answer within {CALL_WITHIN_S:g} s")
        return came

    async def _upload(self, admitted: Admitted, body: bytes, reply: Callable[[Answer], None]) -> None:
        received = await files.receive(self._driver, admitted, body)
        if isinstance(received, Answer):
            reply(received)
        else:
            self._driver.handle(admitted, received, reply)

    def _out(self, admitted: Admitted, answer: Answer, reply: "Reply") -> None:
        if isinstance(answer.body, BlobBody):
            self._scheduler.spawn(self._download(admitted, answer, reply))
        else:
            reply(answer)

    async def _download(self, admitted: Admitted, answer: Answer, reply: "Reply") -> None:
        reply(*await files.streamed(self._driver, admitted, answer))

    def _after_latency(self, callback: Callable[[], None]) -> None:
        low, high = LATENCY_MS
        took_ns = round((low + (high - low) * self._draw()) * NS_PER_MS)
        self._scheduler.call_at(self._scheduler.now_ns + took_ns, callback)


class Reply(Protocol):
    """Takes the answer of a call, and the content that it streams."""

    def __call__(self, answer: Answer, content: bytes | None = None) -> None: ...


def _raw(answer: Answer, head: Head, body: bytes) -> RawAnswer:
    """Encode the answer now: what the server thinks later must not change what is on its way."""
    headers = [*headers_of(answer, body), *sharing_headers(Origins(), head)]
    return RawAnswer(answer.status, {name.decode(): value.decode() for name, value in headers}, body)
