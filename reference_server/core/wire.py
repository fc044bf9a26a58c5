"""Bytes of a request become values of the contract's models, or a 400 that names every wrong field (contract §1).

Nobody behind this module sees a body that is no JSON object or one that `json_text` refuses. Words are ours: no type
name of the code reaches an answer.
"""

import re
from functools import cache
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import Struct, inspect

from reference_server.contract import limits
from reference_server.contract.models import FieldFault
from reference_server.core import json_text
from reference_server.core.rules import RULES, Rule, is_whole

S = TypeVar("S", bound=Struct)

_INT64_MAX: Final = 2**63 - 1
_FLAT: Final = (
    inspect.StrType,
    inspect.IntType,
    inspect.FloatType,
    inspect.BoolType,
    inspect.LiteralType,
    inspect.DictType,
)
_WHOLE: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_FORMS: Final = {
    limits.EMAIL_PATTERN: "must have the form of an e-mail address",
    limits.VERSION_PATTERN: "must be letters, digits and . + _ - with a letter or digit first",
}
"""Words for each pattern that a text of a request must match."""


class RequestError(Exception):
    """A request that is 400 by itself; `faults` names each wrong field, or the body or query as a whole."""

    def __init__(self, faults: list[FieldFault], message: str) -> None:
        super().__init__(message)
        self.faults = faults
        self.message = message


