"""A multipart body becomes a value of the contract's model, or a 400 that names every wrong field (contract §1).

Text stands as text, a list is its field repeated, an object is JSON text of at most 10 KiB as it came; of a field that
is no list and came more than once the last wins, as in JSON. The file is judged by its size and its first bytes.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, inspect

from reference_server.contract import limits
from reference_server.contract.models import FieldFault
from reference_server.contract.operations.model import FileField, Operation
from reference_server.core import wire
from reference_server.core.calls import Form, Upload
from reference_server.core.content import in_words, kind_of


def decode_form(form: Form, operation: Operation) -> Struct | None:
    """Return the operation's form, None when it has no text fields; raises wire.RequestError with all wrong fields."""
    values: dict[str, Any] = {}
    faults: list[FieldFault] = []
    if operation.form is not None:
        values, faults = _read(form, operation.form)
        unreadable = {fault.field for fault in faults}
        faults += [fault for fault in wire.faults_in(values, operation.form) if fault.field not in unreadable]
    if operation.file is not None:
        faults += _file_faults(form, operation.file)
    if faults:
        raise wire.request_error(faults)
    return None if operation.form is None else msgspec.convert(values, operation.form)


def _read(form: Form, model: type[Struct]) -> tuple[dict[str, Any], list[FieldFault]]:
    values: dict[str, Any] = {}
    faults: list[FieldFault] = []
    for name, type_ in wire.types_of(model).items():
        try:
            if form.fields.get(name):
                values[name] = _value(type_, form.fields[name])
        except wire.RequestError as wrong:
            faults += [FieldFault(name, fault.reason) for fault in wrong.faults]
    return values, faults


def _value(type_: inspect.Type, given: Sequence[bytes]) -> Any:
    match type_:
        case inspect.ListType():
            return [_text(one) for one in given]
        case inspect.StructType() | inspect.DictType():
            return _object(given[-1])
        case _:
            return _text(given[-1])


def _object(given: bytes) -> dict[str, Any]:
    if len(given) > limits.FORM_JSON_BYTES_MAX:
        reason = f"must be at most {limits.FORM_JSON_BYTES_MAX:,} bytes as JSON text"
        raise wire.request_error([FieldFault("", reason)])
    return wire.parse_json(given)


def _text(given: bytes) -> str:
    try:
        text = given.decode("utf-8")
    except UnicodeDecodeError:
        raise wire.request_error([FieldFault("", "must be UTF-8 text")]) from None
    if "\0" in text:
        raise wire.request_error([FieldFault("", "must not hold NUL")])
    return text


def _file_faults(form: Form, field: FileField) -> list[FieldFault]:
    if form.doubled:
        return [FieldFault(field.name, "must come once")]
    if form.upload is None:
        return [FieldFault(field.name, "is required")]
    reason = _against_file(form.upload, field)
    return [] if reason is None else [FieldFault(field.name, reason)]


def _against_file(upload: Upload, field: FileField) -> str | None:
    if upload.size < field.bytes_min:
        return f"must be at least {field.bytes_min:,} bytes" if field.bytes_min > 1 else "must not be empty"
    if kind_of(upload.head) not in field.kinds:
        return f"must be {in_words(field.kinds)} by its content"
    return None
