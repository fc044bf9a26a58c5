"""A served process has malloc under Python's objects, started again for it or not; whoever says otherwise is heard."""

import os
import sys
from pathlib import Path

import pytest

from reference_server.allocator import VARIABLE, use_malloc
from reference_server.tests.process import ServerProcess

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
Started = list[tuple[str, list[str], dict[str, str]]]


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
def test_a_server_runs_on_malloc_under_its_own_number_and_with_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with ServerProcess("--accounts", "1", "--db", ":memory:", "--accounts-file", os.devnull) as server:
        assert allocator_of(server) == "malloc"
        assert server.end() == 0
        assert server.errors() == ""


@LINUX
def test_an_allocator_that_was_chosen_is_kept() -> None:
    with ServerProcess("--db", ":memory:", PYTHONMALLOC="pymalloc") as server:
        assert allocator_of(server) == "pymalloc"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Return what the interpreter was started again with; the allocator is not chosen, and malloc is glibc's."""
    again: Started = []
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(os, "confstr", lambda _: "glibc 2.36", raising=False)
    monkeypatch.setattr(os, "execve", lambda *said: again.append(said))
    return again


def test_it_is_started_again_as_it_was(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["python", "-P", "-m", "reference_server", "--port", "0"])
    use_malloc()

    ((program, arguments, environment),) = started
    assert program == sys.executable
    assert arguments == [sys.executable, "-P", "-m", "reference_server", "--port", "0"]
    assert environment == os.environ | {VARIABLE: "malloc"}


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
