"""The models as JSON Schema (Draft 2020-12), with the rules that msgspec's annotations can't carry and JSON Schema can.

What even JSON Schema can't say is decided in the core; `examples.json` shows each such rule by an example of its own.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

from reference_server.contract.messages import DATA_MODELS, PUBLISHABLE
from reference_server.contract.models import AgentChange, BroadcastRequest, ProfileRequest, SendRequest

REF: Final = "#/components/schemas/{name}"
Schema = dict[str, Any]


def ref(model: type[Struct]) -> Schema:
    """Return the reference to a model's schema."""
    return {"$ref": REF.format(name=model.__name__)}


def _data_is_of_its_type() -> Schema:
    """`data` must be valid for `type` (contract §3 broadcast and send)."""
    return {
        "oneOf": [
            {"properties": {"type": {"const": name}, "data": ref(DATA_MODELS[name])}, "required": ["type", "data"]}
            for name in PUBLISHABLE
        ]
    }


ACROSS_FIELDS: Final[dict[type[Struct], Schema]] = {
    AgentChange: {"anyOf": [{"required": [name]} for name in AgentChange.__struct_fields__]},
    ProfileRequest: {"dependentRequired": {"email": ["password"]}},
    BroadcastRequest: _data_is_of_its_type(),
    SendRequest: _data_is_of_its_type(),
}
"""Rules on several fields at once, which no annotation of one field can hold."""


def schemas_of(models: Iterable[type[Any]]) -> dict[str, Schema]:
    """Return the schemas of the models and of all that they are made of, by name, sorted."""
    wanted = list(dict.fromkeys(models))
    publishing = [*DATA_MODELS.values()] if {BroadcastRequest, SendRequest} & set(wanted) else []
    _, found = msgspec.json.schema_components([*wanted, *publishing], ref_template=REF)
    schemas = {name: _ecmascript(found[name]) for name in sorted(found)}
    for model, rule in ACROSS_FIELDS.items():
        if model.__name__ in schemas:
            schemas[model.__name__] |= rule
    return schemas


def _ecmascript(schema: Any) -> Any:
    """JSON Schema's patterns are ECMA-262's, where `$` is the end of the text and `\\Z` is nothing."""
    match schema:
        case dict():
            return {
                name: _ends_as_ecmascript(value) if name == "pattern" and isinstance(value, str) else _ecmascript(value)
                for name, value in schema.items()
            }
        case list():
            return [_ecmascript(one) for one in schema]
        case _:
            return schema


def _ends_as_ecmascript(pattern: str) -> str:
    return pattern.removesuffix(r"\Z") + "$" if pattern.endswith(r"\Z") else pattern


def without_null(schema: Schema) -> Schema:
    """Return a parameter's schema: one that may be absent is `| None` in the model, and never null over the wire."""
    if "anyOf" not in schema:
        return {name: value for name, value in schema.items() if name != "default" or value is not None}
    (one,) = [option for option in schema["anyOf"] if option.get("type") != "null"]
    return dict(one)
