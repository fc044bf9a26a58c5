"""`./dev` where something is missing: one clear line, exit code 3, and nothing half-made taken for whole.

Each test has a checkout of its own and a PATH of its own, so what the machine has installed does not matter.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.tests.source_tree import PROJECT_ROOT

UNABLE = 3
TOOLS = (
    "bash",
    "cat",
    "cksum",
    "dirname",
    "find",
    "grep",
    "mktemp",
    "mv",
    "readlink",
    "rm",
    "sleep",
    "tr",
    "wc",
)
NOBODY = "#!/bin/sh\necho 1000\n"
PYTHON = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
PYTHON_WITHOUT_VENV = f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"\n'
PYTHON_TOO_OLD = "#!/bin/sh\nexit 1\n"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with `./dev` and what it reads, and a folder that is all of its PATH."""

    root: Path
    commands: Path

    def add(self, name: str, text: str) -> None:
        command = self.commands / name
        command.write_text(text, encoding="utf-8")
        command.chmod(0o755)

    def dev(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
        return subprocess.run(
            [self.root / "dev", *arguments],
            cwd=self.commands,
            env={"PATH": str(self.commands), "TMPDIR": str(self.commands), **offline, **variables},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "a checkout", tmp_path / "commands")
    made.root.mkdir()
    made.commands.mkdir()
    for name in ("dev", "requirements.lock", "pyproject.toml", "noxfile.py"):
        shutil.copy(PROJECT_ROOT / name, made.root / name)
    for name in TOOLS:
        (made.commands / name).symlink_to(shutil.which(name) or f"{name}-is-missing")
    made.add("id", NOBODY)
    return made


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    """Give the one line a command failed with."""
    assert done.returncode == UNABLE, done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_an_unknown_command_names_the_known_ones(checkout: Checkout) -> None:
    assert only_line(checkout.dev("tset")) == ("dev: unknown command 'tset'; expected verify, test, harness or setup")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("setup", "bogus"), "dev: setup takes no arguments, got 'bogus'"),
        (("test", "nope"), "dev: unknown session 'nope'; expected some of lint types tests"),
        (("test", "lint", "nope", "--", "-x"), "dev: unknown session 'nope'; expected some of lint types tests"),
    ],
)
def test_wrong_words_are_one_line_before_any_set_up(checkout: Checkout, words: tuple[str, ...], said: str) -> None:
    assert only_line(checkout.dev(*words)).startswith(said)


def test_what_is_passed_on_to_a_session_is_none_of_ours(checkout: Checkout) -> None:
    # There is no Python: the words were accepted.
    assert "no Python" in only_line(checkout.dev("test", "tests", "--", "nope"))


def test_the_version_needs_no_set_up(checkout: Checkout) -> None:
    done = checkout.dev("--version")

    assert (done.returncode, done.stdout.split()[0]) == (0, "zerostate-harness")
    assert done.stdout.split()[1] in (PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_help_needs_no_set_up(checkout: Checkout) -> None:
    done = checkout.dev("--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert "./dev verify" in done.stdout


def test_without_python_one_line_says_what_to_install(checkout: Checkout) -> None:
    assert "no Python 3.11 or newer found" in only_line(checkout.dev("setup"))


def test_an_older_python_is_passed_over(checkout: Checkout) -> None:
    checkout.add("python3", PYTHON_TOO_OLD)

    assert "no Python 3.11 or newer found" in only_line(checkout.dev("setup"))


def test_without_the_venv_module_one_line_names_the_package(checkout: Checkout) -> None:
    checkout.add("python3", PYTHON_WITHOUT_VENV)

    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    assert f"sudo apt-get install {package}" in only_line(checkout.dev("setup"))


def test_a_browser_that_cannot_be_run_is_named(checkout: Checkout) -> None:
    checkout.add("python3", PYTHON)

    line = only_line(checkout.dev("setup", HARNESS_BROWSER="/nowhere/chromium"))
    assert "HARNESS_BROWSER names '/nowhere/chromium'" in line


@pytest.mark.slow
def test_a_set_up_that_failed_is_made_again(checkout: Checkout) -> None:
    checkout.add("python3", PYTHON)

    first, second = checkout.dev("setup"), checkout.dev("setup")
    assert first.returncode == second.returncode == UNABLE
    assert first.stderr.splitlines()[-1].startswith("dev: could not install the locked packages")
    assert "removing an environment that was left half made" in second.stderr
