"""What an operation answers: every status with its body and its headers."""

from typing import Any, Final

from reference_server.contract.codes import ERROR_PHRASES
from reference_server.contract.export.examples import described_json
from reference_server.contract.export.links import links_of
from reference_server.contract.export.schemas import Schema, ref
from reference_server.contract.messages import SOCKET_VERSION, SUBPROTOCOL
from reference_server.contract.models import ErrorBody
from reference_server.contract.operations.model import BASE, JSON, Operation

SUCCESS_PHRASES: Final = {101: "switching protocols", 200: "ok", 201: "created", 202: "accepted"}
RETRYING: Final = (429, 503)
HASHED_MEDIA: Final = "application/wasm"


def _header(description: str, schema: Schema, *, required: bool = True) -> dict[str, Any]:
    return {"description": description, "required": required, "schema": schema}


HEADERS: Final[dict[str, dict[str, Any]]] = {
    "Allow": _header("The methods that the path has.", {"type": "string"}),
    "Content-Security-Policy": _header("What may come with it, when it is opened by itself: nothing.",
                                       {"type": "string", "pattern": "sandbox"}),
    "ETag": _header("SHA-256 of the content in hex, in quotes.", {"type": "string", "pattern": '^"[0-9a-f]{64}"$'}),
    "Retry-After": _header("Whole seconds after which a call succeeds.", {"type": "integer", "minimum": 1}),
    "Sec-WebSocket-Accept": _header("The answer to the key (RFC 6455 §4.2.2).", {"type": "string"}),
    "Sec-WebSocket-Protocol": _header("There when it was offered.", {"type": "string", "enum": [SUBPROTOCOL]},
                                      required=False),
    "Sec-WebSocket-Version": _header("The one version spoken here.", {"type": "string", "enum": [SOCKET_VERSION]}),
    "Upgrade": _header("The protocol from here on.", {"type": "string", "pattern": "^[Ww]eb[Ss]ocket$"}),
    "Vary": _header("Origin, so that caches keep the answers to pages of different sites apart.",
                    {"type": "string", "pattern": "(^|, *)Origin($| *,)"}),
    "WWW-Authenticate": _header("There when the credential was refused, and not the password.",
                                {"type": "string", "enum": ["Bearer"]}, required=False),
    "X-Content-Type-Options": _header("The content is what its type says.", {"type": "string", "enum": ["nosniff"]}),
}  # fmt: skip
"""Every header that answers carry, by name; the text is its meaning (contract §§1, 2, 3)."""

METHOD_NOT_ALLOWED: Final = "MethodNotAllowed"
NOT_FOUND: Final = "NotFound"


def responses_of(operation: Operation) -> dict[str, Any]:
    """Return the answer of every status that the contract lets the operation give."""
    return {str(status): _response(operation, status) for status in sorted(operation.statuses)}


def answers_of_no_operation() -> dict[str, Any]:
    """Return what any path may answer: 404 where there is none, 405 for another method."""
    named = {NOT_FOUND: (404, ()), METHOD_NOT_ALLOWED: (405, ("Allow",))}
    return {
        name: {"description": ERROR_PHRASES[status], "headers": _refs([*headers, "X-Content-Type-Options"])}
        | {"content": {JSON: {"schema": ref(ErrorBody)}}}
        for name, (status, headers) in named.items()
    }


def _response(operation: Operation, status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": (SUCCESS_PHRASES | ERROR_PHRASES)[status]}
    headers = _refs(sorted(_header_names(operation, status)))
    if headers:
        described["headers"] = headers
    content = _content(operation, status)
    if content:
        described["content"] = content
    links = links_of(operation, status)
    return described | {"links": links} if links else described


def _header_names(operation: Operation, status: int) -> set[str]:
    if status == 101:
        return {"Upgrade", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"}
    names = {"X-Content-Type-Options"}
    if operation.path.startswith(f"{BASE}/"):
        names.add("Vary")
    if status in RETRYING:
        names.add("Retry-After")
    if status == 401:
        names.add("WWW-Authenticate")
    if status == 426:
        names.add("Sec-WebSocket-Version")
    if status == operation.success and operation.media == HASHED_MEDIA:
        names.add("ETag")
    if status == operation.success and operation.media.startswith("image/"):
        names.add("Content-Security-Policy")
    return names


def _refs(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _content(operation: Operation, status: int) -> dict[str, Any]:
    if status != operation.success:
        # One error looks like another: examples of it stand with its schema, not a hundred times over.
        return {JSON: {"schema": ref(ErrorBody)}}
    if operation.answer is type(None):
        return {}
    if operation.media == JSON:
        return {JSON: described_json(operation.answer)}
    text: Schema = {"type": "string"}
    return {media: {"schema": text if _is_text(media) else text | {"format": "binary"}} for media in _medias(operation)}


def _medias(operation: Operation) -> list[str]:
    return [media.strip() for media in operation.media.split(",")]


def _is_text(media: str) -> bool:
    return media.startswith("text/")