def parse_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`; raises RequestError for what contract §1 (row JSON) refuses."""
    try:
        value = json_text.parse(body)
    except json_text.JsonTextError as fault:
        if fault.fields:
            raise request_error([FieldFault(name, fault.reason) for name in fault.fields]) from None
        raise _whole_fault("body", fault.reason) from None
    if not isinstance(value, dict):
        raise _whole_fault("body", "must be a JSON object")
    return value


def decode_body(body: bytes, model: type[S]) -> S:
    """Return the model in a JSON body; raises RequestError with all wrong fields.

    Unknown fields are ignored, of doubled names the last wins.
    """
    return _as_model(parse_json(body), model)


def decode_query(raw_query: str, model: type[S]) -> S:
    """Return the model in a query string as it came (percent-encoded); of doubled names the last wins."""
    return _as_model(_typed(_pairs(raw_query), model), model)


def _whole_fault(field: str, reason: str) -> RequestError:
    return RequestError([FieldFault(field, reason)], f"the {field} {reason}")


def _pairs(raw_query: str) -> dict[str, str]:
    try:
        parts = (part.partition("=") for part in raw_query.split("&") if part)
        pairs = {_plain(name): _plain(value) for name, _, value in parts}
    except UnicodeError:
        raise _whole_fault("query", "must be UTF-8 text") from None
    if any("\0" in text for pair in pairs.items() for text in pair):
        raise _whole_fault("query", "must not hold NUL")
    return pairs


def _plain(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")


def _typed(pairs: dict[str, str], model: type[Struct]) -> dict[str, Any]:
    whole = {name for name, (type_, _) in _fields(model).items() if isinstance(type_, inspect.IntType)}
    return {name: int(text) if name in whole and _WHOLE.fullmatch(text) else text for name, text in pairs.items()}


def request_error(faults: list[FieldFault]) -> RequestError:
    """Return the 400 of these wrong fields."""
    return RequestError(faults, "; ".join(f"{fault.field} {fault.reason}" for fault in faults))


def faults_in(values: dict[str, Any], model: type[Struct]) -> list[FieldFault]:
    """Return every wrong field of an object that should be the model, in our words."""
    return [fault for name in _fields(model) for fault in _field_faults(values, model, name)]


def _as_model(values: dict[str, Any], model: type[S]) -> S:
    """Return the model; only what msgspec or a rule refuses is looked at field by field, for words of our own."""
    flat, rules = _short_way(model)
    if not flat or not all(map(_is_ordinary, values.values())):
        return _validated(values, model)
    try:
        found = msgspec.convert(values, model)
    except msgspec.ValidationError:
        return _validated(values, model)
    return _validated(values, model) if any(rule(values[name]) for name, rule in rules if name in values) else found


def _is_ordinary(value: Any) -> bool:
    """Say whether msgspec judges it as we do: to it null may mean left out, and an integer may be of any size."""
    return value is not None and not (isinstance(value, int) and abs(value) > _INT64_MAX)


@cache
def _short_way(model: type[Struct]) -> tuple[bool, list[tuple[str, Rule]]]:
    """Return whether no field holds fields of its own, which would have to be looked into, and the rules."""
    flat = all(isinstance(type_, _FLAT) for type_, _ in _fields(model).values())
    return flat, [(name, rule) for (ruled, name), rule in RULES.items() if ruled is model]


def _validated(values: dict[str, Any], model: type[S]) -> S:
    faults = faults_in(values, model)
    if faults:
        raise request_error(faults)
    return msgspec.convert(values, model)


def _field_faults(values: dict[str, Any], model: type[Struct], name: str) -> list[FieldFault]:
    """Judge one field by itself, so that a person learns of all that is wrong at once."""
    type_, required = _fields(model)[name]
    if name not in values:
        return [FieldFault(name, "is required")] if required else []
    reason = reason_against(type_, values[name])
    if reason is not None:
        return [FieldFault(name, reason)]
    if isinstance(type_, inspect.StructType):
        return [FieldFault(f"{name}.{fault.field}", fault.reason) for fault in faults_in(values[name], type_.cls)]
    rule = RULES.get((model, name))
    return [] if rule is None else [FieldFault(name + place, reason) for place, reason in rule(values[name])]


def types_of(model: type[Struct]) -> dict[str, inspect.Type]:
    """Return what each field of a model must be."""
    return {name: type_ for name, (type_, _) in _fields(model).items()}


_KNOWN: dict[type[Struct], dict[str, tuple[inspect.Type, bool]]] = {}


def _fields(model: type[Struct]) -> dict[str, tuple[inspect.Type, bool]]:
    """Return what each field must be, `| None` taken off (a query's parameter that is absent), and if it must be."""
    if model not in _KNOWN:
        info = inspect.type_info(model)
        if not isinstance(info, inspect.StructType):
            raise TypeError(f"{model.__name__} is no Struct")
        _KNOWN[model] = {field.encode_name: (_without_none(field.type), field.required) for field in info.fields}
    return _KNOWN[model]


def _without_none(type_: inspect.Type) -> inspect.Type:
    match type_:
        case inspect.Metadata(type=inner):
            return _without_none(inner)
        case inspect.UnionType(types=types):
            (one,) = [inner for inner in types if not isinstance(inner, inspect.NoneType)]
            return _without_none(one)
        case _:
            return type_


def reason_against(type_: inspect.Type, value: Any) -> str | None:
    """Return why `value` is not of that type, in words for a person; None when it is."""
    match type_:
        case inspect.StrType():
            return _against_text(type_, value)
        case inspect.IntType():
            whole = isinstance(value, int | float) and is_whole(value)
            return _against_number(type_, value, "a whole number", whole)
        case inspect.FloatType():
            return _against_number(type_, value, "a number", isinstance(value, int | float))
        case inspect.BoolType():
            return None if isinstance(value, bool) else "must be true or false"
        case inspect.LiteralType(values=choices):
            known = isinstance(value, str) and value in choices
            return None if known else f"must be one of {', '.join(str(choice) for choice in choices)}"
        case inspect.DictType() | inspect.StructType():
            return None if isinstance(value, dict) else "must be an object"
        case inspect.ListType():
            return _against_list(type_, value)
        case _:
            raise TypeError(f"no words for values of {type_}")


def _against_text(type_: inspect.StrType, value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    if len(value) < (type_.min_length or 0):
        return "must not be empty" if type_.min_length == 1 else f"must be at least {type_.min_length} characters"
    if type_.max_length is not None and len(value) > type_.max_length:
        return f"must be at most {type_.max_length:,} characters"
    if type_.pattern is not None and re.search(type_.pattern, value) is None:
        return _FORMS[type_.pattern]
    return None


def _against_list(type_: inspect.ListType, value: Any) -> str | None:
    if not isinstance(value, list):
        return "must be a list"
    fewest, most = type_.min_length or 0, type_.max_length
    if len(value) < fewest or (most is not None and len(value) > most):
        return f"must hold at least {fewest}" + ("" if most is None else f" and at most {most:,}")
    item_type = _without_none(type_.item_type)
    reasons = ((place, reason_against(item_type, item)) for place, item in enumerate(value, start=1))
    return next((f"{reason} (item {place})" for place, reason in reasons if reason is not None), None)


def _against_number(type_: inspect.IntType | inspect.FloatType, value: Any, what: str, number: bool) -> str | None:
    if not number or isinstance(value, bool):
        return f"must be {what}"
    if type_.gt is not None and not value > type_.gt:
        return f"must be greater than {_figure(type_.gt)}"
    if type_.ge is not None and value < type_.ge:
        return f"must be at least {_figure(type_.ge)}"
    if type_.le is not None and value > type_.le:
        return f"must be at most {_figure(type_.le)}"
    try:
        float(value)
    except OverflowError:
        return "must be a number that a double can hold"
    return None


def _figure(bound: float) -> str:
    return f"{int(bound):,}" if bound == int(bound) else str(bound)
