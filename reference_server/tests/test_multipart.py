"""Multipart bodies, however they are cut: what comes out, and what is refused (contract §§1, 2)."""

import gc
import hashlib
import weakref

import pytest
from msgspec import UNSET

from reference_server.blobs import BlobError, Blobs, MemoryBlobs
from reference_server.contract import limits
from reference_server.contract.models import BinaryForm, BinaryUploaded, ErrorBody
from reference_server.contract.operations.model import WASM as WASM_TYPE
from reference_server.contract.operations.model import FileField, Operation
from reference_server.core.answers import Answer
from reference_server.core.calls import Form, Upload
from reference_server.tests.blobs import TroubledBlobs
from reference_server.tests.forms import BOUNDARY, END, TYPE, WASM, form, part, pieces
from reference_server.transfers.multipart import FormReader, boundary_of

FILE = FileField("wasm_binary", 1024, 4096, (WASM_TYPE,))
UPLOAD = Operation("x", "POST", "/x", "user", "X", 201, BinaryUploaded, form=BinaryForm, file=FILE)
AS_SENT = BOUNDARY.encode()
VERSION = ("version", b"1.0.0")
BINARY = ("wasm_binary", WASM)


def reader(blobs: Blobs | None = None, boundary: bytes | Answer = AS_SENT) -> FormReader:
    return FormReader(boundary, UPLOAD, FILE, blobs or MemoryBlobs(), "blob")


def read(body: bytes, size: int = 1000, blobs: Blobs | None = None) -> Form | Answer:
    """Read a body to its end, or to the first refusal."""
    reading = reader(blobs)
    for piece in pieces(body, size):
        refusal = reading.feed(piece)
        if refusal is not None:
            return refusal
    return reading.finish()


def told(answer: Form | Answer) -> tuple[int, list[str]]:
    """Return an answer's status and the fields it names."""
    assert isinstance(answer, Answer), answer
    assert isinstance(answer.body, ErrorBody)
    details = [] if answer.body.details is UNSET else answer.body.details
    return answer.status, [fault.field for fault in details]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 100_000])
def test_a_body_comes_out_the_same_however_it_is_cut(size: int) -> None:
    content = WASM[:1500] + b"\r\n--a-boundar" + b"\r\n-\r\n--" + b"\r" * 5
    blobs = MemoryBlobs()
    reading = reader(blobs)
    for piece in pieces(form(VERSION, ("unknown", b"ignored"), ("wasm_binary", content)), size):
        assert reading.feed(piece) is None
    read_form = reading.finish()
    reading.keep()

    upload = Upload("blob", len(content), hashlib.sha256(content).hexdigest(), content[:16])
    assert read_form == Form({"version": [b"1.0.0"]}, upload)
    assert blobs.open("blob").read(10_000) == content


def test_a_repeated_text_field_keeps_its_values_in_order() -> None:
    assert read(form(VERSION, BINARY, ("version", b""), ("version", b"2"))) == Form(
        {"version": [b"1.0.0", b"", b"2"]}, Upload("blob", len(WASM), hashlib.sha256(WASM).hexdigest(), WASM[:16])
    )


def test_a_form_without_its_file_has_no_upload() -> None:
    assert read(form(VERSION)) == Form({"version": [b"1.0.0"]})


def test_a_file_that_comes_twice_is_told_and_the_first_counts() -> None:
    came = read(form(BINARY, ("wasm_binary", b"other")))

    assert isinstance(came, Form)
    assert came.doubled
    assert came.upload is not None
    assert came.upload.size == len(WASM)


def test_what_follows_the_last_boundary_is_ignored() -> None:
    assert isinstance(read(form(VERSION, BINARY) + b"an epilogue"), Form)


@pytest.mark.parametrize("where", ["text", "file"])
def test_a_field_is_known_by_its_name_and_not_by_a_file_name(where: str) -> None:
    named = {"text": ("version", b"1.0.0"), "file": ("wasm_binary", WASM)}
    body = b"".join(part(name, content, '; filename="x.bin"') for name, content in named.values()) + END
    came = read(body if where == "text" else form(*named.values()))

    assert isinstance(came, Form)
    assert (came.fields, came.upload is not None) == ({"version": [b"1.0.0"]}, True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no multipart at all",
        b"{}",
        form(VERSION, BINARY)[:-10],
        form(VERSION)[: -len(END)],
        b"--another-boundary\r\n\r\n\r\n--another-boundary--",
        b"--a-boundary\r\nno header\r\n\r\nx\r\n" + END,
        b'--a-boundary\r\nContent-Disposition: attachment; name="version"\r\n\r\nx\r\n' + END,
        b"--a-boundary\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
        b"--a-boundary\r\n\r\nx\r\n" + END,
        b"--a-boundary\r\n: x\r\n\r\nx\r\n" + END,
        b"--a-boundary\r\nContent-Disposition: form-data; name=x\r\nX-Long: " + b"x" * 5000 + b"\r\n\r\nx\r\n" + END,
        b"--a-boundary\r\n" + b"X-Many: x\r\n" * 9 + b"\r\nx\r\n" + END,
        form(*[("x", b"")] * (limits.FORM_PARTS_MAX + 1)),
    ],
)
def test_what_is_no_such_form_is_400(body: bytes) -> None:
    assert told(read(body)) == (400, ["body"])


