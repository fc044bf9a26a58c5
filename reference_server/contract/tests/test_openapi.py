"""The OpenAPI document: valid, and what the tables say; a row of any kind has its place in it."""

import re
from typing import Annotated, Any

import pytest
from msgspec import Meta, Struct
from openapi_spec_validator import validate

from reference_server.contract.export.links import LINKS
from reference_server.contract.export.openapi import openapi
from reference_server.contract.models import AgentForm, AgentRegistered, ErrorBody
from reference_server.contract.models.base import NOT_BLANK
from reference_server.contract.operations import BY_NAME, OPERATIONS
from reference_server.contract.operations.model import BASE, FileField, Operation

DOCUMENT = openapi()


class VersionQuery(Struct, frozen=True):
    """A query with limits, of which one must be there."""

    q: Annotated[str, Meta(min_length=1)]
    version: Annotated[int, Meta(ge=1, le=9)] | None = None


UPLOAD = Operation(
    "upload",
    "POST",
    f"{BASE}/things/{{id}}",
    "user",
    "Upload",
    201,
    AgentRegistered,
    form=AgentForm,
    file=FileField("wasm_binary", 1024, 4096, ("application/wasm",)),
    errors=(404, 409),
    keys=False,
)
DOWNLOAD = Operation("download", "GET", f"{BASE}/things/{{id}}", "none", "Download", 200, bytes, query=VersionQuery,
                     media="application/wasm", errors=(404,))  # fmt: skip
PICTURE = Operation("picture", "GET", f"{BASE}/pictures", "none", "A picture", 200, bytes, media="image/*")
FIGURES = Operation("figures", "GET", "/figures", "none", "Figures", 200, str, media="text/plain; version=0.0.4",
                    limited=False)  # fmt: skip
SYNTHETIC = (UPLOAD, DOWNLOAD, PICTURE, FIGURES)


def described(operation: Operation, document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][operation.path][operation.method.lower()]
    return found


def synthetic(operation: Operation) -> dict[str, Any]:
    return described(operation, openapi(SYNTHETIC))


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT)
    validate(openapi(SYNTHETIC))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_stands_in_the_document_with_all_its_statuses(operation: Operation) -> None:
    row = described(operation)

    assert row["operationId"] == operation.name
    assert {int(status) for status in row["responses"]} == operation.statuses
    assert (row["security"] == []) == (operation.auth == "none")
    assert ("requestBody" in row) == operation.takes_body
    for status, response in row["responses"].items():
        headers = response.get("headers", {})
        assert ("Retry-After" in headers) == (status in ("429", "503"))
        assert ("Vary" in headers) == (operation.path.startswith(BASE) and status != "101")
        if int(status) >= 400:
            assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorBody"}


def test_a_form_with_a_file_is_a_multipart_body() -> None:
    body = synthetic(UPLOAD)["requestBody"]["content"]["multipart/form-data"]

    assert body["schema"]["required"] == ["name", "capabilities", "pricing", "wasm_binary"]
    assert body["schema"]["properties"]["pricing"] == {"$ref": "#/components/schemas/Pricing"}
    assert body["schema"]["properties"]["wasm_binary"] == {
        "type": "string",
        "format": "binary",
        "description": "A file of 1,024 to 4,096 bytes; by its content application/wasm.",
    }
    assert body["encoding"] == {
        "pricing": {"contentType": "application/json"},
        "resources": {"contentType": "application/json"},
        "metadata": {"contentType": "application/json"},
        "wasm_binary": {"contentType": "application/wasm"},
    }
    assert body["x-form"] == {"$ref": "#/components/schemas/AgentForm"}


def test_a_binary_answer_has_its_own_type_and_its_hash() -> None:
    answer = synthetic(DOWNLOAD)["responses"]["200"]

    assert answer["content"] == {"application/wasm": {"schema": {"type": "string", "format": "binary"}}}
    assert set(answer["headers"]) == {"ETag", "Vary", "X-Content-Type-Options"}


def test_a_picture_opens_in_a_sandbox() -> None:
    answer = synthetic(PICTURE)["responses"]["200"]

    assert set(answer["content"]) == {"image/*"}
    assert "Content-Security-Policy" in answer["headers"]


def test_text_is_a_text() -> None:
    answer = synthetic(FIGURES)["responses"]["200"]

    assert answer["content"] == {"text/plain; version=0.0.4": {"schema": {"type": "string"}}}
    assert set(answer["headers"]) == {"X-Content-Type-Options"}


def test_parameters_have_their_limits_and_are_never_null() -> None:
    path, q, version = synthetic(DOWNLOAD)["parameters"]

    assert (path["in"], path["name"], path["required"]) == ("path", "id", True)
    assert q == {"name": "q", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}}
    assert version["required"] is False
    assert version["schema"] == {"type": "integer", "minimum": 1, "maximum": 9}


def test_the_handshake_says_which_headers_it_needs() -> None:
    headers = {one["name"] for one in described(BY_NAME["ws_connect"])["parameters"] if one["required"]}

    assert headers == {"Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"}
    assert "content" not in described(BY_NAME["ws_connect"])["responses"]["101"]


def test_who_may_call_stands_with_the_operation() -> None:
    assert described(BY_NAME["ws_send"])["security"] == [{"bearer": ["admin"]}]
    assert "admin" in described(BY_NAME["ws_send"])["description"]
    assert "API key" in described(BY_NAME["logout"])["description"]


def test_links_lead_from_what_answers_hold_to_what_operations_take() -> None:
    shown = {
        (name, target)
        for operation in OPERATIONS
        for name, target in [
            (operation.name, target)
            for response in described(operation)["responses"].values()
            for target in response.get("links", {})
        ]
    }

    assert shown == {(link.source, link.target) for link in LINKS}
    assert ("submit_task", "cancel_task") in shown


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.source}-{link.target}")
def test_a_link_names_fields_that_exist(link: Any) -> None:
    source, target = BY_NAME[link.source], BY_NAME[link.target]
    taken = {parameter["name"] for parameter in described(target).get("parameters", ())}

    assert set(link.parameters) <= taken
    for expression in [one for one in (*link.parameters.values(), *link.body.values()) if str(one).startswith("$")]:
        origin, _, pointer = expression.partition("#/")
        model: Any = source.answer if origin == "$response.body" else source.body
        assert expression == "$request.path.id" or pointer.split("/")[0] in model.__struct_fields__
    assert target.body is None or set(link.body) <= set(target.body.__struct_fields__)


def test_not_blank_is_what_python_strips() -> None:
    blank = [chr(point) for point in range(0x110000) if not chr(point).strip()]
    inside = NOT_BLANK["pattern"].removeprefix("[^").removesuffix("]")

    assert re.findall(f"[{inside}]", "".join(map(chr, range(0xD800)))) == [one for one in blank if ord(one) < 0xD800]
    assert max(map(ord, blank)) < 0xD800


def test_examples_stand_with_bodies_and_models() -> None:
    content = described(BY_NAME["submit_task"])["requestBody"]["content"]["application/json"]

    assert content["examples"]["example1"] == {"summary": "the least", "value": {"query": "sum it up", "budget": 1}}
    assert DOCUMENT["components"]["schemas"][ErrorBody.__name__]["examples"]


def test_the_rules_beyond_the_schemas_are_listed_with_their_reasons() -> None:
    listed = DOCUMENT["x-beyond-schema"]

    assert {"model", "refused", "reason"} == set(listed[0])
    assert ("RegisterRequest", "seven bytes") in {(one["model"], one["refused"]) for one in listed}
