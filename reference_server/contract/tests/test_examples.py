"""The hand-written examples against the exported schemas and the models, so that none of them changes by itself."""

from datetime import datetime
from typing import Any

import jsonschema
import msgspec
import pytest

from reference_server.contract import messages, models
from reference_server.contract.export.examples import EXAMPLES, value_of
from reference_server.contract.export.openapi import openapi
from reference_server.contract.messages import DATA_MODELS
from reference_server.contract.operations import OPERATIONS

SCHEMAS: dict[str, Any] = openapi()["components"]["schemas"]
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def in_use() -> set[str]:
    """The models of everything that goes over the wire as JSON or as a form."""
    used = {model.__name__ for model in DATA_MODELS.values()} | {"Envelope", "Ping", "ErrorBody"}
    for operation in OPERATIONS:
        bodies = (operation.body, operation.form, operation.answer)
        used |= {model.__name__ for model in bodies if model not in (None, type(None), bytes, str)}
    return used


def model_of(name: str) -> Any:
    return getattr(messages, name, None) or getattr(models, name)


def each(kind: str) -> list[Any]:
    return [
        pytest.param(name, one, id=f"{name}-{one.get('says') or one['why']}")
        for name in EXAMPLES
        for one in EXAMPLES[name][kind]
    ]


def fits_schema(name: str, value: Any) -> bool:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    return jsonschema.Draft202012Validator(schema, format_checker=FORMATS).is_valid(value)


def fits_model(name: str, value: Any) -> bool:
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=model_of(name))
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize(("name", "example"), each("valid"))
def test_a_valid_example_fits_model_and_schema(name: str, example: dict[str, Any]) -> None:
    assert fits_model(name, value_of(example))
    assert fits_schema(name, value_of(example))


@pytest.mark.parametrize(("name", "example"), each("invalid"))
def test_an_invalid_example_is_refused_by_the_schema_or_says_why_it_is_not(name: str, example: dict[str, Any]) -> None:
    assert fits_schema(name, value_of(example)) is ("beyond_schema" in example)


@pytest.mark.parametrize(("name", "example"), each("invalid"))
def test_what_a_model_refuses_the_schema_refuses_too(name: str, example: dict[str, Any]) -> None:
    assert fits_model(name, value_of(example)) or not fits_schema(name, value_of(example))


def test_every_message_and_every_body_has_a_valid_and_two_invalid_examples() -> None:
    assert in_use() == set(EXAMPLES)
    assert [name for name, entry in EXAMPLES.items() if len(entry["valid"]) < 1 or len(entry["invalid"]) < 2] == []


def test_a_long_text_stands_in_its_place() -> None:
    filled = value_of({"value": {"a": [{"b": ""}]}, "fill": {"at": ["a", 0, "b"], "with": "x", "times": 3}})

    assert filled == {"a": [{"b": "xxx"}]}
