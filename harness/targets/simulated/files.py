"""Files to and from a simulated driver: a body in pieces as it takes them, a blob in pieces as it gives them."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from harness.simulation.scheduler import Promise
from reference_server.core.answers import Answer
from reference_server.core.calls import Admitted
from reference_server.driver import Driver
from reference_server.transfers.uploads import Received

T = TypeVar("T")
PIECE_BYTES: Final = 64 * 1024


async def receive(driver: Driver, admitted: Admitted, body: bytes) -> Received | Answer:
    """Give a multipart body to the driver; an answer refuses it."""
    receiving = driver.receive(admitted)
    if isinstance(receiving, Answer):
        return receiving
    for start in range(0, len(body), PIECE_BYTES):
        refusal: Answer | None = await _told(partial(receiving.feed, body[start : start + PIECE_BYTES]))
        if refusal is not None:
            return refusal
    return await _told(receiving.finish)


async def streamed(driver: Driver, admitted: Admitted, answer: Answer) -> tuple[Answer, bytes | None]:
    """Read the blob that an answer streams; another answer, without one, takes its place when it can't be read."""
    opened = await _told(partial(driver.open_blob, admitted, answer))
    if isinstance(opened, Answer):
        return opened, None
    content = b""
    while piece := await _told(opened.read):
        content += piece
    opened.close()
    return opened.answer, content


async def _told(ask: Callable[[Callable[[T], None]], None]) -> T:
    """Await what a question with a callback is told."""
    promise: Promise[T] = Promise()
    ask(promise.set)
    return await promise
