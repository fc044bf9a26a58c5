"""A multipart body, piece by piece: text fields are collected, the file goes straight into a staged blob.

Nothing here knows a socket or a loop: every method of `FormReader` blocks and belongs on a worker. Memory is bounded by
one piece and the text fields. A body that is wrong is read on to its end all the same, so that the first error of the
contract's order is told (413 before 415 before 400), and nothing of it is kept.
"""

import hashlib
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from reference_server.blobs import BlobError, Blobs, StagedBlob
from reference_server.contract import limits
from reference_server.contract.models import FieldFault
from reference_server.contract.operations.model import FileField, Operation
from reference_server.core.admission import content_coding_fault
from reference_server.core.answers import Answer, error
from reference_server.core.calls import Form, Upload
from reference_server.core.content import HEAD_BYTES

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

# What a client sends wrong is an answer to it, not a warning of ours.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


def boundary_of(headers: Mapping[str, str]) -> bytes | Answer:
    """Return the boundary of a multipart body; 415 for another type or coding, 400 without one that may be one."""
    coded = content_coding_fault(headers)
    if coded is not None:
        return coded
    media_type, parameters = parse_options_header(headers.get("content-type", ""))
    if media_type.lower() != b"multipart/form-data":
        return error(415, "the body must be a form with a file: send Content-Type: multipart/form-data")
    boundary = parameters.get(b"boundary", b"")
    if not 0 < len(boundary) <= limits.BOUNDARY_CHARS_MAX:
        return _refusal("Content-Type", f"must have a boundary of 1 to {limits.BOUNDARY_CHARS_MAX} characters")
    return boundary


def too_large(field: FileField) -> Answer:
    """Return the 413 of a file, or of all that comes with it."""
    return error(413, f"the file {field.name} may have at most {field.bytes_max:,} bytes")


def body_bytes_max(field: FileField) -> int:
    """Return what a whole body may have that brings this file."""
    return field.bytes_max + limits.FORM_OVERHEAD_BYTES_MAX


def _refusal(name: str, reason: str) -> Answer:
    return error(400, f"{name} {reason}", details=[FieldFault(name, reason)])


