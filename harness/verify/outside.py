"""The parts that run in processes of their own: the pages in a browser, and load through Locust.

Both write into the run's record; their exit codes are mapped to ours. A child gets the folders of this installation
first, whether they lie in a checkout or in the wheel.
"""

import difflib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from harness.targets.profiles import Profile
from harness.verify.options import Options, UsageError

BROWSER_S_MAX: Final = 240.0
STOP_S_MAX: Final = 15.0
LOAD_TRIES_MAX: Final = 2
PYTEST_OK: Final = 0
PYTEST_TESTS_FAILED: Final = 1
PYTEST_NONE_RAN: Final = 5
LOG_LINES_TOLD: Final = 4
LOOK_S: Final = 0.5
WORD_CHARS_MIN: Final = 4
LOAD: Final = {"smoke": (20, 6.0), "standard": (30, 8.0), "thorough": (200, 60.0)}
"""Users and seconds of the short load, by depth."""


class OutsideError(Exception):
    """A part in a process of its own could not do its work; the sentence says which and where its log is."""


class Choice(Struct, frozen=True):
    """What the tests that a word chooses exercise, and the names of all tests there are."""

    clauses: tuple[str, ...]
    names: tuple[str, ...]


class Browser:
    """The browser tests as a child: started, waited for, and ended on every way out."""

    def __init__(self, run_dir: Path, options: Options, seed: int) -> None:
        self._log = run_dir.resolve() / "logs" / "browser.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as out:
            self._child = subprocess.Popen(
                _pytest_command(run_dir, options.profile, seed, "-v"),
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # Not the user's folder: it may hold an `e2e` of its own.
                cwd=run_dir,
            )

    def wait(self, step: Callable[[str], None] = lambda _: None) -> str:
        """Wait for the end; return a note when steps could not be done, raise OutsideError when it crashed.

        `step` hears which test is at work.
        """
        until = time.monotonic() + BROWSER_S_MAX
        while (code := self._code()) is None:
            if time.monotonic() > until:
                self.end()
                raise OutsideError(f"the browser part took over {BROWSER_S_MAX:g} s; see {self._log}")
            step(step_of(self._text()))
        return note_of(code, f"{self._told()}; see {self._log}")

    def _code(self) -> int | None:
        try:
            return self._child.wait(LOOK_S)
        except subprocess.TimeoutExpired:
            return None

    def _text(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

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
        lines = self._text().splitlines()
        return " | ".join(line.strip() for line in lines[-LOG_LINES_TOLD:] if line.strip())


def step_of(log: str) -> str:
    """Return which test is at work and how many there are, as pytest's verbose log tells; nothing before the first."""
    names = _TEST.findall(log)
    counted = _COLLECTED.search(log)
    if not names or counted is None:
        return ""
    return f"{len(names)} of {counted[2] or counted[1]}, {names[-1].replace('_', ' ')}"


_TEST: Final = re.compile(r"^\S+\.py::test_(\w+)", re.MULTILINE)
_COLLECTED: Final = re.compile(r"^(?:collecting \.\.\. )?collected (\d+) items?(?:.* (\d+) selected)?", re.MULTILINE)


def browser_choice(profile: Profile | None, page: str) -> Choice:
    """Ask which browser tests have this word in their name; raises UsageError when none has."""
    with tempfile.TemporaryDirectory(prefix="zsh-choice-") as folder:
        told = Path(folder) / "choice.json"
        words = ("--collect-only", "-q", "-k", page, "--tell-choice", str(told))
        command = _pytest_command(Path(folder), profile, 0, *words)
        done = subprocess.run(
            command, env=child_environment(), cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
        if done.returncode not in (PYTEST_OK, PYTEST_NONE_RAN) or not told.is_file():
            raise UsageError(f"page {page!r} chooses nothing; expected a word of the name of a browser test")
        choice = msgspec.json.decode(told.read_bytes(), type=Choice)
    if done.returncode == PYTEST_NONE_RAN or not choice.clauses:
        raise UsageError(f"no browser test has {page!r} in its name; {_nearest(page, choice.names)}")
    return choice


def _nearest(page: str, names: Iterable[str]) -> str:
    words = sorted({word for name in names for word in name.split("_") if len(word) >= WORD_CHARS_MIN} - {"test"})
    near = difflib.get_close_matches(page, words, 1)
    files = sorted({name.partition("_test_")[0].removeprefix("test_") for name in names})
    return f"did you mean {near[0]!r}?" if near else f"try one of {', '.join(files)}"


def _pytest_command(run_dir: Path, profile: Profile | None, seed: int, *more: str) -> list[str]:
    import e2e

    folder = Path(e2e.__file__).parent
    told = ["--run-record", str(run_dir.resolve()), "--run-seed", str(seed)]
    if profile is None:
        told.append("--target-local")
    else:
        told += ["--target-url", profile.pages_url]
        if "accounts" in profile.capabilities().grants:
            told.append("--allow-accounts")
    # The folder's own tests, not those of its parts; and the user's own pytest settings and plugins are none of ours.
    tests = [str(path) for path in sorted(folder.glob("test_*.py"))]
    alone = ["-c", os.devnull, "--rootdir", str(folder), "-p", "no:cacheprovider", "--import-mode=importlib"]
    return [sys.executable, "-P", "-m", "pytest", *tests, *alone, *told, *more]


def browser_session(run_dir: Path, profile: Profile | None, seed: int, *, headed: bool, page: str) -> str:
    """Run the browser tests in the foreground, into a record; return a note or raise OutsideError, as `wait` does."""
    words = [*(["--headed"] if headed else []), *(["-k", page] if page else [])]
    command = _pytest_command(run_dir, profile, seed, *words)
    code = subprocess.run(command, env=child_environment(), cwd=run_dir, check=False).returncode
    return note_of(code, "its lines stand above")


def note_of(code: int, where: str) -> str:
    """Return what pytest's exit code means for a run: nothing, or a note; raises OutsideError when it crashed.

    A test that failed is no verdict: what it could not do was not exercised, and the record tells what was.
    """
    if code == PYTEST_OK:
        return ""
    if code == PYTEST_TESTS_FAILED:
        return f"some steps in the browser could not be done: {where}"
    if code == PYTEST_NONE_RAN:
        return "no browser test applies to this target"
    raise OutsideError(f"the browser part ended with {code}: {where}")


def child_environment() -> Mapping[str, str]:
    """Return an environment in which a child finds the six folders where we found them."""
    import e2e

    own = str(Path(e2e.__file__).parents[1])
    kept = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys([own, *kept]))}


