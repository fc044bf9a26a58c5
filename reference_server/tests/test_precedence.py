"""Of several errors that apply the first in the contract's order is answered (contract §1 which error), at the driver.

A row names all that is wrong with its request; which status that gives follows from the contract's list alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import pytest

from reference_server.contract.codes import HANDSHAKE_PRECEDENCE, PRECEDENCE
from reference_server.core.answers import Answer
from reference_server.core.calls import Admitted, Granted, Head
from reference_server.driver import Driver
from reference_server.operations import Options
from reference_server.store.memory import MemoryStore
from reference_server.tests.virtual import UPGRADE, Caller, VirtualEnvironment, VirtualSockets

UNKNOWN: Final = "2a1b3c4d-0000-4000-8000-000000000000"
STATUSES: Final = {
    "no_route": 404,
    "method": 405,
    "rate": 429,
    "credential": 401,
    "role": 403,
    "size": 413,
    "content_type": 415,
    "request": 400,
    "object": 404,
    "owner": 403,
    "password": 401,
    "conflict": 409,
    "unavailable": 503,
}
HANDSHAKE_STATUSES: Final = {
    "rate": 429,
    "credential": 401,
    "origin": 403,
    "upgrade": 400,
    "version": 426,
    "unavailable": 503,
}


class Limits:
    """Lets everything pass until nothing does."""

    spent = False

    def take(self, kind: str, key: str, then: Callable[[int | None], None]) -> None:  # noqa: ARG002
        then(7 if self.spent else None)


class World:
    """A server with two accounts; of `wrong` it is told what no request can be by itself."""

    def __init__(self, wrong: frozenset[str]) -> None:
        self.environment = VirtualEnvironment()
        self.limits = Limits()
        sockets = VirtualSockets()
        options = Options(queue_max=0)
        self.driver = Driver(self.environment, MemoryStore(), sockets, options, rate_limits=self.limits)
        sockets.driver = self.driver
        self.driver.start(lambda: None)
        self.environment.run()
        self.caller = Caller(self.driver, self.environment)
        self.caller.register("taken@example.org")
        self.token = None if "credential" in wrong else self.caller.register()
        self.limits.spent = "rate" in wrong
        if "unavailable" in wrong:
            self.driver.shutdown(lambda: None)

    def headers(self) -> dict[str, str]:
        return {} if self.token is None else {"authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Row:
    """A request and all that is wrong with it."""

    wrong: tuple[str, ...]
    method: str
    path: str
    body: bytes = b""
    query: str = ""
    media: str = "application/json"
    length: int | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}: {', '.join(self.wrong)}"


ROWS: Final = (
    Row(("no_route", "rate", "credential"), "GET", "/nothing"),
    Row(("method", "rate", "credential", "content_type"), "PUT", "/tasks/submit", b"{", media="text/plain"),
    Row(("rate", "credential", "role"), "POST", "/ws/broadcast", b"{}"),
    Row(("credential", "role", "content_type", "request"), "POST", "/ws/broadcast", b"{", media="text/plain"),
    Row(("role", "content_type", "request"), "POST", "/ws/broadcast", b"{", media="text/plain"),
    Row(("credential", "size", "content_type"), "POST", "/users/me/avatar", length=99_999_999),
    Row(("size", "content_type"), "POST", "/users/me/avatar", length=99_999_999),
    Row(("content_type", "request", "unavailable"), "POST", "/tasks/submit", b"{", media="text/plain"),
    Row(("content_type", "object"), "PUT", f"/agents/{UNKNOWN}", b"{}", media="text/plain"),
    Row(("request", "object"), "PUT", f"/agents/{UNKNOWN}", b"{"),
    Row(("request", "owner"), "PUT", "/agents/agent_001", b"{}"),
    Row(("request", "password", "conflict"), "PUT", "/users/me",
        b'{"email":"taken@example.org","password":"wrong","full_name":""}'),
    Row(("request", "unavailable"), "POST", "/tasks/submit", b"{}"),
    Row(("object", "owner"), "DELETE", "/agents/agent_001/binary", query="version=9"),
    Row(("owner",), "DELETE", "/agents/agent_001"),
    Row(("password", "conflict"), "PUT", "/users/me", b'{"email":"taken@example.org","password":"wrong"}'),
    Row(("conflict",), "POST", "/users/register",
        b'{"email":"taken@example.org","password":"12345678","full_name":"Ann"}'),
    Row(("unavailable",), "POST", "/tasks/submit", b'{"query":"q","budget":1}'),
)  # fmt: skip
"""A queue that takes nothing makes every good submit `unavailable`."""


def answered(world: World, row: Row) -> list[Answer]:
    answers: list[Answer] = []
    length = len(row.body) if row.length is None else row.length
    headers = {**world.headers(), "content-type": row.media, "content-length": str(length)}

    def admitted(outcome: Admitted | Answer) -> None:
        if isinstance(outcome, Answer):
            answers.append(outcome)
        elif outcome.route.operation.file is not None:
            received = world.driver.receive(outcome)
            assert isinstance(received, Answer)
            answers.append(received)
        else:
            world.driver.handle(outcome, row.body, answers.append)

    world.driver.admit(Head(row.method, f"/api/v1{row.path}", row.query, headers, "192.0.2.1"), admitted)
    world.environment.run()
    return answers


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_first_error_of_the_contracts_order_is_answered(row: Row) -> None:
    first = min(row.wrong, key=PRECEDENCE.index)
    world = World(frozenset(row.wrong) - {"unavailable"})

    assert [answer.status for answer in answered(world, row)] == [STATUSES[first]]


def test_every_error_of_the_order_comes_first_in_some_row_and_but_for_the_path_behind_another_in_some() -> None:
    firsts = {min(row.wrong, key=PRECEDENCE.index) for row in ROWS}
    behind = {word for row in ROWS for word in sorted(row.wrong, key=PRECEDENCE.index)[1:]}

    assert firsts == set(PRECEDENCE) == set(STATUSES)
    assert behind == set(PRECEDENCE) - {"no_route", "method"}


@pytest.mark.parametrize(("first", "second"), list(combinations(HANDSHAKE_PRECEDENCE, 2)))
def test_of_two_errors_of_a_handshake_the_first_is_answered(first: str, second: str) -> None:
    wrong = frozenset((first, second))
    world = World(wrong)
    headers = UPGRADE | world.headers()
    if "origin" in wrong:
        headers["origin"] = "https://elsewhere.example"
    if "upgrade" in wrong:
        del headers["sec-websocket-key"]
    if "version" in wrong:
        headers["sec-websocket-version"] = "8"
    outcomes: list[Granted | Answer] = []
    world.driver.handshake(Head("GET", "/api/v1/ws/connect", "", headers, "192.0.2.1"), outcomes.append)

    (outcome,) = outcomes
    assert isinstance(outcome, Answer)
    assert outcome.status == HANDSHAKE_STATUSES[first]


def test_a_handshake_with_nothing_wrong_is_granted() -> None:
    world = World(frozenset())
    outcomes: list[Granted | Answer] = []
    head = Head("GET", "/api/v1/ws/connect", "", UPGRADE | world.headers(), "192.0.2.1")
    world.driver.handshake(head, outcomes.append)

    assert [type(outcome) for outcome in outcomes] == [Granted]
    assert set(HANDSHAKE_STATUSES) == set(HANDSHAKE_PRECEDENCE)