class _RefusedError(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class FormReader:
    """One multipart body; `name` is what its file's blob is called once kept."""

    def __init__(
        self, boundary: bytes | Answer, operation: Operation, field: FileField, blobs: Blobs, name: str
    ) -> None:
        self._field = field
        self._fields = _Fields(() if operation.form is None else operation.form.__struct_encode_fields__)
        self._file = _File(field, blobs, name)
        self._bytes = 0
        self._refusal = boundary if isinstance(boundary, Answer) else None
        self._parser = None if isinstance(boundary, Answer) else self._new_parser(boundary)
        self._parts = 0
        self._header = b""
        self._value = b""
        self._disposition = b""
        self._sink: _Fields | _File | None = None
        self._ended = False

    def feed(self, piece: bytes) -> Answer | None:
        """Take the next piece; an answer refuses the body at once: it is too large."""
        self._bytes += len(piece)
        if self._bytes > body_bytes_max(self._field):
            return too_large(self._field)
        if self._refusal is None and self._parser is not None:
            try:
                self._parser.write(piece)
            except _RefusedError as refused:
                self._refusal = refused.answer
            except FormParserError:
                self._refusal = _refusal("body", "must be a multipart form as RFC 7578 says")
        if self._refusal is not None and self._refusal.status == 413:
            return self._refusal
        return None

    def finish(self) -> Form | Answer:
        """Return what came, or the refusal of the body as it was; the file is staged and not kept yet."""
        self._let_go()
        if self._refusal is not None:
            return self._refusal
        if not self._ended:
            return _refusal("body", "must end with its last boundary")
        return Form(self._fields.values, self._file.upload(), self._file.doubled)

    def keep(self) -> None:
        """Make the file durable under its name; raises BlobError, also for what failed while it came."""
        self._file.keep()

    def discard(self) -> None:
        """Leave nothing of the file; repeatable, does nothing once it was kept."""
        self._let_go()
        self._file.discard()

    def _let_go(self) -> None:
        """Break the circle with the parser, so that memory is free at once and not when collected."""
        self._parser = None

    # the parser's callbacks

    def _new_parser(self, boundary: bytes) -> MultipartParser:
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_comes,
            "on_header_value": self._value_comes,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._part_is_known,
            "on_part_data": self._data_comes,
            "on_end": self._end,
        }
        return MultipartParser(
            boundary,
            callbacks,
            max_header_count=limits.PART_HEADERS_MAX,
            max_header_size=limits.PART_HEADER_BYTES_MAX,
        )

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > limits.FORM_PARTS_MAX:
            raise _RefusedError(_refusal("body", f"must have at most {limits.FORM_PARTS_MAX} parts"))
        self._header = self._value = self._disposition = b""

    def _header_comes(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _value_comes(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _part_is_known(self) -> None:
        kind, parameters = parse_options_header(self._disposition)
        name = parameters.get(b"name")
        if kind.lower() != b"form-data" or name is None:
            raise _RefusedError(_refusal("body", "must name each of its parts in Content-Disposition: form-data"))
        self._sink = self._file if name == self._field.name.encode() else self._fields
        self._sink.begin(name)

    def _data_comes(self, data: bytes, start: int, end: int) -> None:
        if self._sink is not None:
            self._sink.write(data[start:end])

    def _end(self) -> None:
        self._ended = True


class _Fields:
    """The text fields that the operation knows; of the others, which are ignored, nothing is kept."""

    def __init__(self, known: tuple[str, ...]) -> None:
        self.values: dict[str, list[bytes]] = {}
        self._known = {name.encode(): name for name in known}
        self._name: str | None = None
        self._bytes = 0

    def begin(self, name: bytes) -> None:
        self._name = self._known.get(name)
        if self._name is not None:
            self.values.setdefault(self._name, []).append(b"")

    def write(self, data: bytes) -> None:
        if self._name is None:
            return
        self._bytes += len(data)
        if self._bytes > limits.FORM_TEXT_BYTES_MAX:
            reason = f"is too long: text fields may have {limits.FORM_TEXT_BYTES_MAX:,} bytes in all"
            raise _RefusedError(_refusal(self._name, reason))
        self.values[self._name][-1] += data


_ABSENT: Final = -1


class _File:
    """The file: counted, hashed and written as it comes. What the store refuses is told only when it is to be kept."""

    def __init__(self, field: FileField, blobs: Blobs, name: str) -> None:
        self.doubled = False
        self._field = field
        self._blobs = blobs
        self._name = name
        self._size = _ABSENT
        self._hash = hashlib.sha256()
        self._head = b""
        self._staged: StagedBlob | None = None
        self._fault: BlobError | None = None

    def begin(self, _: bytes) -> None:
        if self._size != _ABSENT:
            self.doubled = True
            return
        self._size = 0
        try:
            self._staged = self._blobs.stage(self._name)
        except BlobError as fault:
            self._fault = fault

    def write(self, data: bytes) -> None:
        if self.doubled:
            return
        self._size += len(data)
        if self._size > self._field.bytes_max:
            raise _RefusedError(too_large(self._field))
        self._hash.update(data)
        self._head = (self._head + data)[:HEAD_BYTES] if len(self._head) < HEAD_BYTES else self._head
        if self._staged is not None and self._fault is None:
            self._store(data)

    def _store(self, data: bytes) -> None:
        try:
            if self._staged is not None:
                self._staged.write(data)
        except BlobError as fault:
            self._fault = fault
            self.discard()

    def upload(self) -> Upload | None:
        if self._size == _ABSENT:
            return None
        return Upload(self._name, self._size, self._hash.hexdigest(), self._head)

    def keep(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._staged is not None:
            self._staged.keep()

    def discard(self) -> None:
        if self._staged is not None:
            self._staged.discard()
