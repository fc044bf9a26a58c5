"""Memory a connection is what each of many added; where it can't be had, the row says why."""

import time

import pytest

from harness.bench import memory
from harness.bench.bars import Figure
from harness.bench.contestants import OURS, SOCKETS, contestant
from harness.bench.machine import GIVEN_BACK_S
from harness.bench.memory import a_connection_kib, idle_memory, median_of
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
        "SETTLED_S": 0.02, "GIVEN_BACK_S": 0.0, "SOCKETS": ("ours", "websockets"), "ROUNDS": 3,
    }.items():  # fmt: skip
        monkeypatch.setattr(memory, name, value)
    ours, idle, websockets = idle_memory(ANYWHERE)

    assert (ours.name, idle.name, websockets.name) == ("idle_memory", "idle_cpu", "idle_memory_websockets")
    for figure in (ours, websockets):
        assert figure.value is not None
        assert len(figure.rounds) == 3
        assert figure.value == sorted(figure.rounds)[1]
        assert " in 3 fresh servers; resident " in figure.note
        assert figure.note.endswith("kernel buffers not included")
    assert idle.value is not None
    assert idle.note.endswith("s, 0 pings of the server answered")


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


class House:
    """A server of sockets whose memory is known: what the first connections make stays, the rest is given back late."""

    A_CONNECTION_MIB = 0.01
    MADE_ONCE_MIB = 7.0
    name = "picows"
    pid = 1

    def __init__(self) -> None:
        self.now_s = 0.0
        self.held = 0
        self.made_once = False
        self.spare_mib = self.left_s = 0.0
        self.sink = self

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def open(self, number: int) -> None:
        self.held += number
        self.made_once = True

    def leave(self) -> None:
        self.spare_mib, self.left_s = self.held * self.A_CONNECTION_MIB, self.now_s
        self.held = 0

    def check(self) -> int:
        return 0

    def resident_mib(self, pid: int) -> float:
        assert pid == self.pid
        if self.spare_mib and self.now_s - self.left_s >= GIVEN_BACK_S:
            self.spare_mib = 0.0
        made_mib = self.MADE_ONCE_MIB if self.made_once else 0.0
        return 50.0 + made_mib + self.spare_mib + self.held * self.A_CONNECTION_MIB

    def open_files(self, pid: int) -> int:
        assert pid == self.pid
        return 9 + self.held


def test_memory_is_held_against_a_server_that_is_warm_and_has_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    monkeypatch.setattr(memory, "time", house)
    for name in ("resident_mib", "open_files"):
        monkeypatch.setattr(memory, name, getattr(house, name))
    figure = memory._measured(house, "idle_memory_picows")  # type: ignore[arg-type]

    assert figure.value == pytest.approx(house.A_CONNECTION_MIB * 1024)
    assert figure.note == "resident 57.0 to 157.0 MiB; kernel buffers not included"


def test_the_figure_in_the_middle_stands_for_all() -> None:
    found = [Figure("idle_memory", value, note=f"note {value}") for value in (4.0, 2.0, 9.0)]
    middle = median_of(found)

    assert (middle.name, middle.value, middle.rounds) == ("idle_memory", 4.0, [4.0, 2.0, 9.0])
    assert middle.note == "2.00 to 9.00 in 3 fresh servers; note 4.0"


def test_one_that_could_not_be_measured_leaves_no_figure() -> None:
    found = [Figure("idle_memory", 4.0), Figure("idle_memory", None, note="this system has no /proc")]
    assert median_of(found) == found[1]


def test_memory_is_read_when_it_does_not_change_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "time", House())
    readings = iter([60.0, 58.0, 57.0, 57.0, 56.0])

    assert memory._settled(lambda: next(readings)) == 57.0


def test_memory_that_never_settles_is_read_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    monkeypatch.setattr(memory, "time", house)
    memory._settled(lambda: house.now_s)

    assert memory.SETTLE_S_MAX <= house.now_s < memory.SETTLE_S_MAX + 2 * memory.SETTLED_S


def test_pings_of_the_server_while_idle_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    house, pings = House(), iter([5, 12])
    monkeypatch.setattr(memory, "time", house)
    monkeypatch.setattr(memory, "cpu_s", lambda _: house.now_s / 100)
    monkeypatch.setattr(house, "check", lambda: next(pings))
    figure = memory._idle_cpu(house, 40.0)  # type: ignore[arg-type]

    assert figure.value == pytest.approx(1.0)
    assert figure.note == "over 40 s, 7 pings of the server answered"
