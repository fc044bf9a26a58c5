"""A run from its seed to its exit code, on one operation and few cases."""

import subprocess
import sys

import pytest

from harness.fuzzing.__main__ import main

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


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--seconds", "abc"], "argument --seconds: invalid int value: 'abc'"), (["--sed", "1", "x"], "unrecognized")],
)
def test_wrong_words_are_one_line_and_exit_3(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 3
    assert line.startswith("harness.fuzzing: ")
    assert said in line
