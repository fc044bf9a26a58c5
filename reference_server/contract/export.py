"""OpenAPI 3.1 from the table of operations: `python -m reference_server.contract.export` rewrites `openapi.json`.

With `--check` it writes nothing and says whether the file has drifted (exit code 1). The document is a reader of the
contract like any other; nothing stands in it that the tables don't hold.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from reference_server.contract import limits
from reference_server.contract.codes import ERROR_PHRASES
from reference_server.contract.messages import BEARER_SUBPROTOCOL_PREFIX, DATA_MODELS, SUBPROTOCOL, Envelope, Ping
from reference_server.contract.models import ErrorBody
from reference_server.contract.operations import OPERATIONS, FileField, Operation

OPENAPI_FILE: Final = Path(__file__).parent / "openapi.json"
_REF: Final = "#/components/schemas/{name}"
_NAMES_IN_PATH: Final = re.compile(r"\{(\w+)\}")
_RETRYING: Final = (429, 503)
_SUCCESS_PHRASES: Final = {101: "switching protocols", 200: "ok", 201: "created", 202: "accepted"}


_NO_MODELS: Final = (None, type(None), bytes)


def openapi() -> dict[str, Any]:
    """Return the document (OpenAPI 3.1.0)."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ZeroState realtime system",
            "version": "1",
            "description": f"REST API of the contract. A JSON body is at most {limits.JSON_BODY_BYTES_MAX:,} bytes.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in OPERATIONS)],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _SECURITY, "headers": _HEADERS},
    }


def text() -> str:
    """Return the document as it stands in the file."""
    return json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"


_SECURITY: Final[dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"On the handshake also the subprotocols {SUBPROTOCOL}, {BEARER_SUBPROTOCOL_PREFIX}<token>.",
    }
}
_HEADERS: Final[dict[str, Any]] = {
    "RetryAfter": {
        "description": "Whole seconds after which a call succeeds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
}


def _models() -> list[type[Any]]:
    """Return every model, in a fixed order; those of the socket too, for readers of one document."""
    models: list[type[Any]] = [ErrorBody]
    for operation in OPERATIONS:
        models += [model for model in (operation.body, operation.answer) if model not in _NO_MODELS]
    models += [Envelope, Ping, *DATA_MODELS.values()]
    return list(dict.fromkeys(models))


def _schemas() -> dict[str, Any]:
    _, schemas = msgspec.json.schema_components(_models(), ref_template=_REF)
    for name in sorted(schemas):
        for described in schemas[name].get("properties", {}).values():
            if "pattern" in described:
                # JSON Schema's patterns are ECMA-262's, where `$` is the end of the text and `\Z` is nothing.
                described["pattern"] = described["pattern"].removesuffix(r"\Z") + "$"
    return dict(sorted(schemas.items()))


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": [] if operation.auth == "none" else [{"bearer": []}],
    }
    if operation.auth == "admin":
        described["description"] = "Needs the role `admin`."
    parameters = [*_path_parameters(operation), *_query_parameters(operation)]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {"required": operation.body_required, "content": _json(operation.body)}
    if operation.file is not None:
        described["requestBody"] = {"required": True, "content": _multipart(operation, operation.file)}
    described["responses"] = {str(status): _response(operation, status) for status in sorted(operation.statuses)}
    return described


def _multipart(operation: Operation, file: FileField) -> dict[str, Any]:
    """Describe the form's text fields and its file; what the file must hold is said in words."""
    schema: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
    if operation.form is not None:
        _, schemas = msgspec.json.schema_components([operation.form], ref_template=_REF)
        schema = schemas[operation.form.__name__]
    held = f"{', '.join(file.kinds)} by its content, {file.bytes_min:,} to {file.bytes_max:,} bytes"
    described = {"type": "string", "format": "binary", "description": held}
    schema = {**schema, "properties": {**schema["properties"], file.name: described}}
    return {"multipart/form-data": {"schema": {**schema, "required": [*schema.get("required", ()), file.name]}}}


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in _NAMES_IN_PATH.findall(operation.path):
        description = "A malformed id is an unknown one: 404."
        yield {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": "string"}}


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    _, schemas = msgspec.json.schema_components([operation.query], ref_template=_REF)
    schema = schemas[operation.query.__name__]
    for name, described in schema["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _without_null(described),
        }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter that may be absent is `| None` in the model; over the wire it is never null."""
    if "anyOf" in schema:
        (one,) = [option for option in schema["anyOf"] if option.get("type") != "null"]
        return dict(one)
    return schema


def _response(operation: Operation, status: int) -> dict[str, Any]:
    if status != operation.success:
        return _error(status)
    described: dict[str, Any] = {"description": _SUCCESS_PHRASES[status]}
    if operation.answer is bytes:
        described["content"] = {operation.media: {"schema": {"type": "string", "format": "binary"}}}
    elif operation.answer is not type(None):
        described["content"] = _json(operation.answer)
    return described


def _error(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": ERROR_PHRASES[status], "content": _json(ErrorBody)}
    if status in _RETRYING:
        described["headers"] = {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return described


def _json(model: type[Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=model.__name__)}}}


def main(arguments: list[str]) -> int:
    """Rewrite the file, or with `--check` compare; return the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"unknown arguments {arguments}; use --check or none\n")
        return 2
    wanted = text()
    if not arguments:
        OPENAPI_FILE.write_text(wanted, encoding="utf-8")
        return 0
    if not OPENAPI_FILE.exists() or OPENAPI_FILE.read_text(encoding="utf-8") != wanted:
        sys.stderr.write(
            f"{OPENAPI_FILE.name} has drifted from the tables; run python -m reference_server.contract.export\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
