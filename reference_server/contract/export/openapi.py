"""OpenAPI 3.1: the REST side of the contract as one document."""

from typing import Any, Final

from reference_server.contract import limits
from reference_server.contract.export.examples import beyond_schema, valid_examples
from reference_server.contract.export.requests import body_of, parameters_of
from reference_server.contract.export.responses import HEADERS, answers_of_no_operation, responses_of
from reference_server.contract.export.schemas import schemas_of
from reference_server.contract.messages import (
    BEARER_SUBPROTOCOL_PREFIX,
    DATA_MODELS,
    SESSION_COOKIE,
    SUBPROTOCOL,
    Envelope,
    Ping,
)
from reference_server.contract.models import ErrorBody
from reference_server.contract.operations import OPERATIONS, Operation

DESCRIPTION: Final = (
    f"REST API of the contract. A JSON body is at most {limits.JSON_BODY_BYTES_MAX:,} bytes of UTF-8, nested at most "
    f"{limits.JSON_DEPTH_MAX} levels, without NUL and lone surrogates; of a name that comes twice the last wins, and "
    "unknown names are ignored. A malformed id is an unknown one. The socket is described in /asyncapi.json."
)
SECURITY: Final[dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT or API key",
        "description": "A token of register or login, or an API key. "
        f"On the handshake also the subprotocols {SUBPROTOCOL}, {BEARER_SUBPROTOCOL_PREFIX}<token>.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "On the handshake of a page of the same site, where the server is set so; off by default.",
    },
}


def openapi(operations: tuple[Operation, ...] = OPERATIONS) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1.0)."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ZeroState realtime system",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The origin that serves this document."}],
        "tags": [{"name": name} for name in dict.fromkeys(operation.tag for operation in operations)],
        "paths": paths,
        "components": {
            "schemas": _schemas(operations),
            "responses": answers_of_no_operation(),
            "headers": HEADERS,
            "securitySchemes": SECURITY,
        },
        "x-beyond-schema": beyond_schema(),
    }


def _schemas(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """Return every model's schema; those of the socket too, for readers of one document."""
    models: list[type[Any]] = [ErrorBody, Envelope, Ping, *DATA_MODELS.values()]
    for operation in operations:
        models += [model for model in (operation.body, operation.form) if model is not None]
        models += [operation.answer] if operation.answer not in (type(None), bytes, str) else []
    schemas = schemas_of(models)
    for name, schema in schemas.items():
        examples = [one["value"] for one in valid_examples(name)]
        if examples:
            schema["examples"] = examples
    return schemas


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": _security(operation),
    }
    if operation.auth == "admin":
        described["description"] = "Needs the role `admin`."
    elif operation.auth != "none" and not operation.keys:
        described["description"] = "Needs a token of register or login; with an API key it is 403."
    parameters = parameters_of(operation)
    if parameters:
        described["parameters"] = parameters
    body = body_of(operation)
    if body is not None:
        described["requestBody"] = body
    return described | {"responses": responses_of(operation)}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    """Return who may call: nobody in particular, any account, or the role that is named (OpenAPI 3.1 §4.8.30)."""
    match operation.auth:
        case "none":
            return []
        case "user":
            return [{"bearer": []}]
        case "admin":
            return [{"bearer": ["admin"]}]
