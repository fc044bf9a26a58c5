"""What of an answer or a message has the contract's types: everything else is the schema checkers' business only.

A target may answer anything. Each judge of meaning reads bodies through here, so that a list where an object was due,
or a word where a number was, never reaches it. Lacking fields, `null` and values out of bounds do: a partial
implementation is judged on what it has.
"""

import types
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct


def fitted(body: Any, model: Any) -> dict[str, Any] | None:
    """Return the body as it came if it is an object whose known fields have the model's types, else None."""
    if not isinstance(body, dict):
        return None
    try:
        msgspec.convert(body, _loose(model), strict=True)
    except (msgspec.ValidationError, OverflowError):
        return None
    return body


@cache
def _loose(model: Any) -> Any:
    """Return the type without bounds, choices and obligations: what remains is the kind of JSON value."""
    origin = get_origin(model)
    if origin is Annotated:
        return _loose(get_args(model)[0])
    if origin is Literal:
        return str
    if origin in (Union, types.UnionType):
        return Union[tuple(_loose(part) for part in get_args(model))]  # noqa: UP007 - made of a tuple
    if origin is list:
        return list[_loose(get_args(model)[0])]  # type: ignore[misc]
    if isinstance(model, type) and issubclass(model, Struct):
        hints = get_type_hints(model, include_extras=True)
        fields = [(name, _optional(_loose(hint)), None) for name, hint in hints.items()]
        return msgspec.defstruct(f"Loose{model.__name__}", fields)
    if isinstance(model, type) and issubclass(model, Enum):
        return str
    return model


def _optional(kind: Any) -> Any:
    return kind if kind is Any else Union[kind, None]  # noqa: UP007 - made at run time
