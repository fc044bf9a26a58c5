"""No figure is lost when a measure breaks or the bench is ended, and nothing that it started outlives it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.bench import runner
from harness.bench.__main__ import STOPPED, UNABLE, command, main
from harness.bench.bars import BARS, Figure
from harness.bench.children import folder, started
from harness.bench.measures import MEASURES
from harness.bench.menu import MENU
from harness.bench.report import INTERRUPTED
from harness.bench.runner import measured
from harness.bench.setting import Setting

ANYWHERE = Setting(seconds=0.1, server_cores=frozenset(), load_cores=frozenset())
DEADLINE_S = 30.0
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends children with their parent on Linux")


def nothing_told(_: str) -> None:
    pass


def with_measure(monkeypatch: pytest.MonkeyPatch, fault: BaseException) -> None:
    def breaking(_: Setting) -> Iterator[Figure]:
        yield Figure("ready", 0.5)
        raise fault

    def whole(_: Setting) -> Iterator[Figure]:
        yield Figure("get_task", 1.0)

    monkeypatch.setattr(runner, "MEASURES", {"start": breaking, "get": whole})


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("fault", "said"),
    [(RuntimeError("it\nbroke"), "it broke"), (OSError(24, "Too many"), "OSError: [Errno 24] Too many")],
)
def test_a_measure_that_breaks_leaves_the_reason_and_the_others(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, said: str
) -> None:
    with_measure(monkeypatch, fault)
    told: list[str] = []
    figures, complete = measured(["start", "get"], ANYWHERE, told.append)

    assert complete
    assert [(one.name, one.value) for one in figures] == [("ready", 0.5), ("resident", None), ("get_task", 1.0)]
    assert figures[1].note == said
    assert told[0].startswith("[1/2] start: ")
    assert told[1] == "    start to ready: 0.50 s, met"


def test_an_interrupted_run_keeps_what_it_found_and_names_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    with_measure(monkeypatch, KeyboardInterrupt())
    figures, complete = measured(["start", "get"], ANYWHERE, nothing_told)

    assert not complete
    assert [(one.name, one.note) for one in figures] == [
        ("ready", ""),
        ("resident", INTERRUPTED),
        ("get_task", INTERRUPTED),
    ]


def test_too_few_files_are_said_before_a_measure_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "file_limit", lambda: 1024)
    figures, complete = measured(["connect_storm", "fan_out"], ANYWHERE, nothing_told)

    assert complete
    assert {one.note for one in figures} == {
        "a process may open 1,024 files here and 3,500 are needed; raise ulimit -n",
        "a process may open 1,024 files here and 1,200 are needed; raise ulimit -n",
    }


def test_the_menu_knows_every_measure_and_every_row_belongs_to_one() -> None:
    rows = [bar.name for name in MEASURES for bar in MENU[name].bars()]

    assert sorted(rows) == sorted(bar.name for bar in BARS)
    assert list(MENU) == list(MEASURES)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seconds", "nan"],
        ["--seconds", "inf"],
        ["--seconds", "0"],
        ["--only", "nope"],
        ["--out", "/dev/null/x"],
        ["--out", "/"],
    ],
)
def test_a_wrong_option_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == UNABLE
    told = capsys.readouterr()
    assert told.err.startswith(f"harness.bench: Invalid value for '{arguments[0]}'")
    assert (told.err.count("\n"), told.out) == (1, "")


def test_help_says_of_each_measure_what_it_finds() -> None:
    epilog = command.epilog or ""

    assert [name for name in MEASURES if f"\n{name} " not in epilog] == []


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def gone(pid: int) -> bool:
    """Whether a process has ended; who else than its parent has to bury it, does not matter."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def serves(pid: int) -> bool:
    return b"reference_server" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A bench that has started a server, on a temporary folder of its own."""
    (tmp_path / "tmp").mkdir()
    arguments = ("--only", "start", "--only", "get", "--out", str(tmp_path / "bench.json"))
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "harness.bench", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
    ) as child:
        try:
            wait_until(lambda: any(serves(one) for one in children_of(child.pid)))
            yield child
        finally:
            child.kill()


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_bench_that_is_ended_writes_what_there_is_and_leaves_nothing(
    bench: "subprocess.Popen[str]", tmp_path: Path, number: signal.Signals
) -> None:
    children = children_of(bench.pid)
    bench.send_signal(number)
    out, err = bench.communicate(timeout=DEADLINE_S)

    assert bench.returncode == STOPPED
    assert "Traceback" not in err
    assert "rows were not measured" in out
    left = json.loads((tmp_path / "bench.json").read_bytes())
    assert not left["complete"]
    assert {one["name"] for one in left["figures"]} == {"ready", "resident", "get_task"}
    wait_until(lambda: all(map(gone, children)))
    assert list((tmp_path / "tmp").iterdir()) == []


@LINUX
def test_nothing_outlives_a_bench_that_is_killed(bench: "subprocess.Popen[str]", tmp_path: Path) -> None:
    children = children_of(bench.pid)
    assert list((tmp_path / "tmp").iterdir())
    bench.kill()
    bench.wait(DEADLINE_S)

    wait_until(lambda: all(map(gone, children)))
    wait_until(lambda: list((tmp_path / "tmp").iterdir()) == [])


def test_a_folder_is_gone_behind_its_use() -> None:
    with folder() as path:
        (path / "file").touch()

    assert not path.exists()


def test_a_child_is_out_of_reach_of_the_terminal() -> None:
    child = started(frozenset(), ["harness.bench.peers"], stdin=subprocess.PIPE)
    try:
        assert os.getsid(child.pid) == child.pid != os.getsid(0)
    finally:
        child.kill()
        child.communicate()
