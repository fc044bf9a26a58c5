"""Uploads on their way in: pieces of a body go to a worker one after another, and back comes a file that may be kept.

At most one piece of an upload waits at any time, since the next is asked for once the last is written: a full disk or a
slow store shows on the socket as back-pressure. What is not kept, for whatever reason, is discarded.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from reference_server.blobs import BlobError, Blobs
from reference_server.contract import limits
from reference_server.contract.operations import Operation
from reference_server.core.answers import Answer, unavailable, went_wrong
from reference_server.core.calls import Form, Head
from reference_server.environment import Environment, OffloadFullError
from reference_server.transfers.multipart import FormReader, body_bytes_max, boundary_of, too_large
from reference_server.transfers.places import Places

logger = logging.getLogger(__name__)
T = TypeVar("T")


def storage_fault(fault: Exception) -> Answer:
    """Return the answer to what went wrong while a blob was worked on; the cause is logged, not told."""
    if isinstance(fault, BlobError | OffloadFullError):
        logger.error("blobs can't be used: %s", fault)
        return unavailable("files can't be stored or read now; try again")
    logger.error("a worker failed: %s", fault, exc_info=fault)
    return went_wrong()


def remove(environment: Environment, work: Callable[[], None]) -> None:
    """Let a worker take away a file that nobody needs; nobody waits for it, and what fails the next start does."""

    def failed(fault: Exception) -> None:
        logger.warning("a file that nobody needs was not removed; the next start does it: %s", fault)

    environment.offload(work, lambda _: None, failed)


class Uploads:
    """Every upload of one process; bounded in number, in all and for each caller."""

    def __init__(self, environment: Environment, blobs: Blobs) -> None:
        self._environment = environment
        self._blobs = blobs
        self._places = Places(limits.UPLOADS_MAX, limits.UPLOADS_PER_ACCOUNT_MAX)

    @property
    def unfinished(self) -> int:
        """How many uploads are under way."""
        return self._places.taken

    def receive(self, operation: Operation, head: Head, caller: str) -> "Receiving | Answer":
        """Begin to receive the body that belongs to a head, or refuse by the head alone: 413, 415, 400, 503."""
        field = operation.file
        if field is None:
            raise TypeError(f"{operation.name} takes no file")
        declared = head.declared_bytes
        if declared > body_bytes_max(field):
            return too_large(field)
        boundary = boundary_of(head.headers)
        # Without a length only the body's end tells that it is not too large, which would come first.
        if isinstance(boundary, Answer) and declared:
            return boundary
        if not self._places.take(caller):
            return unavailable("too many uploads at once; try again")
        # The name must not be guessed: a picture is served under it.
        reader = FormReader(boundary, operation, field, self._blobs, self._environment.new_secret())
        return Receiving(self._environment, self._blobs, reader, partial(self._places.give_back, caller))


class Received:
    """A multipart body that came whole: its fields, and a file that lies staged until it is kept or discarded."""

    def __init__(self, environment: Environment, blobs: Blobs, reader: FormReader, form: Form) -> None:
        self.form = form
        self._environment = environment
        self._blobs = blobs
        self._reader = reader
        self._kept = False

    def keep(self, then: Callable[[], None], refused: Callable[[Answer], None]) -> None:
        """Make the file durable, then go on; or say that it can't be stored, with nothing left of it."""

        def kept(_: None) -> None:
            self._kept = True
            then()

        self._environment.offload(self._reader.keep, kept, lambda fault: refused(storage_fault(fault)))

    def discard(self) -> None:
        """Leave nothing of the file, staged or kept."""
        upload = self.form.upload
        if self._kept and upload is not None:
            remove(self._environment, partial(self._blobs.delete, upload.blob))
        else:
            remove(self._environment, self._reader.discard)


class Receiving:
    """One upload while its body comes: `feed` each piece, one at a time, then `finish`; or `abandon` at any time."""

    def __init__(
        self, environment: Environment, blobs: Blobs, reader: FormReader, give_back: Callable[[], None]
    ) -> None:
        self._environment = environment
        self._blobs = blobs
        self._reader = reader
        self._give_back = give_back
        self._busy = False
        self._over = False

    def feed(self, piece: bytes, then: Callable[[Answer | None], None]) -> None:
        """Take a piece and say when the next may come; an answer ends the upload."""

        def fed(refusal: Answer | None) -> None:
            if refusal is not None:
                self.abandon()
            then(refusal)

        self._work(lambda: self._reader.feed(piece), fed, then)

    def finish(self, then: Callable[[Received | Answer], None]) -> None:
        """Say what came, once the whole body has; an answer ends the upload."""

        def finished(form: Form | Answer) -> None:
            if isinstance(form, Answer):
                self.abandon()
                then(form)
                return
            self._end()
            then(Received(self._environment, self._blobs, self._reader, form))

        self._work(self._reader.finish, finished, then)

    def abandon(self) -> None:
        """End the upload and leave nothing of it, once what a worker has of it is done; repeatable."""
        if self._over:
            return
        self._end()
        if not self._busy:
            self._discard()

    def _work(self, work: Callable[[], T], done: Callable[[T], None], refused: Callable[[Answer], None]) -> None:
        def succeeded(value: T) -> None:
            if not self._abandoned():
                done(value)

        def failed(fault: Exception) -> None:
            if not self._abandoned():
                self.abandon()
                refused(storage_fault(fault))

        self._busy = True
        self._environment.offload(work, succeeded, failed)

    def _abandoned(self) -> bool:
        """Say whether nobody waits any more for what a worker has done; what was abandoned meanwhile is discarded."""
        self._busy = False
        if self._over:
            self._discard()
        return self._over

    def _end(self) -> None:
        self._over = True
        self._give_back()

    def _discard(self) -> None:
        remove(self._environment, self._reader.discard)
