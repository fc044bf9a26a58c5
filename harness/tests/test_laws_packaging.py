"""The wheel: two names at top level, every file a run needs, and at peace with a user's own folders.

The wheel is installed into an environment of its own, without the network: third parties are lent by a `.pth`
line, which does not process the `.pth` of this checkout, so nothing of ours can slip in from here.
"""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

from harness.tests.source_tree import PACKAGES, PROJECT_ROOT
from harness.tests.test_laws_docs import project_files

TOP_LEVEL = ("harness", "reference_server")
BUNDLED = PurePosixPath("harness/_bundled")
OWN_FOLDERS = ("reports", "e2e", "scenarios", "loadtests")
COMMAND_S_MAX = 60


def wheel_paths(files: Sequence[Path]) -> set[str]:
    """Give where each file of the project belongs in the wheel; tests stay at home."""
    shipped = [PurePosixPath(path) for path in files if path.parts[0] in PACKAGES and "tests" not in path.parts]
    return {str(path if path.parts[0] in TOP_LEVEL else BUNDLED / path) for path in shipped}


def offences_of_wheel(names: Sequence[str], expected: set[str]) -> Iterator[str]:
    for name in names:
        top = name.split("/")[0]
        if top not in TOP_LEVEL and not top.endswith(".dist-info"):
            yield f"{name}: at top level the wheel shows {' and '.join(TOP_LEVEL)} only"
    for name in sorted(expected - set(names)):
        yield f"{name}: missing from the wheel"
    for name in names:
        if "tests" in name.split("/"):
            yield f"{name}: tests do not belong into the wheel"


@dataclass(frozen=True, slots=True)
class Installed:
    """A user's repository, and an environment in which the wheel is installed."""

    repository: Path
    environment: Path

    def run(self, command: str, *arguments: str) -> str:
        """Run a command of the environment in the repository; give its output, raise on failure."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [self.environment / "bin" / command, *arguments],
            cwd=self.repository,
            env={**clean, "VIRTUAL_ENV": str(self.environment)},
            capture_output=True,
            text=True,
            timeout=COMMAND_S_MAX,
            check=False,
        )
        assert done.returncode == 0, f"{command} {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PROJECT_ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    home = tmp_path_factory.mktemp("user")
    venv.create(home / "environment", with_pip=False, symlinks=True)
    python = home / "environment" / "bin" / "python"
    _python("-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    (site,) = (home / "environment" / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", encoding="utf-8")
    for name in OWN_FOLDERS:
        own = home / "repository" / name / "__init__.py"
        own.parent.mkdir(parents=True)
        own.write_text(f'"""The user\'s own {name}."""\nOWNER = "user"\n', encoding="utf-8")
    return Installed(home / "repository", home / "environment")


def _python(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=COMMAND_S_MAX, check=False
    )
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"


@pytest.mark.slow
def test_the_wheel_shows_two_names_and_holds_every_file_a_run_needs(wheel: Path) -> None:
    expected = wheel_paths(project_files(PROJECT_ROOT))
    names = zipfile.ZipFile(wheel).namelist()

    assert {f"{BUNDLED}/{name}/__init__.py" for name in OWN_FOLDERS} <= expected
    assert list(offences_of_wheel(names, expected)) == []


@pytest.mark.slow
def test_the_wheel_brings_the_command_and_nothing_of_this_checkout(installed: Installed) -> None:
    where = installed.run("python", "-c", "import harness, reference_server; print(harness.__file__)")

    assert Path(where.strip()).is_relative_to(installed.environment)
    assert "verify" in installed.run("harness", "--help")


@pytest.mark.slow
@pytest.mark.parametrize("listed", ["clauses", "scenarios"])
def test_the_command_lists_what_there_is_beside_a_users_own_folders(installed: Installed, listed: str) -> None:
    assert installed.run("harness", "list", listed).strip()


@pytest.mark.slow
def test_a_users_own_folders_stay_theirs_under_pytest(installed: Installed) -> None:
    lines = [f"import {name}\nassert {name}.OWNER == 'user'" for name in OWN_FOLDERS]
    text = "\n".join(["def test_mine():", *("    " + line for line in "\n".join(lines).splitlines())])
    (installed.repository / "test_mine.py").write_text(text + "\n", encoding="utf-8")

    assert "1 passed" in installed.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py")


def test_a_third_name_at_top_level_is_named() -> None:
    found = list(offences_of_wheel(["harness/cli.py", "reports/page.py", "x-1.dist-info/METADATA"], set()))

    assert found == ["reports/page.py: at top level the wheel shows harness and reference_server only"]


def test_a_file_missing_from_the_wheel_is_named() -> None:
    files = [Path("reports/templates/page.html"), Path("harness/cli.py"), Path("harness/tests/test_cli.py")]

    found = list(offences_of_wheel(["harness/cli.py"], wheel_paths([*files, Path("README.md")])))
    assert found == ["harness/_bundled/reports/templates/page.html: missing from the wheel"]


def test_a_test_in_the_wheel_is_named() -> None:
    found = list(offences_of_wheel(["harness/tests/test_cli.py"], set()))

    assert found == ["harness/tests/test_cli.py: tests do not belong into the wheel"]
