"""`python -m harness.fuzzing`: fuzz a reference server of its own and say what came of it.

Exit codes as everywhere (design): 3 could not be done, 2 stopped, 1 something is wrong, 0 nothing found.
"""

import argparse
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from harness.fuzzing.outcome import Outcome

SECONDS_DEFAULT: Final = 150
SEED_BITS: Final = 32
UNABLE, STOPPED, WRONG, FINE = 3, 2, 1, 0
INTERRUPTED: Final = 130
"""Schemathesis's code for a run that was stopped."""

PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz once; return the exit code."""
    given = _parser().parse_args(arguments)
    seed: int = secrets.randbits(SEED_BITS) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    try:
        import schemathesis  # noqa: F401
    except ImportError:
        print("harness.fuzzing: Schemathesis is not installed; install the extra dev", file=sys.stderr)
        return UNABLE
    from harness.targets.local import ServerDownError

    try:
        return _fuzz(seed, given)
    except ServerDownError as fault:
        print(f"harness.fuzzing: {fault}", file=sys.stderr)
        return UNABLE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line; a wrong word is no finding, which 1 and 2 would mean."""
        self.exit(UNABLE, f"harness.fuzzing: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m harness.fuzzing", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, help="the number that everything is drawn from (default: a new one)")
    parser.add_argument("--seconds", type=int, default=SECONDS_DEFAULT, help="how long (default: %(default)s)")
    parser.add_argument("--examples", type=int, default=None, help="at most so many cases an operation and phase")
    parser.add_argument("--phases", default=",".join(PHASES), help="by comma (default: %(default)s)")
    parser.add_argument("--operation", help="only this one")
    parser.add_argument("--log", type=Path, help="keep the server's log there")
    return parser


def _fuzz(seed: int, given: argparse.Namespace) -> int:
    from harness.fuzzing.hooks import register
    from harness.fuzzing.outcome import REACHED_SHARE_MIN, Outcome
    from harness.fuzzing.session import fuzzed_server

    outcome = Outcome()
    with fuzzed_server(given.log) as session:
        register(outcome, session.known)
        code = _run(_configuration(session.accounts), session.accounts.parent, _options(session.url, seed, given))
    for line in (*_helped_along(outcome), "", "answers", *outcome.table(), "", outcome.verdict()):
        print(line)
    if code not in (FINE, WRONG):
        return STOPPED if code == INTERRUPTED else UNABLE
    partial = given.operation is not None or given.phases != ",".join(PHASES)
    return WRONG if code == WRONG or (not partial and outcome.reached_share < REACHED_SHARE_MIN) else FINE


def _run(configuration: str, folder: Path, options: Sequence[str]) -> int:
    """Run Schemathesis in this process, so that its hooks are ours; return its exit code."""
    from schemathesis.cli import schemathesis

    file = folder / "schemathesis.toml"
    file.write_text(configuration, encoding="utf-8")
    try:
        schemathesis.main(["--config-file", str(file), *options], prog_name="schemathesis")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else UNABLE


def _configuration(accounts: Path) -> str:
    """Return what Schemathesis is told beside its options: who calls, and who must not see it."""
    from harness.fuzzing.session import ADMIN, PEER

    lines = (
        # What an earlier run found would be played again: a run hangs on its seed alone.
        "[cache]",
        "enabled = false",
        "[auth.wfc]",
        f'path = "{accounts.as_posix()}"',
        f'user = "{ADMIN}"',
        f'peers = ["{ADMIN}", "{PEER}"]',
    )
    return "\n".join(lines) + "\n"


def _options(url: str, seed: int, given: argparse.Namespace) -> list[str]:
    options = ["run", f"{url}/openapi.json", "--checks", "all", "--phases", given.phases, "--seed", str(seed)]
    options += ["--max-time", str(given.seconds), "--continue-on-failure", "--generation-database", "none"]
    options += ["--max-examples", str(given.examples)] if given.examples is not None else []
    return options + (["--include-operation-id", given.operation] if given.operation is not None else [])


def _helped_along(outcome: "Outcome") -> Iterator[str]:
    """Give every place where generated data or a check was helped along: how often, and why."""
    from harness.fuzzing.rules import CONTENTS, HANDSHAKE, HANDSHAKE_REASON, LOANS, PROMISES, RULES

    reasons = {rule.name: rule.reason for rule in RULES}
    reasons |= {field: content.reason for field, content in CONTENTS.items()} | {HANDSHAKE: HANDSHAKE_REASON}
    yield "mended, since JSON Schema can't say it"
    yield from (f"  {outcome.mended[name]:>5}  {name}: {reason}" for name, reason in reasons.items())
    yield "lent what exists or suffices, since nothing drawn does"
    yield from (f"  {outcome.mended[loan.reason]:>5}  {', '.join(loan.operations)}: {loan.reason}" for loan in LOANS)
    yield "no findings: what the contract promises, proved by each answer"
    for promise in PROMISES:
        where = f"{promise.check} of {', '.join(promise.operations)}"
        yield f"  {outcome.promised[promise.reason]:>5}  {where}: {promise.reason}"


if __name__ == "__main__":
    sys.exit(main())
