"""A run from its seed to its exit code, on one operation and few cases."""

import subprocess
import sys

import pytest

RUN_S_MAX = 110


@pytest.mark.slow
def test_a_run_tells_its_seed_what_it_helped_along_and_what_was_answered() -> None:
    chosen = ["--seed", "7", "--seconds", "20", "--examples", "3", "--phases", "examples", "--operation", "login"]
    done = subprocess.run(
        [sys.executable, "-m", "harness.fuzzing", *chosen],
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("seed 7\n")
    assert "operations reached 2xx" in done.stdout
    assert "  password: a password's limits are bytes" in done.stdout
