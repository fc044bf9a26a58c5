"""The latency client times what was due to what was read, and enters every message in its ledger."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from harness.bench.accounts import account_of, admin_token, sends, socket_figures
from harness.bench.calls import head
from harness.bench.clients import Ready, running
from harness.bench.directed import CLIENT, STEPS, told
from harness.bench.latency import Count, Latency, Plan, Publisher
from harness.bench.ledger import Ledger, Tally
from harness.bench.load import Connection, Load
from harness.bench.load import Count as LoadCount
from harness.bench.load import Plan as LoadPlan
from harness.bench.numbering import NUMBERED
from harness.bench.process import Server, serving

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

    assert count.tally.balanced, f"{count.tally}; {told(count)}"
    assert count.tally.expected % (TABS * max(1, len(steps))) == 0
    assert 0 < count.timed <= count.tally.received
    assert count.p50_ms is not None
    assert count.p99_ms is not None
    assert count.max_ms is not None
    assert 0 < count.p50_ms <= count.p99_ms <= count.max_ms
    assert count.unanswered == 0
    assert count.held == current == 4 * TABS + 4 * 3
    assert count.messages == count.tally.received + count.held
    assert set(count.publishes.statuses) == {"202" if steps else "200"}
    assert count.calls is not None
    assert set(count.calls.statuses) == {"200"}


def test_nothing_is_expected_of_publishes_that_are_refused() -> None:
    # A server of its own: the one of the module ends connections that say nothing for a moment.
    with serving(frozenset(), accounts=8) as server, running(frozenset(), CLIENT, refused_plan(server)) as client:
        client.said(Ready, DEADLINE_S)
        client.tell()
        _wait_until_refused(server)
        client.tell()
        count = client.said(Count, DEADLINE_S)

    assert count.tally == Tally(0, 0, 0, 0, 0, count.tally.refused)
    assert count.tally.refused > 0


def refused_plan(server: Server) -> Plan:
    """Let somebody publish who is no admin."""
    return plan(server, sends(server.tokens[:4], server.tokens[0], NUMBERED), [])


def _wait_until_refused(server: Server) -> None:
    """The server itself says that it answered one with 403 (contract §1 service)."""
    deadline = time.monotonic() + DEADLINE_S
    while 'status="403"' not in httpx.get(f"http://{server.host}:{server.port}/metrics").text:
        assert time.monotonic() < deadline, "no publish was refused"


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


class Wire(Connection):
    """Sends nothing."""

    def send(self, head: bytes, intended_ns: int) -> None:
        pass


def test_a_publish_counts_from_when_it_was_due_and_not_from_when_it_was_sent() -> None:
    plan = LoadPlan("", 0, 0, 1, [b"00000000"], 1.0, rate_per_s=1.0)
    publisher = Publisher(plan, Ledger(1))
    publisher.ask(Wire(Load(plan)), 7)

    assert list(publisher.due_ns) == [7]
    assert publisher.backlog == 1


def test_a_message_is_timed_from_when_its_publish_was_due_if_that_was_in_the_time() -> None:
    async def timed() -> Count:
        sent = Sent()
        # The publishes were due at 1, 2 and 3: the first before the time, the last behind it.
        sent._window_ns = [2, 3]
        sent.hear_all()
        return sent._count(NOTHING, None, 0)

    count = asyncio.run(timed())
    assert count.timed == TABS
    assert count.p50_ms == count.max_ms == 8 / 1e6


def test_each_quantile_of_the_times_is_told_by_its_name() -> None:
    async def timed() -> Count:
        sent = Sent()
        sent._window_ns = [0, 500]
        for number in range(500):
            sent._times.add(number, number + (number % 100 + 1) * 1_000_000)
        return sent._count(NOTHING, None, 0)

    count = asyncio.run(timed())
    assert (count.p50_ms, count.p99_ms, count.max_ms) == (51.0, 100.0, 100.0)
    assert count.windows_p99_ms == [100.0] * 5


NOTHING = LoadCount(0, 1.0, None, None, {}, None)


@pytest.mark.parametrize(
    ("late", "tally"),
    [([], Tally(18, 18, 0, 0, 0)), ([message(3, "completed")], Tally(18, 19, 0, 1, 0))],
    ids=["the last ones", "one that came before"],
)
def test_what_comes_behind_the_time_is_waited_for(late: list[bytes], tally: Tally) -> None:
    async def stopped() -> Count:
        sent = Sent()
        sent._window_ns = [0, 0]

        def come() -> None:
            sent.hear_all()
            for payload in late:
                asyncio.get_running_loop().call_soon(sent.heard, payload, 10, 2, 0)

        asyncio.get_running_loop().call_later(0.03, come)
        return await sent._stopped()

    assert asyncio.run(stopped()).tally == tally


def test_a_message_that_comes_once_more_when_all_is_there_is_seen() -> None:
    async def stopped() -> Count:
        sent = Sent()
        sent.hear_all()
        asyncio.get_running_loop().call_later(0.03, sent.heard, message(1), 10, 0, 0)
        return await sent._stopped()

    assert asyncio.run(stopped()).tally.doubled == 1
