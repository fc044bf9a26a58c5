"""What is read of the machine is there, or None where the system does not tell."""

import os
from pathlib import Path

from harness.bench.machine import (
    LIBRARIES,
    calibration_ms,
    cores,
    counted,
    cpu_s,
    file_limit,
    machine,
    open_files,
    pinned,
    resident_mib,
    shares,
)

NOBODY = 2**30


def test_a_process_that_is_not_there_has_no_figures() -> None:
    assert (cpu_s(NOBODY), resident_mib(NOBODY), open_files(NOBODY)) == (None, None, None)


def test_files_that_are_open_are_counted(tmp_path: Path) -> None:
    before = open_files(os.getpid())
    with (tmp_path / "one").open("w"):
        assert before is None or open_files(os.getpid()) == before + 1
    assert file_limit() > 0


def test_the_machine_names_each_library_or_says_that_it_is_missing() -> None:
    found = machine()

    assert set(found.libraries) == set(LIBRARIES)
    assert found.libraries["uvicorn"]
    assert found.cores >= 1


def test_work_takes_time_and_memory() -> None:
    before_s = cpu_s(os.getpid())

    assert calibration_ms(frozenset()) > 0
    assert before_s is None or (cpu_s(os.getpid()) or 0) >= before_s
    assert before_s is None or (resident_mib(os.getpid()) or 0) > 1


def test_cores_are_taken_for_a_while() -> None:
    server, load = cores()
    before = os.sched_getaffinity(0) if server else set()
    with pinned(server):
        assert not server or os.sched_getaffinity(0) == server

    assert not server or (before == os.sched_getaffinity(0) and load <= before)


def test_what_a_process_waited_for_of_its_own_threads_is_nobody_elses() -> None:
    assert shares(0.75, 0.5, 1.0) == (1.0, 0.25)
    assert shares(1.0, 0.5, 2.0) == (0.75, 0.25)
    assert shares(1.0, None, 2.0) == (0.5, None)
    assert shares(None, 0.5, 2.0) == (None, None)


def test_one_is_singular() -> None:
    assert (counted(1, "core"), counted(1_200, "core")) == ("1 core", "1,200 cores")
