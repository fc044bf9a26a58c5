"""AsyncAPI 3.0: the socket's side of the contract as one document, seen from the server (it sends, it receives)."""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from reference_server.contract import limits
from reference_server.contract.codes import CLOSE_MEANINGS, NO_RECONNECT_CODES, CloseCode
from reference_server.contract.export.examples import valid_examples
from reference_server.contract.export.schemas import Schema, ref, schemas_of
from reference_server.contract.messages import (
    BEARER_SUBPROTOCOL_PREFIX,
    DATA_MODELS,
    MESSAGE_KINDS,
    SESSION_COOKIE,
    SOCKET_PATH,
    SUBPROTOCOL,
    Envelope,
    MessageKind,
    Ping,
    Reach,
)
from reference_server.contract.operations.model import JSON

CHANNEL: Final = "hub"
WELCOME: Final = "welcome"
PING: Final = "ping"
PONG: Final = "pong"
EXAMPLE_INSTANT: Final = "2026-01-01T00:00:00.000001Z"
DESCRIPTION: Final = (
    "The hub: one JSON object per text frame. Unknown types and fields are ignored on both sides. A connection gets a "
    "prefix of the messages accepted for it since its welcome, in their order; nothing is replayed, so a client that "
    "comes back reads REST again. The REST API is described in /openapi.json."
)
CHANNEL_DESCRIPTION: Final = (
    f"Opened by GET {SOCKET_PATH} with the subprotocol {SUBPROTOCOL} if the client offers it, and no extension. A "
    f"message of the client is at most {limits.CLIENT_MESSAGE_BYTES_MAX:,} bytes, one of the server at most "
    f"{limits.SERVER_MESSAGE_BYTES_MAX:,}, the envelope included. The server pings every "
    f"{limits.SERVER_PING_PERIOD_S} s (protocol); a peer silent for {limits.SILENCE_S_MIN} to {limits.SILENCE_S_MAX} s "
    "is ended."
)
SECURITY: Final[dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT or API key",
        "description": "Authorization: Bearer <token> on the handshake; the first place that has a token decides.",
    },
    "subprotocol": {
        "type": "httpApiKey",
        "in": "header",
        "name": "Sec-WebSocket-Protocol",
        "description": f"{SUBPROTOCOL}, {BEARER_SUBPROTOCOL_PREFIX}<token>, in any order: browsers can't set headers. "
        f"The server selects {SUBPROTOCOL} and never echoes the token.",
    },
    "cookie": {
        "type": "httpApiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "For pages of the same site, where the server is set so; off by default.",
    },
}


def asyncapi() -> dict[str, Any]:
    """Return the document (AsyncAPI 3.0.0)."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ZeroState realtime hub",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON,
        "servers": {"own": _server()},
        "channels": {CHANNEL: _channel()},
        "operations": _operations(),
        "components": {
            "messages": dict(_messages()),
            "schemas": _schemas(),
            "securitySchemes": SECURITY,
        },
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{host}",
        "protocol": "ws",
        "description": "The origin that serves this document; wss where it serves https.",
        "variables": {"host": {"default": "127.0.0.1:8080", "description": "Host and port of the REST API."}},
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in SECURITY],
    }


def _channel() -> dict[str, Any]:
    return {
        "address": SOCKET_PATH,
        "title": "The hub",
        "description": CHANNEL_DESCRIPTION,
        "servers": [{"$ref": "#/servers/own"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name, _ in _messages()},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        "x-subprotocol": SUBPROTOCOL,
        "x-close-codes": [_close_code(code) for code in CloseCode],
    }


def _close_code(code: CloseCode) -> dict[str, Any]:
    name = code.name.lower().replace("_", " ")
    return {
        "code": int(code),
        "name": name,
        "meaning": CLOSE_MEANINGS[code],
        "reconnect": code not in NO_RECONNECT_CODES,
    }


def _operations() -> dict[str, Any]:
    """Return one operation a kind of message; the pong is the reply to a ping."""
    sent = {
        f"send_{name}": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "summary": message["summary"],
            "messages": [_of_channel(name)],
        }
        for name, message in _messages()
        if name not in (PING, PONG)
    }
    received = {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "summary": "A sign of life from the client, which is answered",
        "messages": [_of_channel(PING)],
        "reply": {"channel": {"$ref": f"#/channels/{CHANNEL}"}, "messages": [_of_channel(PONG)]},
    }
    return {**sent, f"receive_{PING}": received}


def _of_channel(name: str) -> dict[str, str]:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{name}"}


def _messages() -> Iterator[tuple[str, dict[str, Any]]]:
    yield WELCOME, _welcome()
    for kind in MESSAGE_KINDS:
        yield kind.name, _message(kind)
    yield (
        PING,
        {
            "name": PING,
            "title": PING,
            "summary": "The one message of the client that means something.",
            "payload": ref(Ping),
            "examples": _examples(Ping),
        },
    )


def _message(kind: MessageKind) -> dict[str, Any]:
    return {
        "name": kind.name,
        "title": kind.name,
        "summary": f"To {kind.reach.value}: {kind.sent_when}.",
        "payload": _payload(kind.name, ref(kind.model), to_one=kind.reach is not Reach.ASKER),
        "examples": _enveloped(kind),
    }


def _welcome() -> dict[str, Any]:
    (system,) = [kind for kind in MESSAGE_KINDS if kind.name == "system"]
    data = {"allOf": [ref(system.model), {"required": ["client_id", "server_time"]}]}
    return {
        "name": "system",
        "title": WELCOME,
        "summary": "The first message of every connection.",
        "payload": _payload("system", data, to_one=False),
        "examples": [one for one in _enveloped(system) if "client_id" in one["payload"]["data"]],
    }


def _payload(type_: str, data: Schema, *, to_one: bool) -> Schema:
    """Return the envelope with its `data`; `user_id` never stands on what only goes to the connection itself."""
    fits: Schema = {"properties": {"type": {"const": type_}, "data": data}}
    alone: list[Schema] = [] if to_one else [{"not": {"required": ["user_id"]}}]
    return {"allOf": [ref(Envelope), fits, *alone]}


def _enveloped(kind: MessageKind) -> list[dict[str, Any]]:
    return [
        {
            "name": f"example{number}",
            "summary": one["says"],
            "payload": {"type": kind.name, "timestamp": EXAMPLE_INSTANT, "data": one["value"]},
        }
        for number, one in enumerate(valid_examples(kind.model.__name__), start=1)
    ]


def _examples(model: type[Struct]) -> list[dict[str, Any]]:
    return [
        {"name": f"example{number}", "summary": one["says"], "payload": one["value"]}
        for number, one in enumerate(valid_examples(model.__name__), start=1)
    ]


def _schemas() -> dict[str, Schema]:
    return schemas_of([Envelope, Ping, *DATA_MODELS.values()])
