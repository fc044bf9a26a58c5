"""What an operation is asked with: path and query parameters, the handshake's headers, JSON and multipart bodies."""

import re
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from reference_server.contract.export.examples import described_json
from reference_server.contract.export.schemas import Schema, ref, schemas_of, without_null
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, SOCKET_PATH, SOCKET_VERSION, SUBPROTOCOL
from reference_server.contract.operations.model import JSON, FileField, Operation

MULTIPART: Final = "multipart/form-data"
_NAMES_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_UPGRADE: Final[tuple[tuple[str, Schema, str], ...]] = (
    ("Connection", {"type": "string", "enum": ["Upgrade"]}, "Names Upgrade (RFC 6455 §4.1)."),
    ("Upgrade", {"type": "string", "enum": ["websocket"]}, "The protocol asked for."),
    ("Sec-WebSocket-Version", {"type": "string", "enum": [SOCKET_VERSION]}, "Another one is 426."),
    (
        "Sec-WebSocket-Key",
        {"type": "string", "pattern": "^[A-Za-z0-9+/]{21}[AQgw]==$"},
        "16 bytes in base64, drawn anew for each handshake.",
    ),
)
_OFFERED: Final = (
    f"May offer {SUBPROTOCOL}, and with it {BEARER_SUBPROTOCOL_PREFIX}<token> instead of the header Authorization."
)


def parameters_of(operation: Operation) -> list[dict[str, Any]]:
    """Return the operation's parameters: path, then query, then headers."""
    return [*_in_path(operation), *_in_query(operation), *_in_headers(operation)]


def _in_path(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in _NAMES_IN_PATH.findall(operation.path):
        description = "A malformed id is an unknown one: 404."
        schema = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _in_query(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    whole = schemas_of([operation.query])[operation.query.__name__]
    for name, schema in whole["properties"].items():
        required = name in whole.get("required", ())
        yield {"name": name, "in": "query", "required": required, "schema": without_null(schema)}


def _in_headers(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.path != SOCKET_PATH:
        return
    for name, schema, description in _UPGRADE:
        yield {"name": name, "in": "header", "required": True, "description": description, "schema": schema}
    name, schema = "Sec-WebSocket-Protocol", {"type": "string", "enum": [SUBPROTOCOL]}
    yield {"name": name, "in": "header", "required": False, "description": _OFFERED, "schema": schema}


def body_of(operation: Operation) -> dict[str, Any] | None:
    """Return the operation's request body; None when it takes none."""
    if operation.body is not None:
        return {"required": operation.body_required, "content": {JSON: described_json(operation.body)}}
    if operation.file is not None:
        return {"required": True, "content": {MULTIPART: _multipart(operation.form, operation.file)}}
    return None


def _multipart(form: type[Struct] | None, file: FileField) -> dict[str, Any]:
    """Text fields go as parts of their own, a list as one part an item, an object as a part of JSON text."""
    whole: Schema = {"properties": {}} if form is None else schemas_of([form])[form.__name__]
    properties = {**whole["properties"], file.name: _file(file)}
    required = [*whole.get("required", ()), file.name]
    encoding = {name: {"contentType": JSON} for name, schema in whole["properties"].items() if _is_object(schema)}
    encoding[file.name] = {"contentType": ", ".join(file.kinds)}
    described = {"schema": {"type": "object", "properties": properties, "required": required}, "encoding": encoding}
    # The model with its examples: a body with a file is no value of JSON that could be one.
    return described if form is None else described | {"x-form": ref(form)}


def _file(file: FileField) -> Schema:
    """Sizes of a file are bytes, which JSON Schema can't bound; they stand in words."""
    least = f"{file.bytes_min:,} to " if file.bytes_min else "at most "
    kinds = ", ".join(file.kinds)
    return {
        "type": "string",
        "format": "binary",
        "description": f"A file of {least}{file.bytes_max:,} bytes; by its content {kinds}.",
    }


def _is_object(schema: Schema) -> bool:
    return "$ref" in schema or schema.get("type") == "object"
