"""What the recording REST client promises: order, masking, and no exception on anything that comes back."""

import asyncio
from typing import Any

import msgspec
import pytest

from harness.client.rest import (
    Headers,
    NoAnswerError,
    RawAnswer,
    RestClient,
    SignInError,
    bearer,
    request_for,
    sign_in,
    sign_up,
)
from harness.history import Event, Recorder, encode
from harness.targets.base import Person

ANN = Person("ann", "ann@example.org", "correct horse 9", "Ann Ames")
TOKEN = "head.claims.signature"
SESSION = {"token": TOKEN, "user": {"id": "u1", "email": ANN.email}, "expires_in": 60}
ME = {"id": "u1", "role": "admin"}


class Script:
    """A transport that gives the answers it was told to, in order."""

    def __init__(self, *answers: RawAnswer | NoAnswerError) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, Headers, bytes | None]] = []

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        self.sent.append((method, path_and_query, headers, body))
        answer = self.answers.pop(0)
        if isinstance(answer, NoAnswerError):
            raise answer
        return answer


class Bench:
    """A client over a script, with what it recorded."""

    def __init__(self, *answers: RawAnswer | NoAnswerError) -> None:
        self.events: list[Event] = []
        self.clock_ns = 0
        self.transport = Script(*answers)
        self.client = RestClient(self.transport, Recorder("client", self.tick, self.events.append))

    def tick(self) -> int:
        self.clock_ns += 1_000_000
        return self.clock_ns

    @property
    def text(self) -> str:
        return b"\n".join(map(encode, self.events)).decode()


def answer(status: int, body: Any) -> RawAnswer:
    return RawAnswer(status, {"content-type": "application/json"}, msgspec.json.encode(body))


def test_an_operation_is_recorded_as_invoke_then_ok() -> None:
    bench = Bench(answer(200, {"tasks": []}))

    got = asyncio.run(bench.client.send(request_for("list_tasks", query={"limit": "5"}), account="u1", case="c"))

    invoke, ok = bench.events
    assert (got.status, got.body) == (200, {"tasks": []})
    assert invoke.data == {"operation": "list_tasks", "method": "GET", "path": "/api/v1/tasks", "query": {"limit": "5"}}
    assert (invoke.kind, ok.kind, ok.op, ok.case, ok.account) == ("invoke", "ok", invoke.op, "c", "u1")
    assert ok.data["status"] == 200
    assert ok.data["ms"] > 0


@pytest.mark.parametrize("body", [b"<html>", b"\xff\xfe", b"", b"{", b'"\\ud800"', b"\x00"])
def test_whatever_comes_back_is_an_answer(body: bytes) -> None:
    bench = Bench(RawAnswer(500, {}, body))

    got = asyncio.run(bench.client.send(request_for("health")))

    assert (got.status, got.body, bench.events[-1].kind) == (500, None, "fail")


def test_no_answer_is_info_and_status_0() -> None:
    bench = Bench(NoAnswerError("connection refused"))

    got = asyncio.run(bench.client.send(request_for("health")))

    assert got.status == 0
    assert (bench.events[-1].kind, bench.events[-1].data) == ("info", {"why": "connection refused"})


def test_passwords_and_tokens_stand_in_no_event() -> None:
    leak = {"error": "bad request", "message": f"no {TOKEN}, no {ANN.password}"}
    bench = Bench(answer(201, SESSION), answer(200, ME), answer(400, leak))

    session = asyncio.run(sign_up(bench.client, ANN))
    asyncio.run(session.call("list_tasks"))

    assert session.role == "admin"
    assert session.token == TOKEN
    assert ANN.password not in bench.text
    assert TOKEN not in bench.text
    assert bench.transport.sent[2][2] == (("Authorization", f"Bearer {TOKEN}"),)


def test_an_api_key_stands_in_no_event() -> None:
    key = "zs_live_" + "k" * 43
    made = {"id": "k1", "name": "bot", "prefix": "zs_live_", "last4": "kkkk", "key": key}
    bench = Bench(answer(201, made), answer(200, ME), answer(400, {"error": "bad request", "message": f"no {key}"}))

    asyncio.run(bench.client.send(request_for("make_api_key", body={"name": "bot", "environment": "live"})))
    asyncio.run(bench.client.send(request_for("me", headers=bearer(key))))
    asyncio.run(bench.client.send(request_for("health")))

    assert key not in bench.text
    assert bench.events[1].data["body"] == made | {"key": "zs_live_***"}


def test_a_session_cookie_stands_in_no_event() -> None:
    cookie = {"set-cookie": f"theme=dark; Path=/, zerostate_session={TOKEN}; Path=/; HttpOnly"}
    bench = Bench(RawAnswer(200, cookie, b"{}"), answer(400, {"error": "bad request", "message": f"no {TOKEN}"}))

    asyncio.run(bench.client.send(request_for("health")))
    asyncio.run(bench.client.send(request_for("me", headers=(("Cookie", f"zerostate_session={TOKEN}"),))))

    assert TOKEN not in bench.text
    assert "HttpOnly" in bench.text


def test_a_short_password_is_blanked_without_masking_the_record() -> None:
    bench = Bench(answer(400, {"error": "bad request", "message": "a sentence"}))

    asyncio.run(bench.client.send(request_for("login", body={"email": "a@b", "password": "a"})))

    assert bench.events[0].data["body"] == {"email": "a@b", "password": "***"}
    assert bench.events[1].data["body"]["message"] == "a sentence"


def test_signing_in_records_who_the_person_is() -> None:
    bench = Bench(answer(200, SESSION), answer(200, ME))

    asyncio.run(sign_in(bench.client, ANN))

    assert bench.events[-1].kind == "person"
    assert bench.events[-1].data == {"name": "ann", "account_id": "u1", "role": "admin"}


def test_who_can_not_be_signed_in_is_named_with_the_answer() -> None:
    bench = Bench(answer(401, {"error": "unauthorized", "message": "wrong e-mail or password"}))

    with pytest.raises(SignInError, match=r"could not login 'ann': the answer was 401 \(wrong e-mail"):
        asyncio.run(sign_in(bench.client, ANN))


@pytest.mark.parametrize(
    ("body", "escapes"),
    [
        (b'{"a":"\\u00e9"}', True),
        (b'{"a":"\\u0001"}', False),
        (b'{"a":"\\\\u00e9"}', False),
        (b'{"a":"\xc3\xa9"}', False),
    ],
)
def test_a_needless_escape_is_noted(body: bytes, escapes: bool) -> None:
    bench = Bench(RawAnswer(200, {}, body))

    asyncio.run(bench.client.send(request_for("health")))

    assert bench.events[-1].data["escaped"] is escapes
