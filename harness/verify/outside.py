"""The parts that run in processes of their own: the pages in a browser, and load through Locust.

Both write into the run's record; their exit codes are mapped to ours. A child gets the folders of this installation
first, whether they lie in a checkout or in the wheel.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from harness.verify.options import Options

BROWSER_S_MAX: Final = 240.0
STOP_S_MAX: Final = 15.0
LOAD_TRIES_MAX: Final = 2
PYTEST_OK: Final = 0
PYTEST_TESTS_FAILED: Final = 1
PYTEST_NONE_RAN: Final = 5
LOG_LINES_TOLD: Final = 4
LOAD: Final = {"smoke": (20, 6.0), "standard": (30, 8.0), "thorough": (200, 60.0)}
"""Users and seconds of the short load, by depth."""


class OutsideError(Exception):
    """A part in a process of its own could not do its work; the sentence says which and where its log is."""


class Browser:
    """The browser tests as a child: started, waited for, and ended on every way out."""

    def __init__(self, run_dir: Path, options: Options, seed: int) -> None:
        self._log = run_dir.resolve() / "logs" / "browser.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as out:
            self._child = subprocess.Popen(
                _pytest_command(run_dir, options, seed),
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Not the user's folder: it may hold an `e2e` of its own.
                cwd=run_dir,
            )

    def wait(self) -> str:
        """Wait for the end; return a note when steps could not be done, raise OutsideError when it crashed."""
        try:
            code = self._child.wait(BROWSER_S_MAX)
        except subprocess.TimeoutExpired as fault:
            self.end()
            raise OutsideError(f"the browser part took over {BROWSER_S_MAX:g} s; see {self._log}") from fault
        if code == PYTEST_OK:
            return ""
        if code == PYTEST_TESTS_FAILED:
            return f"some steps in the browser could not be done: {self._told()}"
        if code == PYTEST_NONE_RAN:
            return "no browser test applies to this target"
        raise OutsideError(f"the browser part ended with {code}: {self._told()}; see {self._log}")

    def end(self) -> None:
        """End the child and the browser below it."""
        if self._child.poll() is not None:
            return
        # The child leads a session of its own: its browser goes with it.
        os.killpg(self._child.pid, signal.SIGINT)
        try:
            self._child.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def _told(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return " | ".join(line.strip() for line in lines[-LOG_LINES_TOLD:] if line.strip())


def _pytest_command(run_dir: Path, options: Options, seed: int) -> list[str]:
    import e2e

    folder = Path(e2e.__file__).parent
    told = ["--run-record", str(run_dir.resolve()), "--run-seed", str(seed)]
    if options.profile is not None:
        told += ["--target-url", options.profile.pages_url]
    # The user's own pytest settings and plugins are none of ours.
    alone = ["-c", os.devnull, "--rootdir", str(folder), "-p", "no:cacheprovider", "--import-mode=importlib"]
    return [sys.executable, "-P", "-m", "pytest", str(folder), *alone, "-q", *told]


def browser_session(target: str | None, headed: bool, page: str) -> int:
    """Run the browser tests in the foreground, judged by themselves; return our exit code."""
    import e2e

    folder = Path(e2e.__file__).parent
    words = [
        *(["--target-url", target] if target else []),
        *(["--headed"] if headed else []),
        *(["-k", page] if page else []),
    ]
    alone = ["-c", os.devnull, "--rootdir", str(folder), "-p", "no:cacheprovider", "--import-mode=importlib"]
    command = [sys.executable, "-P", "-m", "pytest", str(folder), *alone, *words]
    code = subprocess.run(command, env=child_environment(), check=False).returncode
    return {PYTEST_OK: 0, PYTEST_TESTS_FAILED: 1}.get(code, 3)


def child_environment() -> Mapping[str, str]:
    """Return an environment in which a child finds the six folders where we found them."""
    import e2e

    own = str(Path(e2e.__file__).parents[1])
    kept = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys([own, *kept]))}


def short_load(url: str, run_dir: Path, options: Options, seed: int, connections_max: int) -> str:
    """Put a short load on the target; return why it is void, if it is. Raises OutsideError."""
    from loadtests import runner

    users, seconds = LOAD[options.depth]
    ca = options.profile.ca if options.profile is not None else ""
    code = runner.EXIT_VOID
    for _ in range(LOAD_TRIES_MAX):
        _forget_load(run_dir)
        code = runner.run(
            "hello",
            min(users, connections_max),
            seconds,
            url,
            run_dir,
            seed,
            exclusive=options.local,
            ca=ca,
            quiet=True,
        )
        if code != runner.EXIT_VOID:
            break
    if code == runner.EXIT_HARNESS_FAILED:
        raise OutsideError(f"the load part could not do its work; see {run_dir / runner.LOCUST_LOG}")
    return "the load does not count, so its budgets are unknown; samples/load.json says why" * (
        code == runner.EXIT_VOID
    )


def _forget_load(run_dir: Path) -> None:
    """Remove what an attempt left that does not count: a machine that was busy for a moment deserves another."""
    for folder in ("samples", "history"):
        for path in (run_dir / folder).glob("worker-*"):
            path.unlink()
