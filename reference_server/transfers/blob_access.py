"""What a process asks of its blob store beside uploads: to stream a blob out, delete, check, sweep.

All but the sweep at start happens on workers. A download holds one piece at a time; the next is read once the last has
left.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial

from reference_server.blobs import BlobError, BlobMissingError, BlobReader, Blobs
from reference_server.contract import limits
from reference_server.core.answers import Answer, BlobBody, unavailable
from reference_server.core.units import SECOND_NS
from reference_server.environment import Environment
from reference_server.transfers.places import Places
from reference_server.transfers.uploads import remove, storage_fault

logger = logging.getLogger(__name__)


class BlobAccess:
    """The blob store of one process; downloads are bounded in number, in all and for each caller."""

    def __init__(self, environment: Environment, blobs: Blobs) -> None:
        self._environment = environment
        self._blobs = blobs
        self._places = Places(limits.DOWNLOADS_MAX, limits.DOWNLOADS_PER_CALLER_MAX)
        self._check = _Check(environment, blobs)

    def sweep(self, needed: Iterable[str]) -> None:
        """Remove what no row needs and what was never kept, before anybody is served; raises BlobError, blocks."""
        self._blobs.sweep()
        for name in set(self._blobs.names()).difference(needed):
            self._blobs.delete(name)

    def open(
        self,
        answer: Answer,
        caller: str,
        then: Callable[["Download | Answer"], None],
        missing: Callable[[], None] | None = None,
    ) -> None:
        """Open the blob that is an answer's body; 503 when it can't be read, or when too many are under way.

        `missing` hears in the place of `then` that there is no such blob.
        """
        if not self._places.take(caller):
            then(unavailable("too many downloads at once; try again"))
            return

        def opened(reader: BlobReader) -> None:
            then(Download(self._environment, answer, reader, partial(self._places.give_back, caller)))

        def failed(fault: Exception) -> None:
            self._places.give_back(caller)
            if missing is not None and isinstance(fault, BlobMissingError):
                missing()
            else:
                then(storage_fault(fault))

        self._environment.offload(partial(self._open, answer), opened, failed)

    def delete(self, names: Iterable[str]) -> None:
        """Take blobs away that no row points at any more; what fails is left for the next start."""
        for name in names:
            remove(self._environment, partial(self._blobs.delete, name))

    def check(self, then: Callable[[bool], None]) -> None:
        """Say whether blobs can be written and read now, to one who asks at a time; the answer has a deadline."""
        self._check.ask(then)

    def _open(self, answer: Answer) -> BlobReader:
        body = answer.body
        if not isinstance(body, BlobBody):
            raise TypeError(f"an answer {answer.status} streams no blob")
        reader = self._blobs.open(body.blob)
        if body.size not in (None, reader.size):
            reader.close()
            raise BlobError(f"the blob {body.blob!r} has {reader.size} bytes, its row says {body.size}; it is damaged")
        return reader


class Download:
    """An open blob on its way out with its `answer`; `size` in bytes.

    Read one piece at a time, and close it whatever happens.
    """

    def __init__(
        self, environment: Environment, answer: Answer, reader: BlobReader, give_back: Callable[[], None]
    ) -> None:
        self.answer = answer
        self.size = reader.size
        self._environment = environment
        self._reader = reader
        self._give_back = give_back
        self._busy = False
        self._closed = False

    def read(self, then: Callable[[bytes | None], None]) -> None:
        """Give the next piece, nothing at the end, None when it can't be read."""

        def came(piece: bytes) -> None:
            self._read()
            then(piece)

        def failed(fault: Exception) -> None:
            self._read()
            logger.error("a blob broke off while it was read: %s", fault)
            then(None)

        self._busy = True
        self._environment.offload(partial(self._reader.read, limits.DOWNLOAD_CHUNK_BYTES), came, failed)

    def close(self) -> None:
        """Let go of it, once a worker has; repeatable."""
        if self._closed:
            return
        self._closed = True
        self._give_back()
        if not self._busy:
            self._reader.close()

    def _read(self) -> None:
        self._busy = False
        if self._closed:
            self._reader.close()


class _Check:
    """The check of the store, asked for one at a time; a late one has failed, and so has any other until it ends."""

    def __init__(self, environment: Environment, blobs: Blobs) -> None:
        self._environment = environment
        self._blobs = blobs
        self._then: Callable[[bool], None] | None = None
        self._running = False

    def ask(self, then: Callable[[bool], None]) -> None:
        if self._running:
            then(False)
            return
        self._running, self._then = True, then
        deadline_ns = self._environment.monotonic_ns() + limits.BLOB_CHECK_S_MAX * SECOND_NS
        timer = self._environment.call_at(deadline_ns, self._late)

        def ended(good: bool) -> None:
            timer.cancel()
            self._running = False
            self._tell(good)

        def failed(fault: Exception) -> None:
            logger.error("the blob store fails its check: %s", fault)
            ended(False)

        self._environment.offload(self._blobs.check, lambda _: ended(True), failed)

    def _late(self) -> None:
        logger.error("the blob store does not answer within %s s", limits.BLOB_CHECK_S_MAX)
        self._tell(False)

    def _tell(self, good: bool) -> None:
        then, self._then = self._then, None
        if then is not None:
            then(good)