def test_text_that_is_too_long_is_400_and_names_its_field() -> None:
    half = b"x" * (limits.FORM_TEXT_BYTES_MAX // 2 + 1)

    assert told(read(form(("version", half), ("version", half)), 60_000)) == (400, ["version"])
    assert isinstance(read(form(("unknown", half * 3), BINARY), 60_000), Form)


@pytest.mark.parametrize(
    "body",
    [
        form(("wasm_binary", b"x" * 4097)),
        part("wasm_binary", b"x" * 4097),
        form(("unknown", b"x" * (4096 + limits.FORM_OVERHEAD_BYTES_MAX + 1))),
        b"no multipart at all" + b"x" * (4096 + limits.FORM_OVERHEAD_BYTES_MAX),
    ],
)
def test_a_file_or_a_body_that_is_too_large_is_413_also_when_it_is_wrong_otherwise(body: bytes) -> None:
    assert told(read(body, 60_000)) == (413, [])


def test_a_file_as_large_as_may_be_is_taken() -> None:
    assert isinstance(read(form(("wasm_binary", b"x" * 4096))), Form)


def test_a_body_of_another_type_is_read_on_since_it_may_be_too_large() -> None:
    refusal = boundary_of({"content-type": "application/json"})
    assert isinstance(refusal, Answer)
    small, large = reader(boundary=refusal), reader(boundary=refusal)

    assert small.feed(b"{}") is None
    assert small.finish() == refusal
    assert told(large.feed(b"x" * (4097 + limits.FORM_OVERHEAD_BYTES_MAX)) or Form({})) == (413, [])


@pytest.mark.parametrize(
    ("content_type", "boundary", "status"),
    [
        (TYPE, b"a-boundary", 0),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b", 0),
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=", b"", 400),
        (f"multipart/form-data; boundary={'x' * 71}", b"", 400),
        ("", b"", 415),
        ("application/json", b"", 415),
        ("multipart/mixed; boundary=x", b"", 415),
        ("application/x-www-form-urlencoded", b"", 415),
    ],
)
def test_the_boundary_stands_in_the_content_type(content_type: str, boundary: bytes, status: int) -> None:
    found = boundary_of({"content-type": content_type})

    assert found.status == status if isinstance(found, Answer) else found == boundary


def test_a_form_that_is_compressed_is_refused() -> None:
    found = boundary_of({"content-type": TYPE, "content-encoding": "gzip"})

    assert isinstance(found, Answer)
    assert (found.status, found.headers) == (415, (("Accept-Encoding", "identity"),))
    assert boundary_of({"content-type": TYPE, "content-encoding": "Identity"}) == b"a-boundary"


def test_a_full_disk_is_told_when_the_file_is_to_be_kept_and_leaves_nothing() -> None:
    blobs = TroubledBlobs()
    blobs.full = True
    reading = reader(blobs)
    for piece in pieces(form(VERSION, BINARY), 500):
        assert reading.feed(piece) is None

    assert isinstance(reading.finish(), Form)
    with pytest.raises(BlobError, match="the disk is full"):
        reading.keep()
    assert (blobs.staged, list(blobs.names())) == (0, [])


def test_a_full_disk_does_not_hide_that_the_body_is_wrong() -> None:
    blobs = TroubledBlobs()
    blobs.full = True

    assert told(read(form(BINARY)[:-10], blobs=blobs)) == (400, ["body"])
    assert told(read(form(("wasm_binary", b"x" * 4097)), blobs=blobs)) == (413, [])


@pytest.mark.parametrize("kept", [True, False])
def test_a_form_that_is_over_leaves_nothing_for_the_collector(kept: bool) -> None:
    gc.collect()
    gc.disable()
    try:
        reading = reader()
        reading.feed(form(VERSION, BINARY))
        if kept:
            reading.finish()
            reading.keep()
        else:
            reading.discard()
        gone = weakref.ref(reading)
        del reading
        assert gone() is None
    finally:
        gc.enable()
