"""The latency client times what was due to what was read, and enters every message in its ledger."""

import time
from typing import Any

import pytest

from harness.bench.accounts import account_of, admin_token, sends, socket_figures
from harness.bench.calls import head
from harness.bench.clients import Ready, running
from harness.bench.directed import CLIENT, STEPS, told
from harness.bench.latency import NUMBERED, Count, Latency, Plan
from harness.bench.ledger import Tally
from harness.bench.process import Server

TABS = 2
DEADLINE_S = 30.0


def plan(server: Server, publishes: list[bytes], steps: list[str], **named: Any) -> Plan:
    tokens = list(server.tokens[:4])
    chosen: dict[str, Any] = {"per_s": 100.0, "connections": 4}
    chosen |= {"calls": [head("GET", "/agents", tokens[0])], "calls_per_s": 50.0}
    chosen |= {"idle": list(server.tokens[4:]), "idle_tabs": 3}
    return Plan(server.host, server.port, server.pid, tokens, TABS, publishes, steps=steps, **(chosen | named))


def led(server: Server, one: Plan) -> tuple[Count, int]:
    with running(frozenset(), CLIENT, one) as client:
        client.said(Ready, DEADLINE_S)
        client.tell()
        deadline = time.monotonic() + DEADLINE_S
        sent = socket_figures(server).messages_sent
        while socket_figures(server).messages_sent < sent + 40 and time.monotonic() < deadline:
            pass
        client.tell()
        return client.said(Count, DEADLINE_S), socket_figures(server).current_connections


@pytest.mark.parametrize("steps", [[], STEPS], ids=["sends of an admin", "submits, each with three pushes"])
def test_every_message_of_a_load_comes_once_to_each_tab(server: Server, steps: list[str]) -> None:
    tokens = server.tokens[:4]
    submits = [head("POST", "/tasks/submit", token, {"query": NUMBERED, "budget": 1}) for token in tokens]
    count, current = led(
        server, plan(server, submits if steps else sends(tokens, admin_token(server), NUMBERED), steps)
    )

    assert count.tally.balanced, told(count)
    assert count.tally.expected % (TABS * max(1, len(steps))) == 0
    assert 0 < count.timed <= count.tally.received
    assert 0 < count.p50_ms <= count.p99_ms <= count.max_ms
    assert count.held == current == 4 * TABS + 4 * 3
    assert count.messages == count.tally.received + count.held
    assert set(count.publishes.statuses) == {"202" if steps else "200"}
    assert count.calls is not None
    assert set(count.calls.statuses) == {"200"}


def test_nothing_is_expected_of_publishes_that_are_refused(server: Server) -> None:
    refused = sends(server.tokens[:4], server.tokens[0], NUMBERED)
    with running(frozenset(), CLIENT, plan(server, refused, [])) as client:
        client.said(Ready, DEADLINE_S)
        client.tell()
        client.tell()
        count = client.said(Count, DEADLINE_S)

    assert count.tally == Tally(0, 0, 0, 0, 0)


def message(number: int, status: str = "queued") -> bytes:
    return b'{"type":"task_update","data":{"status":"%s","query":"bench %08d"}}' % (status.encode(), number)


class Sent(Latency):
    """A latency client that believes to have sent three submits of three accounts; nothing goes out."""

    def __init__(self) -> None:
        super().__init__(Plan("", 0, 0, ["a", "b", "c"], TABS, [b"00000000"], 1.0, steps=STEPS))
        for number in (1, 2, 3):
            self._publisher.due_ns.append(number)
            self._ledger.expect(number)

    def hear_all(self) -> None:
        for account in range(3):
            for slot in range(TABS):
                for status in STEPS:
                    self.heard(message(account + 1, status), 10, account, slot)

    @property
    def tally(self) -> Tally:
        return self._ledger.tally()


def test_each_step_counts_once_for_each_tab() -> None:
    sent = Sent()
    sent.hear_all()

    assert sent.tally == Tally(18, 18, 0, 0, 0)


@pytest.mark.parametrize(
    ("payload", "account", "tally"),
    [
        (message(1, "running"), 0, Tally(18, 19, 0, 1, 0)),
        (message(1), 1, Tally(18, 18, 0, 0, 1)),
        (message(4), 0, Tally(18, 18, 0, 0, 1)),
        (message(1, "assigned"), 0, Tally(18, 18, 0, 0, 0)),
        (b'{"type":"system","data":{"message":"hello"}}', 0, Tally(18, 18, 0, 0, 0)),
    ],
    ids=["doubled", "of another account", "never sent", "a step that may be sent", "of somebody else"],
)
def test_what_should_not_come_shows(payload: bytes, account: int, tally: Tally) -> None:
    sent = Sent()
    sent.hear_all()
    sent.heard(payload, 10, account, 0)

    assert sent.tally == tally


def test_what_does_not_come_is_lost() -> None:
    sent = Sent()
    sent.heard(message(1), 10, 0, 0)

    assert sent.tally == Tally(18, 1, 17, 0, 0)


def test_the_account_of_a_token_is_read_from_it(server: Server) -> None:
    assert len({account_of(token) for token in server.tokens}) == len(server.tokens)
