"""Request bytes: what contract §1 refuses, and the words in which wrong fields are named."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, Struct

from reference_server.contract import limits
from reference_server.contract.messages import TaskUpdateData
from reference_server.contract.models import (
    AgentChange,
    AgentForm,
    ApiKeyRequest,
    BinaryForm,
    FieldFault,
    LoginRequest,
    LogoutRequest,
    RegisterRequest,
    SubmitRequest,
)
from reference_server.contract.operations import OPERATIONS, AgentsQuery, SearchQuery, TasksQuery
from reference_server.core.wire import RequestError, decode_body, decode_query, faults_in, parse_json


def nested(levels: int) -> bytes:
    """Return an object `levels` deep, the outermost being 1."""
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


REFUSED = {
    "empty": b"",
    "malformed": b'{"a":1,}',
    "two values": b'{"a":1} {}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "raw NUL": b'{"a":"\x00"}',
    "escaped NUL in a key": b'{"\\u0000":1}',
    "escaped NUL in an overwritten value": b'{"a":"\\u0000","a":1}',
    "escaped lone surrogate": b'{"a":"\\ud800"}',
    "escaped lone surrogate in a key": b'{"x\\udc00":1}',
    "high surrogate before a letter": b'{"a":"\\ud800\\u0041"}',
    "raw surrogate": b'{"a":"\xed\xa0\x80"}',
    "bad UTF-8": b'{"a":"\xff"}',
    "overlong UTF-8": b'{"a":"\xc0\xaf"}',
    "bad UTF-8 in a key": b'{"\xff":1}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "number over a double": b'{"a":1e400}',
    "integer of thousands of digits": b'{"a":' + b"9" * 6000 + b"}",
    "leading zero": b'{"a":01}',
    "control character": b'{"a":"\n"}',
    "65 levels": nested(65),
    "65 levels in an overwritten value": b'{"a":' + nested(64) + b',"a":1}',
    "100,000 levels": nested(100_000),
    "100,000 levels, not closed": b'{"a":' + b"[" * 100_000,
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_contract_refuses_is_a_fault_in_words(body: bytes) -> None:
    with pytest.raises(RequestError) as caught:
        parse_json(body)

    assert caught.value.faults
    assert caught.value.message.startswith("the body must ")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"a":"\\u0000","b":1}', ["a"]),
        (b'{"a":"\\\\\\u0000"}', ["a"]),
        (b'{"b":1,"a":{"x":["\\u0000"]},"c":{"\\u0000":1},"d":"\\\\u0000"}', ["a", "c"]),
    ],
)
def test_nul_is_told_of_the_fields_that_hold_it(body: bytes, fields: list[str]) -> None:
    with pytest.raises(RequestError) as caught:
        parse_json(body)

    assert [(fault.field, fault.reason) for fault in caught.value.faults] == [
        (field, "must not hold NUL") for field in fields
    ]


ACCEPTED: dict[str, tuple[bytes, Any]] = {
    "empty object": (b"{}", {}),
    "escaped backslash before u0000": (b'{"a":"\\\\u0000"}', {"a": "\\u0000"}),
    "surrogate pair": (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    "brackets in text are no nesting": (b'{"a":"' + b"[" * 200 + b'\\""}', {"a": "[" * 200 + '"'}),
    "doubled names": (b'{"a":1,"a":2}', {"a": 2}),
    "white space around": (b' \n{"a":1}\t', {"a": 1}),
    "many brackets side by side": (b'{"a":[' + b",".join([b"[]"] * 200) + b"]}", {"a": [[]] * 200}),
}


@pytest.mark.parametrize(("body", "value"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_the_contract_allows_is_taken_as_it_is(body: bytes, value: Any) -> None:
    assert parse_json(body) == value


def test_nesting_counts_the_outermost_as_1() -> None:
    assert json.loads(nested(64)) == parse_json(nested(64))


def test_the_cost_of_a_body_of_brackets_is_bounded() -> None:
    pairs = b",".join([b"[" * 32 + b"]" * 32] * (limits.JSON_BODY_BYTES_MAX // 65 - 1))

    assert len(parse_json(b'{"a":[' + pairs + b"]}")["a"]) > 10_000


def faults_of(model: Any, given: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(RequestError) as caught:
        decode_body(json.dumps(given).encode(), model)
    return {fault.field: fault.reason for fault in caught.value.faults}


TASK: dict[str, Any] = {"query": "q", "budget": 1}
GOOD = {"budget": 1, "email": "a@b.c", "password": "12345678", "type": "system", "data": {}}
PERSON: dict[str, Any] = {"email": "a@b.c", "password": "12345678", "full_name": "A"}


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"query": ""}, "query", "must not be empty"),
        ({"query": 5}, "query", "must be a string"),
        ({"query": "x" * 10_001}, "query", "must be at most 10,000 characters"),
        ({"budget": 0}, "budget", "must be greater than 0"),
        ({"budget": True}, "budget", "must be a number"),
        ({"budget": "1"}, "budget", "must be a number"),
        ({"budget": None}, "budget", "must be a number"),
        ({"timeout": 0.5}, "timeout", "must be at least 1"),
        ({"timeout": 301}, "timeout", "must be at most 300"),
        ({"priority": "urgent"}, "priority", "must be one of critical, high, low, medium, normal"),
        ({"priority": []}, "priority", "must be one of critical, high, low, medium, normal"),
        ({"constraints": []}, "constraints", "must be an object"),
        ({"constraints": {"x": "y" * 16_384}}, "constraints", "must be at most 16,384 bytes as JSON text"),
        ({"constraints": {"simulate": 1}}, "constraints.simulate", "must be an object"),
        (
            {"constraints": {"simulate": {"outcome": "win"}}},
            "constraints.simulate.outcome",
            "must be one of complete, fail, hang",
        ),
        (
            {"constraints": {"simulate": {"duration_ms": -1}}},
            "constraints.simulate.duration_ms",
            "must be a number from 0 to 86,400,000",
        ),
        (
            {"constraints": {"simulate": {"fail_times": 1.5}}},
            "constraints.simulate.fail_times",
            "must be a whole number from 0 to 1,000,000",
        ),
        ({"constraints": {"simulate": None}}, "constraints.simulate", "must be an object"),
        (
            {"constraints": {"simulate": {"outcome": None}}},
            "constraints.simulate.outcome",
            "must be one of complete, fail, hang",
        ),
        (
            {"constraints": {"simulate": {"duration_ms": "20"}}},
            "constraints.simulate.duration_ms",
            "must be a number from 0 to 86,400,000",
        ),
        (
            {"constraints": {"simulate": {"fail_times": -1}}},
            "constraints.simulate.fail_times",
            "must be a whole number from 0 to 1,000,000",
        ),
        (
            {"constraints": {"simulate": {"fail_times": True}}},
            "constraints.simulate.fail_times",
            "must be a whole number from 0 to 1,000,000",
        ),
    ],
)
def test_a_wrong_field_of_a_task_is_named_in_words(change: dict[str, Any], field: str, reason: str) -> None:
    assert faults_of(SubmitRequest, TASK | change) == {field: reason}


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (SubmitRequest, TASK | {"constraints": {"simulate": {"fail_times": 2.0}}}),
        (TaskUpdateData, {"task_id": "t", "status": "running", "query": "q", "progress": 50.0, "revision": 3e0}),
    ],
)
def test_a_whole_number_may_be_written_with_a_fraction_of_nothing(model: type[Struct], body: dict[str, Any]) -> None:
    assert faults_in(body, model) == []


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"email": "nobody"}, "email", "must have the form of an e-mail address"),
        ({"email": "a@b.c\n"}, "email", "must have the form of an e-mail address"),
        ({"email": " a@b.c"}, "email", "must have the form of an e-mail address"),
        ({"email": "a" * 251 + "@b.c"}, "email", "must be at most 254 characters"),
        ({"password": "1234567"}, "password", "must be 8 to 72 bytes of UTF-8"),
        ({"password": "ä" * 37}, "password", "must be 8 to 72 bytes of UTF-8"),
        ({"full_name": ""}, "full_name", "must not be empty"),
        ({"full_name": " \t"}, "full_name", "must not be blank"),
        ({"full_name": "x" * 101}, "full_name", "must be at most 100 characters"),
    ],
)
def test_a_wrong_field_of_a_person_is_named_in_words(change: dict[str, Any], field: str, reason: str) -> None:
    assert faults_of(RegisterRequest, PERSON | change) == {field: reason}


def test_a_person_is_taken_at_the_bounds_of_its_fields_counted_in_code_points() -> None:
    longest = {"email": "A" * 250 + "@b.c", "password": "ä" * 36, "full_name": " " + "\U0001f600" * 98 + " "}
    person = decode_body(json.dumps(longest).encode(), RegisterRequest)

    assert (person.email, person.password, person.full_name) == tuple(longest.values())
    key = decode_body(json.dumps({"name": "\U0001f600" * 100, "environment": "live"}).encode(), ApiKeyRequest)
    assert len(key.name) == 100


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"name": " "}, "name", "must not be blank"),
        ({"name": "x" * 101}, "name", "must be at most 100 characters"),
        ({"description": "x" * 2001}, "description", "must be at most 2,000 characters"),
        ({"description": None}, "description", "must be a string"),
        ({"capabilities": "etl"}, "capabilities", "must be a list"),
        ({"capabilities": []}, "capabilities", "must hold at least 1 and at most 50"),
        ({"capabilities": ["a"] * 51}, "capabilities", "must hold at least 1 and at most 50"),
        ({"capabilities": ["a", ""]}, "capabilities", "must not be empty (item 2)"),
        ({"capabilities": ["x" * 65]}, "capabilities", "must be at most 64 characters (item 1)"),
        ({"capabilities": ["a", 1, ""]}, "capabilities", "must be a string (item 2)"),
        ({"price": 0}, "price", "must be greater than 0"),
        ({"price": "1"}, "price", "must be a number"),
        ({"status": "gone"}, "status", "must be one of active, beta, inactive"),
    ],
)
def test_a_wrong_field_of_an_agent_is_named_in_words(change: dict[str, Any], field: str, reason: str) -> None:
    assert faults_of(AgentChange, change) == {field: reason}


def test_an_agent_is_taken_at_the_bounds_of_its_fields() -> None:
    wide = "\U0001f600"
    change = {"name": wide * 100, "description": wide * 2000, "capabilities": [wide * 64] * 50, "price": 1}
    made = decode_body(json.dumps(change).encode(), AgentChange)

    assert (made.price, made.status) == (1.0, UNSET)


REGISTRATION: dict[str, Any] = {"name": "N", "capabilities": ["a"], "pricing": {"per_execution": 1}}


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"name": "\u2003"}, "name", "must not be blank"),
        ({"pricing": 1}, "pricing", "must be an object"),
        ({"pricing": {}}, "pricing.per_execution", "is required"),
        ({"pricing": {"per_execution": 0}}, "pricing.per_execution", "must be greater than 0"),
        ({"pricing": {"per_execution": 1, "per_mb": -1}}, "pricing.per_mb", "must be at least 0"),
        ({"pricing": {"per_execution": 1, "currency": ""}}, "pricing.currency", "must not be empty"),
        ({"metadata": []}, "metadata", "must be an object"),
    ],
)
def test_a_wrong_field_of_a_registration_is_named_down_to_where_it_is(
    change: dict[str, Any], field: str, reason: str
) -> None:
    assert faults_in(REGISTRATION | change, AgentForm) == [FieldFault(field, reason)]


@pytest.mark.parametrize("version", ["1.0.0", "0", "2024-01-31_a", "1.0.0-rc.1+build.5", "x" * 64])
def test_a_version_is_letters_digits_and_a_few_signs(version: str) -> None:
    assert faults_in({"version": version}, BinaryForm) == []


@pytest.mark.parametrize("version", ["1.0\n", "-1", "+", "1 0", "1/0", "..", "é", "1\0", "1%2e"])
def test_another_version_is_named_in_words(version: str) -> None:
    (fault,) = faults_in({"version": version}, BinaryForm)

    assert fault == FieldFault("version", "must be letters, digits and . + _ - with a letter or digit first")


def test_all_wrong_fields_are_named_at_once() -> None:
    assert faults_of(RegisterRequest, {"email": 1, "password": "x"}) == {
        "email": "must be a string",
        "password": "must be 8 to 72 bytes of UTF-8",
        "full_name": "is required",
    }


@pytest.mark.parametrize("digits", [310, 4000])
def test_an_integer_over_a_double_is_refused_as_a_number(digits: int) -> None:
    assert set(faults_of(SubmitRequest, TASK | {"budget": int("9" * digits)})) <= {"budget", "body"}


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    1.5,
    2**63,
    10**300,
    "",
    " ",
    "x",
    "x@y.z",
    "12345678",
    "low",
    [],
    {},
    {"simulate": 1},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize(
    "model", [one.body for one in OPERATIONS if one.body is not None], ids=lambda one: one.__name__
)
def test_what_is_taken_as_a_whole_is_what_is_taken_field_by_field(model: Any, value: Any) -> None:
    fields = msgspec.structs.fields(model)
    for wrong in fields:
        given = {field.name: GOOD.get(field.name, "x") for field in fields if field.required} | {wrong.name: value}
        faults = faults_in(given, model)
        if faults:
            assert faults_of(model, given) == {fault.field: fault.reason for fault in faults}
        else:
            assert decode_body(json.dumps(given).encode(), model) == msgspec.convert(given, model)


def test_unknown_fields_are_ignored_and_the_last_of_doubled_names_wins() -> None:
    made = decode_body(b'{"query":"a","budget":0,"budget":2,"query":"b","zzz":{}}', SubmitRequest)

    assert (made.query, made.budget) == ("b", 2.0)


def test_numbers_at_their_bounds_are_taken() -> None:
    limits_ = {"timeout": 300, "query": "\U0001f600" * 10_000, "budget": 5e-324}

    assert decode_body(json.dumps(TASK | limits_).encode(), SubmitRequest).timeout == 300


def test_a_login_takes_any_strings() -> None:
    assert decode_body(b'{"email":"","password":""}', LoginRequest) == LoginRequest("", "")
    assert faults_of(LogoutRequest, {"all": 1}) == {"all": "must be true or false"}


def test_a_query_is_decoded_and_the_last_of_doubled_names_wins() -> None:
    made = decode_query("page=2&search=a+b%20%C3%A4%26&page=3&&zzz=1&sort=name", AgentsQuery)

    assert (made.page, made.search, made.sort, made.limit) == (3, "a b ä&", "name", limits.AGENTS_LIMIT_DEFAULT)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=", "limit"),
        ("limit=1.0", "limit"),
        ("limit=1e1", "limit"),
        ("limit=%D9%A3", "limit"),
        ("limit=+1", "limit"),
        ("offset=-1", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("offset=" + "9" * 5000, "offset"),
        ("status=done", "status"),
        ("status=", "status"),
        ("type=%ff", "query"),
        ("type=%00", "query"),
        ("type=\udc80", "query"),
    ],
)
def test_a_wrong_parameter_is_named(raw: str, field: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_query(raw, TasksQuery)

    assert [fault.field for fault in caught.value.faults] == [field]


@pytest.mark.parametrize("raw", ["", "q=", "search=x", "q=%ff"])
def test_a_search_without_a_text_is_refused(raw: str) -> None:
    with pytest.raises(RequestError):
        decode_query(raw, SearchQuery)


def test_an_empty_search_of_a_list_is_named() -> None:
    with pytest.raises(RequestError) as caught:
        decode_query("search=", AgentsQuery)

    assert [fault.field for fault in caught.value.faults] == ["search"]


def test_a_blank_text_is_searched_for_as_it_is() -> None:
    assert decode_query("q=+&q=%20%20", SearchQuery).q == "  "


def test_words_exist_for_every_field_of_every_operation() -> None:
    for operation in OPERATIONS:
        for model in (operation.body, operation.form):
            if model is not None:
                wrong = dict.fromkeys(model.__struct_fields__)
                assert [fault.field for fault in faults_in(wrong, model)] == list(wrong)
        if operation.query is not None:
            assert isinstance(decode_query("q=x", operation.query), operation.query)
