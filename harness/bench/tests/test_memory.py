"""Memory a connection is what each of many added; where it can't be had, the row says why."""

import time

import pytest

from harness.bench import memory
from harness.bench.contestants import OURS, SOCKETS, contestant
from harness.bench.memory import a_connection_kib, idle_memory
from harness.bench.setting import Setting
from harness.bench.sinks import SinkProcess
from reference_server.contract.limits import SOCKETS_PER_ACCOUNT_MAX

DEADLINE_S = 10.0
ANYWHERE = Setting(seconds=0.1, server_cores=frozenset(), load_cores=frozenset())


def test_memory_a_connection_is_what_was_added_by_each() -> None:
    assert a_connection_kib(50.0, 89.0625, 10_000) == 4.0
    assert a_connection_kib(None, 89.0, 10_000) is None


def test_connections_are_held_and_what_they_cost_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CONNECTIONS": 40, "OPENED_AT_ONCE": 20, "WARM_UPS": 2, "WARM_UP_CONNECTIONS": 5, "IDLE_S_MIN": 0.1,
        "SETTLED_S": 0.02, "SOCKETS": ("ours", "websockets"),
    }.items():  # fmt: skip
        monkeypatch.setattr(memory, name, value)
    ours, idle, websockets = idle_memory(ANYWHERE)

    assert (ours.name, idle.name, websockets.name) == ("idle_memory", "idle_cpu", "idle_memory_websockets")
    for figure in (ours, websockets):
        assert figure.value is not None
        assert figure.note.endswith("kernel buffers not included")
    assert idle.value is not None
    assert idle.note.endswith("no ping fell due")


def test_too_few_open_files_leave_no_figure_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "file_limit", lambda: 1024)
    figures = list(idle_memory(ANYWHERE))

    assert [figure.value for figure in figures] == [None] * len(SOCKETS)
    assert figures[0].note == "a process may open 1,024 files here and 10,500 are needed; raise ulimit -n"


def test_a_connection_that_is_lost_while_idle_leaves_no_figure() -> None:
    with contestant(ANYWHERE, OURS, 64) as one:
        first = next(one.upgrades)
        # One more than an account may have: the contract ends the one that was silent longest (§2 limits).
        one.sink.open([first] * (SOCKETS_PER_ACCOUNT_MAX + 1))
        _wait_until_lost(one.sink)
        figure = memory._idle_cpu(one, 0.0)

    assert (figure.value, figure.note) == (None, "1 of 33 connections were lost within 0 s")


def _wait_until_lost(sink: SinkProcess) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            sink.check()
        except RuntimeError:
            return
    pytest.fail("no connection was lost")


def test_connections_opened_in_parts_are_still_as_many_of_each_account() -> None:
    with contestant(ANYWHERE, OURS, 64) as one:
        for _ in range(64):
            one.open(1)
        one.sink.check()
