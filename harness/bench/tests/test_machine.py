"""What is read of the machine is there, or None where the system does not tell."""

import os

from harness.bench.machine import calibration_ms, cores, cpu_s, pinned, resident_mib

NOBODY = 2**30


def test_a_process_that_is_not_there_has_no_figures() -> None:
    assert (cpu_s(NOBODY), resident_mib(NOBODY)) == (None, None)


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
