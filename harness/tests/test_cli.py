"""The command line: every end has its exit code, bad input is one line, and nothing is half-written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from scenarios.catalog import SCENARIOS
from scenarios.model import Script, encode_script

COMMAND_S_MAX = 60
HELP = """
import contextlib, sys, harness.cli
with contextlib.suppress(SystemExit):
    harness.cli.main(["--help"])
print([name for name in {heavy} if name in sys.modules])
"""


def harness(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=COMMAND_S_MAX,
        check=False,
    )


def test_help_imports_nothing_heavy() -> None:
    heavy = ("httpx", "websockets", "hypothesis", "locust", "playwright", "jinja2", "rich", "msgspec", "asyncio")
    done = subprocess.run([sys.executable, "-c", HELP.format(heavy=heavy)], capture_output=True, text=True, check=True)

    assert "verify" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verfy"], "no such command 'verfy'"),
        (["verify", "--depht", "smoke"], "no such option"),
        (["verify", "--depth", "deep"], "depth 'deep', expected smoke, standard, thorough"),
        (["verify", "--only", "rest,sockets"], "unknown part 'sockets' in --only; expected some of rest"),
        (["verify", "--minutes", "0"], "minutes 0, expected more than 0"),
        (["verify", "--target", "nowhere.toml"], "target 'nowhere.toml' is neither a URL nor a file"),
        (["verify", "--target", "ftp://host"], "expected http or https://host"),
        (["verify", "--target", "http://127.0.0.1:9"], "is it running?"),
        (["verify", "--ca", "none.pem"], "ca 'none.pem' is no file"),
        (["verify", "--known", "none.toml"], "known 'none.toml' can't be read"),
        (["simulate", "two_people_two_tab"], "did you mean 'two_people_two_tabs'?"),
        (["simulate", "--mutant", "drops_message"], "did you mean 'drops_a_message'?"),
        (["simulate", "hello"], "scenario 'hello' is one of load; "),
        (["serve", "--prot", "1"], "the argument --prot is unknown; did you mean --port?"),
        (["serve", "--mutant", "nothing"], "unknown mutant 'nothing'; `harness list mutants` shows them"),
        (["load", "helo"], "hello"),
        (["load", "--duration", "soon"], "duration 'soon', expected seconds such as 10s, or 2m"),
        (["load", "--users", "0"], "0"),
        (["verify", "--mutant", "drops_message"], "did you mean 'drops_a_message'?"),
        (["verify", "--mutant", "drops_a_message", "--target", "http://127.0.0.1:9"], "expected one of them"),
        (["load", "--target", "http://127.0.0.1:9"], "is it running?"),
        (["load", "--target", "nonsense"], "target 'nonsense' is neither a URL nor a file"),
        (["e2e", "--target", "http://127.0.0.1:9"], "is it running?"),
        (["e2e", "--page", "nope"], "no browser test has 'nope' in its name; did you mean 'open'?"),
        (["e2e", "--page", "xyz"], "no browser test has 'xyz' in its name; try one of api_docs, "),
        (["e2e", "--page", "a and"], "page 'a and' chooses nothing; expected a word"),
        (["e2e", "--target", "nonsense"], "target 'nonsense' is neither a URL nor a file"),
        (["replay", "none.json"], "script 'none.json' can't be read"),
        (["report", "none"], "no run record at 'none'"),
        (["gate", "none"], "no run record at 'none'"),
        (["selfcheck", "--mutant", "stale_badge"], "mutant 'stale_badge' can't be tried at tier t0, only in a browser"),
        (["selfcheck", "--seeds", "-1"], "-1"),
        (["list", "things"], "'things' is not one of"),
    ],
)
def test_bad_input_is_one_line_exit_3_and_writes_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = harness(tmp_path, *arguments)

    assert done.returncode == 3
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_serve_help_tells_its_own_option_and_the_servers(tmp_path: Path) -> None:
    done = harness(tmp_path, "serve", "--help")

    assert done.returncode == 0
    assert "--mutant NAME" in done.stdout
    assert "ZEROSTATE_TASK_MS" in done.stdout
    assert done.stdout.index("--mutant") < done.stdout.index("--task-ms")


def test_a_gate_without_a_record_says_who_speaks(tmp_path: Path) -> None:
    assert harness(tmp_path, "gate", "none").stderr.startswith("harness: no run record at 'none'")


def test_the_version_is_told(tmp_path: Path) -> None:
    done = harness(tmp_path, "--version")

    assert (done.returncode, done.stdout.split()[0]) == (0, "zerostate-harness")


@pytest.mark.parametrize("what", ["clauses", "scenarios", "faults", "mutants", "profiles"])
def test_what_there_is_can_be_listed(tmp_path: Path, what: str) -> None:
    done = harness(tmp_path, "list", what)

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) >= 1


def test_no_runs_are_an_empty_list(tmp_path: Path) -> None:
    done = harness(tmp_path, "list", "runs")

    assert (done.returncode, done.stdout) == (0, "")


def test_a_port_in_use_is_one_line_and_exit_3(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = harness(tmp_path, "serve", "--port", port, "--db", ":memory:")

    assert done.returncode == 3
    assert port in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_simulate_finds_a_mutant_and_its_script_replays(tmp_path: Path) -> None:
    done = harness(tmp_path, "simulate", "--mutant", "leaks_to_another_user", "--seeds", "1")
    assert done.returncode == 1
    assert "violated RT-ISOLATION-1" in done.stdout

    (script, *_) = (tmp_path / ".runs" / "scripts").glob("rt-isolation-1-*.json")
    again = harness(tmp_path, "replay", str(script))
    assert again.returncode == 1
    assert "violated RT-ISOLATION-1" in again.stdout


def test_simulate_tells_what_it_did_and_that_nothing_is_violated(tmp_path: Path) -> None:
    done = harness(tmp_path, "simulate", "--seeds", "2", "two_people_two_tabs")

    assert done.returncode == 0
    assert done.stdout.startswith("1 scenario under 2 seeds from 0: 2 histories, ")
    assert done.stdout.splitlines()[-1] == "nothing is violated in any of them"


def saved(folder: Path, clause: str = "RT-ISOLATION-1", mutant: str = "") -> str:
    """Return the path of a script of a scenario that an honest server passes."""
    script = Script(scenario=SCENARIOS[0], seed=1, clause=clause, mutant=mutant)
    path = folder / "script.json"
    path.write_bytes(encode_script(script))
    return str(path)


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        ({}, ["--tier", "t2", "--target", "http://127.0.0.1:9"], "is it running?"),
        ({}, ["--tier", "t2", "--target", "nonsense"], "is neither a URL nor a file"),
        ({"mutant": "of another version"}, [], "unknown mutant 'of another version'"),
    ],
)
def test_a_replay_that_can_not_begin_is_one_line_and_exit_3(
    tmp_path: Path, changes: dict[str, str], arguments: list[str], said: str
) -> None:
    done = harness(tmp_path, "replay", saved(tmp_path, **changes), *arguments)

    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_replay_that_did_not_exercise_its_clause_is_not_green(tmp_path: Path) -> None:
    done = harness(tmp_path, "replay", saved(tmp_path, clause="REST-LOGIN-1"))

    assert done.returncode == 2
    assert "unknown REST-LOGIN-1" in done.stdout


def test_a_replay_that_saw_its_clause_hold_is_green(tmp_path: Path) -> None:
    done = harness(tmp_path, "replay", saved(tmp_path))

    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing is violated; the script was saved for RT-ISOLATION-1" in done.stdout


@pytest.mark.parametrize(("raised", "code"), [(RuntimeError("two\nlines"), 3), (KeyboardInterrupt(), 2)])
def test_a_defect_of_ours_is_one_line_and_never_a_violation(
    raised: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr("harness.mutants.selfcheck.selfcheck", broken)
    with pytest.raises(SystemExit) as ended:
        main(["selfcheck"])

    assert ended.value.code == code
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
