"""The menu of checks: `nox -l` lists it, `./dev test` runs it, `nox -s NAME -- ARGS` passes ARGS on.

Every session runs in the one locked environment, the interpreter that runs nox, and installs nothing.
"""

import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = True

BIN = Path(sys.executable).parent
BENCH_END_S_MAX = 60.0


def python_module(session: nox.Session, name: str, *arguments: str) -> None:
    """Run a module under the interpreter that runs nox, whatever PATH says."""
    session.run(sys.executable, "-m", name, *arguments)


def harness(session: nox.Session, *arguments: str) -> None:
    """Run the project's own command line, as a user would."""
    session.run(str(BIN / "harness"), *arguments)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff."""
    python_module(session, "ruff", "check", *session.posargs)
    python_module(session, "ruff", "format", "--check", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy --strict, tests too."""
    python_module(session, "mypy", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test that needs neither browser, container nor many examples."""
    chosen = "not browser and not containers and not property"
    # Most of them wait for a server of their own: one process a core halves the time.
    shared = ("--numprocesses", "auto", "--maxprocesses", "8")
    python_module(session, "pytest", "-m", chosen, *shared, *session.posargs)


@nox.session(default=False)
def property(session: nox.Session) -> None:  # noqa: A001 - the name is the menu's
    """Run the Hypothesis state machines; `-- --hypothesis-seed=N` repeats a run."""
    python_module(session, "pytest", "-m", "property", *session.posargs)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzz a server by its own OpenAPI document with Schemathesis; `-- --seconds 30 --seed N` says how."""
    python_module(session, "harness.fuzzing", *session.posargs)


@nox.session(default=False)
def simulate(session: nox.Session) -> None:
    """Run the scenarios on virtual time over fifty seeds."""
    harness(session, "simulate", *(session.posargs or ["--seeds", "50"]))


@nox.session(default=False)
def selfcheck(session: nox.Session) -> None:
    """Run the mutants on virtual time: each must be killed by its checker."""
    harness(session, "selfcheck", *(session.posargs or ["--tier", "t0", "--out", "build/kill-matrix"]))


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """Drive the pages in Chromium."""
    python_module(session, "pytest", "-m", "browser", *session.posargs)


@nox.session(default=False)
def load(session: nox.Session) -> None:
    """Put a short load on the reference server."""
    harness(session, "load", *(session.posargs or ["hello", "--users", "50", "--duration", "10s"]))


@nox.session(default=False)
def containers(session: nox.Session) -> None:
    """Run what needs a container engine (image, Redis, S3 peer are to come); a skip is counted."""
    python_module(session, "pytest", "-m", "containers", "-rs", *session.posargs)


@nox.session(default=False)
def verify(session: nox.Session) -> None:
    """Prove the reference server clause by clause and write the report."""
    harness(session, "verify", *session.posargs)


@nox.session(default=False)
def report(session: nox.Session) -> None:
    """Write the HTML report of the newest run again."""
    harness(session, "report", *(session.posargs or [".runs/latest"]))


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure the reference server on one core against its bars; asserts nothing."""
    # On Ctrl-C it ends its servers and prints what it has found: nox would kill it after half a second.
    session.run(sys.executable, "-m", "harness.bench", *session.posargs, interrupt_timeout=BENCH_END_S_MAX)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Renew requirements.lock from pyproject.toml; the one session that asks the network."""
    python_module(
        session,
        *("uv", "pip", "compile", "pyproject.toml", "--output-file", "requirements.lock", "--quiet"),
        *("--universal", "--python-version", "3.11", "--all-extras", "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links", "--no-header", *session.posargs),
    )