def short_load(
    url: str,
    run_dir: Path,
    options: Options,
    seed: int,
    connections_max: int,
    step: Callable[[str], None] = lambda _: None,
) -> str:
    """Put a short load on the target; return why its times are void, if they are. Raises OutsideError.

    A machine that was busy for a moment deserves another attempt, unless this one saw messages go astray already.
    """
    from loadtests import runner

    users, seconds = LOAD[options.depth]
    ca = options.profile.ca if options.profile is not None else ""
    code = runner.EXIT_VOID
    for attempt in range(1, LOAD_TRIES_MAX + 1):
        if attempt > 1:
            runner.set_aside(run_dir, attempt - 1)
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
            attempt=attempt,
            step=step,
        )
        if code != runner.EXIT_VOID:
            break
    if code == runner.EXIT_HARNESS_FAILED:
        raise OutsideError(f"the load part could not do its work; see {run_dir / runner.LOCUST_LOG}")
    return load_void(run_dir)


def load_void(run_dir: Path) -> str:
    """Return why the times of a load do not count, or nothing."""
    from loadtests import runner

    summary = runner.read_summary(run_dir)
    if summary is None or not summary.void:
        return ""
    return f"the load does not count, so its budgets are unknown: {summary.void[0]}"


def left_by_load(run_dir: Path) -> list[str]:
    """Return what every attempt at a load left on the target."""
    samples = sorted((run_dir / "samples").glob("*load.json"))
    told = (msgspec.json.decode(path.read_bytes()).get("left_behind", "") for path in samples)
    return [what for what in told if what]
