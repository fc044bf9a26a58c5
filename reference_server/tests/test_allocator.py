"""A served process has malloc under Python's objects, started again for it or not; whoever says otherwise is heard."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference_server.allocator import ENDING, VARIABLE, hear_signals, use_malloc
from reference_server.tests.process import DEADLINE_S, ServerProcess

COMMAND = ["python", "-P", "-m", "reference_server", "--port", "0"]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
Started = list[tuple[str, list[str], dict[str, str]]]


def waiting() -> set[signal.Signals]:
    return {one for one in signal.pthread_sigmask(signal.SIG_BLOCK, ()) if one in ENDING}  # type: ignore[misc]


def allocator_of(server: ServerProcess) -> str | None:
    told = Path(f"/proc/{server.child.pid}/environ").read_bytes().split(b"\0")
    return next((one.partition(b"=")[2].decode() for one in told if one.startswith(VARIABLE.encode())), None)


def test_it_is_started_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[object] = []
    monkeypatch.setenv(VARIABLE, "malloc")
    monkeypatch.setattr(os, "execve", lambda *said: again.append(said))
    use_malloc()
    assert again == []


@LINUX
def test_a_server_runs_on_malloc_under_its_own_number_and_with_its_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with ServerProcess("--accounts", "1", "--db", str(tmp_path / "zerostate.db")) as server:
        assert allocator_of(server) == "malloc"
        assert (tmp_path / "zerostate.db.accounts").is_file()
        assert server.end() == 0
        assert server.errors() == ""


@LINUX
def test_an_allocator_that_was_chosen_is_kept() -> None:
    with ServerProcess("--db", ":memory:", PYTHONMALLOC="pymalloc") as server:
        assert allocator_of(server) == "pymalloc"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """Return what the interpreter was started again with; the allocator is not chosen, and malloc is glibc's."""
    again: Started = []
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(os, "confstr", lambda _: "glibc 2.36", raising=False)
    monkeypatch.setattr(os, "execve", lambda *said: again.append(said))
    monkeypatch.setattr(sys, "orig_argv", COMMAND)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield again
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_it_is_started_again_as_it_was_and_signals_wait_meanwhile(started: Started) -> None:
    use_malloc()

    ((program, arguments, environment),) = started
    assert program == sys.executable
    assert arguments == [sys.executable, *COMMAND[1:]]
    assert environment == os.environ | {VARIABLE: "malloc"}
    assert waiting() == set(ENDING)
    hear_signals()
    assert waiting() == set()


@pytest.mark.parametrize("libc", [None, "", "musl 1.2"])
def test_another_malloc_is_left_alone(started: Started, monkeypatch: pytest.MonkeyPatch, libc: str | None) -> None:
    monkeypatch.setattr(os, "confstr", lambda _: libc)
    use_malloc()
    assert started == []


def test_a_system_that_does_not_say_is_left_alone(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: str) -> str:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "confstr", unknown)
    use_malloc()
    assert started == []


def test_an_interpreter_that_does_not_know_its_program_is_left_alone(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "")
    use_malloc()
    assert started == []


def test_where_it_can_not_be_started_again_it_goes_on(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("not here")

    monkeypatch.setattr(os, "execve", refused)
    use_malloc()
    assert started == []
    assert waiting() == set()


@pytest.mark.parametrize("command", [["python", "-"], ["python", "-c", "…"], ["python", "script.py"]])
def test_what_is_no_module_is_left_alone(started: Started, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setattr(sys, "orig_argv", command)
    use_malloc()
    assert started == []


@LINUX
@pytest.mark.parametrize("option", ["-I", "-E", "-Xdev"])
def test_an_interpreter_with_an_allocator_or_an_environment_of_its_own_is_left_alone(option: str) -> None:
    code = "import os, reference_server.allocator as a; os.execve = lambda *_: print('again'); a.use_malloc()"
    program = f"import sys; sys.orig_argv += ['-m']; {code}"
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    said = [
        subprocess.run(
            [sys.executable, *options, "-c", program],
            env=environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        for options in ([], [option])
    ]
    assert [one.returncode for one in said] == [0, 0]
    assert [one.stdout for one in said] == ["again\n", ""]


@LINUX
def test_a_signal_that_comes_while_it_starts_again_ends_it_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    child = subprocess.Popen([sys.executable, "-m", "reference_server", "--port", "0", "--db", ":memory:"])
    deadline = time.monotonic() + DEADLINE_S
    environment = Path(f"/proc/{child.pid}/environ")
    while b"PYTHONMALLOC=malloc" not in environment.read_bytes():
        assert time.monotonic() < deadline
    child.send_signal(signal.SIGTERM)
    assert child.wait(DEADLINE_S) == 0
