"""Multipart fields as values of a model, and what is wrong with each (contract §§1, 3)."""

from typing import Any

import pytest
from msgspec import Struct

from reference_server.contract.models import Pricing
from reference_server.contract.operations.model import PICTURES, WASM, FileField, Operation
from reference_server.core import content
from reference_server.core.calls import Form, Upload
from reference_server.core.forms import decode_form
from reference_server.core.wire import RequestError

WASM_HEAD = b"\0asm\x01\0\0\0"


class Ware(Struct, frozen=True):
    name: str
    pricing: Pricing
    note: str = "none"
    tags: list[str] = []
    metadata: dict[str, Any] = {}


def operation(form: type[Struct] | None = Ware) -> Operation:
    file = FileField("wasm_binary", 1024, 4096, (WASM,))
    return Operation("sell", "POST", "/x", "user", "Sell", 201, Ware, form=form, file=file)


def upload(size: int = 2000, head: bytes = WASM_HEAD) -> Upload:
    return Upload("blob", size, "0" * 64, head)


GOOD = {"name": [b"x"], "pricing": [b'{"per_execution": 1}']}


def faults(form: Form) -> list[tuple[str, str]]:
    with pytest.raises(RequestError) as caught:
        decode_form(form, operation())
    return [(fault.field, fault.reason) for fault in caught.value.faults]


def test_text_and_json_text_become_a_value() -> None:
    fields = GOOD | {"metadata": [b'{"a": [1, "\xc3\xa9"]}']}

    assert decode_form(Form(fields, upload()), operation()) == Ware("x", Pricing(1.0), metadata={"a": [1, "é"]})


def test_json_text_of_10_kib_is_taken() -> None:
    assert decode_form(Form(GOOD | {"metadata": [b"{}".ljust(10_240)]}, upload()), operation()) == Ware(
        "x", Pricing(1.0)
    )


def test_a_form_without_text_fields_is_none() -> None:
    assert decode_form(Form({}, upload()), operation(None)) is None


@pytest.mark.parametrize("given", [[b"a"], [b"a", b"b", b"a"]])
def test_a_repeated_field_is_a_list(given: list[bytes]) -> None:
    decoded = decode_form(Form(GOOD | {"tags": given}, upload()), operation())

    assert decoded == Ware("x", Pricing(1.0), tags=[one.decode() for one in given])


def test_of_a_doubled_field_the_last_wins() -> None:
    decoded = decode_form(Form(GOOD | {"name": [b"x", b"y"]}, upload()), operation())

    assert decoded == Ware("y", Pricing(1.0))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [("name", "is required"), ("pricing", "is required")]),
        (GOOD | {"name": [b"\xff"]}, [("name", "must be UTF-8 text")]),
        (GOOD | {"name": [b"\xed\xa0\x80"]}, [("name", "must be UTF-8 text")]),
        (GOOD | {"name": [b"a\0"]}, [("name", "must not hold NUL")]),
        (GOOD | {"tags": [b"a", b"\xff"]}, [("tags", "must be UTF-8 text")]),
        (GOOD | {"pricing": [b"{"]}, [("pricing", "must be JSON")]),
        (GOOD | {"pricing": [b"[]"]}, [("pricing", "must be a JSON object")]),
        (GOOD | {"pricing": [b'{"a": "\\u0000"}']}, [("pricing", "must not hold NUL")]),
        (GOOD | {"pricing": [b"{}"]}, [("pricing.per_execution", "is required")]),
        (GOOD | {"pricing": [b'{"per_execution": 0}']}, [("pricing.per_execution", "must be greater than 0")]),
        (GOOD | {"metadata": [b""]}, [("metadata", "must be JSON")]),
        (GOOD | {"metadata": [b"{}".ljust(10_241)]}, [("metadata", "must be at most 10,240 bytes as JSON text")]),
        (
            GOOD | {"metadata": [b'{"a":' * 64 + b"1" + b"}" * 64 + b"}"], "name": [b"\xff"]},
            [("name", "must be UTF-8 text"), ("metadata", "must be JSON")],
        ),
        (
            GOOD | {"metadata": [b'{"a":' * 65 + b"1" + b"}" * 65]},
            [("metadata", "must not be nested deeper than 64 levels")],
        ),
    ],
)
def test_every_wrong_field_is_named(fields: dict[str, list[bytes]], expected: list[tuple[str, str]]) -> None:
    assert faults(Form(fields, upload())) == expected


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (Form(GOOD), "is required"),
        (Form(GOOD, upload(), doubled=True), "must come once"),
        (Form(GOOD, upload(1023)), "must be at least 1,024 bytes"),
        (Form(GOOD, upload(head=b"\x7fELF")), "must be WebAssembly 1 by its content"),
        (Form(GOOD, upload(head=b"\0asm\x02\0\0\0")), "must be WebAssembly 1 by its content"),
        (Form(GOOD, upload(head=b"\x89PNG\r\n\x1a\n")), "must be WebAssembly 1 by its content"),
    ],
)
def test_a_file_that_is_wrong_is_named(form: Form, reason: str) -> None:
    assert faults(form) == [("wasm_binary", reason)]


def test_wrong_fields_and_a_wrong_file_are_told_together() -> None:
    assert [field for field, _ in faults(Form({}))] == ["name", "pricing", "wasm_binary"]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (WASM_HEAD, "application/wasm"),
        (b"", None),
        (b"<svg xmlns=", None),
        (b"<!doctype html>", None),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"GIF88a", None),
        (b"\0asm", None),
        (b" \x89PNG\r\n\x1a\n", None),
    ],
)
def test_a_files_kind_stands_in_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert content.kind_of(head) == kind


def test_kinds_are_told_in_words() -> None:
    assert content.in_words(PICTURES) == "JPEG, PNG, GIF or WebP"
    assert content.in_words((WASM,)) == "WebAssembly 1"
