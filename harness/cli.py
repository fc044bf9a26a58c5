"""The command line: one menu for everything; what a command needs is imported when it is called.

Bad input is one line on stderr and exit code 3, before anything is started or written (design, command line).
"""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import click

EXIT_OK: Final = 0
EXIT_VIOLATED: Final = 1
EXIT_VOID: Final = 2
EXIT_HARNESS_FAILED: Final = 3
RUNS: Final = ".runs"
LISTS: Final = ("clauses", "scenarios", "faults", "mutants", "profiles", "runs")
PASS_ON: Final = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


class BadInputError(click.ClickException):
    """What was asked for can't be done; one line, exit code 3."""

    exit_code = EXIT_HARNESS_FAILED


def find_folders() -> None:
    """Put the folders that the wheel carries inside `harness/_bundled` at the end of the path; in a checkout nothing.

    Here alone: an import of `harness` from somebody's tests must not bring a second `reports` along.
    """
    bundled = Path(__file__).with_name("_bundled")
    if not bundled.is_dir() or str(bundled) in sys.path:
        return
    sys.path.append(str(bundled))
    inherited = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in (inherited, str(bundled)) if part)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command and end with its exit code; click's own codes are mapped to ours."""
    find_folders()
    try:
        code = menu.main(
            args=None if arguments is None else list(arguments), prog_name="harness", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as fault:
        click.echo(fault.format_message())
        code = EXIT_OK
    except click.ClickException as fault:
        print(f"harness: {one_line(fault.format_message())}", file=sys.stderr)
        code = EXIT_HARNESS_FAILED
    except (click.Abort, KeyboardInterrupt):
        print("harness: interrupted", file=sys.stderr)
        code = EXIT_VOID
    except BrokenPipeError:
        # The reader of our output has left (`| head`); the rest is for nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_OK
    except Exception as fault:  # noqa: BLE001 - a defect of ours must not look like a violation, which is what 1 means
        print(f"harness: {one_line(f'{type(fault).__name__}: {fault}')}; this is ours", file=sys.stderr)
        code = EXIT_HARNESS_FAILED
    sys.exit(code if isinstance(code, int) else EXIT_OK)


def one_line(text: str) -> str:
    """Return a sentence without line breaks, lower-case at its start as the house style has it."""
    told = " ".join(text.split()).rstrip(".")
    return told[:1].lower() + told[1:]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="zerostate-harness", message="%(package)s %(version)s")
def menu() -> None:
    """Prove, clause by clause, whether a realtime web system keeps its contract."""


@menu.command(context_settings=PASS_ON, add_help_option=False)
@click.option("--mutant", default="", help="serve this broken server instead (harness list mutants)")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(mutant: str, arguments: tuple[str, ...]) -> None:
    """Start the reference server; options are passed on (serve --help shows them)."""
    module = ["reference_server"]
    if mutant:
        from harness.mutants.catalog import BY_NAME

        module = ["harness.mutants", known_name(mutant, BY_NAME, "mutant")]
    if {"-h", "--help"} & set(arguments):
        print("`harness serve [--mutant NAME] [OPTIONS]` starts the reference server, or one that is broken on purpose")
        print("(`harness list mutants`); OPTIONS are those of the server itself:\n")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", *module, *arguments])


@menu.command()
@click.option("--target", help="URL, or a profile (harness list profiles); left out: the reference server")
@click.option("--depth", default="standard", show_default=True, help="smoke, standard or thorough")
@click.option(
    "--only",
    default="",
    metavar="PART,…",
    help="some of rest, security, socket, rfc6455, scenario, process, load, browser",
)
@click.option("--minutes", type=float, help="act for so long at most")
@click.option("--seed", type=int, help="all chance flows from it; printed when left out")
@click.option("--ca", metavar="FILE", help="roots to trust besides the system's")
@click.option("--known", metavar="FILE", help="accepted violations: known = [{clause, reason, until}]")
@click.option("--mutant", default="", help="verify this broken server instead (harness list mutants)")
@click.option("--fail-fast", is_flag=True, help="stop at the first violation")
@click.option("--quiet", is_flag=True, help="say only how it ended")
@click.option("--out", default=RUNS, show_default=True, help="where run records are kept")
def verify(**given: Any) -> int:
    """Prove a target clause by clause and write the report."""
    from harness.records import RecordError
    from harness.targets.profiles import ProfileError
    from harness.verify.options import UsageError, checked_options
    from harness.verify.run import verify as run

    if given["mutant"]:
        from harness.mutants.catalog import BY_NAME

        known_name(given["mutant"], BY_NAME, "mutant")
    try:
        options = checked_options(**given)
        return run(options)
    except (UsageError, ProfileError, RecordError, OSError) as fault:
        raise BadInputError(str(fault)) from fault


@menu.command()
@click.argument("scenario", nargs=-1)
@click.option("--seeds", default=10, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="the first seed")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1))
@click.option("--mutant", default="", help="simulate this broken server")
@click.option("--out", default=f"{RUNS}/scripts", show_default=True, help="where shrunk scripts go")
def simulate(scenario: tuple[str, ...], seeds: int, seed: int, jobs: int, mutant: str, out: str) -> int:
    """Run scenarios on virtual time under many seeds; shrink what fails."""
    from harness.commands import command
    from harness.mutants.catalog import BY_NAME as MUTANTS
    from harness.simulate import simulate as run
    from loadtests.catalog import SCENARIOS as LOADS
    from scenarios.catalog import BY_NAME, SCENARIOS

    for load in LOADS:
        if load.name in scenario:
            raise BadInputError(f"scenario {load.name!r} is one of load; `{command('load', load.name)}` runs it")
    chosen = [BY_NAME[known_name(name, BY_NAME, "scenario")] for name in scenario] or list(SCENARIOS)
    if mutant:
        known_name(mutant, MUTANTS, "mutant")
    found = run(chosen, seeds, seed, jobs=jobs, mutant=mutant, folder=Path(out))
    drawn = f"{seeds} seeds from {seed}" if seeds > 1 else f"seed {seed}"
    print(
        f"{len(chosen)} scenario{'s' * (len(chosen) > 1)} under {drawn}: {found.histories} histories, "
        f"{found.histories_per_s:.0f} a second, {found.events} events"
    )
    for why, count in found.notes.items():
        print(f"note: {why} ({count} times)")
    for finding in found.findings:
        print(f"violated {finding.clause} in {finding.histories}: {finding.what}")
        print(f"  replay: {command('replay', finding.path)}")
    if not found.findings:
        print("nothing is violated in any of them")
    return EXIT_VIOLATED if found.findings else EXIT_OK


@menu.command()
@click.argument("script")
@click.option("--tier", default="t0", show_default=True, type=click.Choice(["t0", "t2"]))
@click.option("--target", help="URL or profile for t2; left out: the reference server, or the script's mutant")
def replay(script: str, tier: str, target: str | None) -> int:
    """Run a saved script again."""
    from harness.judge import HarnessError
    from harness.targets.local import ServerDownError
    from harness.verify.health import TargetDownError
    from harness.verify.replaying import read_script, replayed

    try:
        saved = read_script(Path(script))
        if saved.mutant:
            from harness.mutants.catalog import BY_NAME

            known_name(saved.mutant, BY_NAME, "mutant")
        code, lines = replayed(saved, tier, target)
    except (ValueError, HarnessError, ServerDownError, TargetDownError) as fault:
        raise BadInputError(str(fault)) from fault
    print("\n".join(lines))
    return code


@menu.command()
@click.option("--tier", default="t0", show_default=True, type=click.Choice(["t0", "t2"]))
@click.option("--mutant", default="", help="only this one")
@click.option("--seeds", type=click.IntRange(1), help="at most so many seeds a mutant; left out: what it may take")
@click.option("--out", type=click.Path(file_okay=False), help="a folder for the kill matrix, as JSON and Markdown")
def selfcheck(tier: str, mutant: str, seeds: int | None, out: str | None) -> int:
    """Prove the checkers with servers broken on purpose."""
    from harness.mutants.catalog import BY_NAME
    from harness.mutants.selfcheck import SEEDS_MAX, elsewhere
    from harness.mutants.selfcheck import selfcheck as run
    from harness.verify.listing import killed

    if mutant and (where := elsewhere(BY_NAME[known_name(mutant, BY_NAME, "mutant")], tier)):
        raise BadInputError(f"mutant {mutant!r} can't be tried at tier {tier}, {where}")
    matrix = run(seeds=seeds or SEEDS_MAX, only=mutant, tier=tier, progress=print, out=Path(out) if out else None)
    for line in killed(matrix):
        print(line)
    if matrix.void:
        return EXIT_VOID
    return EXIT_VIOLATED if matrix.red else EXIT_OK


@menu.command()
@click.argument("scenario", default="hello")
@click.option("--users", default=50, show_default=True, type=click.IntRange(1))
@click.option("--duration", default="10s", show_default=True, help="seconds, or 10s, 2m")
@click.option("--target", help="URL; left out: the reference server")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--out", default=RUNS, show_default=True, help="where run records are kept")
def load(scenario: str, users: int, duration: str, target: str | None, seed: int, out: str) -> int:
    """Put load on a target with Locust and judge the budgets."""
    from harness.verify.health import TargetDownError
    from harness.verify.loading import load as run

    try:
        return run(scenario, users, seconds_of(duration), target, seed, Path(out))
    except (ValueError, OSError, TargetDownError) as fault:
        raise BadInputError(str(fault)) from fault


@menu.command()
@click.option("--target", help="URL, or a profile; left out: a reference server of the tests' own")
@click.option("--headed", is_flag=True, help="show the browser")
@click.option("--page", default="", help="only tests whose name has this word, and what they exercise")
@click.option("--seed", type=click.IntRange(0), help="who the people are; drawn when left out")
@click.option("--out", default=RUNS, show_default=True, help="where run records are kept")
def e2e(target: str | None, headed: bool, page: str, seed: int | None, out: str) -> int:
    """Drive the pages in a browser."""
    from harness.verify.browsing import browse
    from harness.verify.health import TargetDownError
    from harness.verify.outside import OutsideError

    try:
        return browse(target, headed, page, Path(out), seed)
    except (ValueError, OSError, TargetDownError, OutsideError) as fault:
        raise BadInputError(str(fault)) from fault


@menu.command()
@click.argument("run", nargs=-1, required=True)
@click.option("--rejudge", is_flag=True, help="judge the history again before writing")
def report(run: tuple[str, ...], rejudge: bool) -> int:
    """Write the HTML report of runs again."""
    from harness.judge import HarnessError
    from harness.records import RecordError, read_record
    from harness.verify.basis import judged_again
    from harness.verify.run import reports_of

    for name in run:
        try:
            if rejudge:
                judged_again(read_record(Path(name)))
            print(reports_of(Path(name))[0])
        except (RecordError, HarnessError, ValueError, OSError) as fault:
            raise BadInputError(str(fault)) from fault
    return EXIT_OK


@menu.command()
@click.argument("run", default=f"{RUNS}/latest")
def gate(run: str) -> int:
    """Say whether a run passes; the exit code is the answer."""
    from reports.gate import gate as judge_run

    code, lines = judge_run(Path(run))
    if code == EXIT_HARNESS_FAILED:
        raise BadInputError(" ".join(lines))
    print("\n".join(lines))
    return code


@menu.command(name="list")
@click.argument("what", type=click.Choice(LISTS))
def list_(what: str) -> None:
    """List what there is: clauses, scenarios, faults, mutants, profiles, runs."""
    from harness.verify import listing

    for line in listing.LISTED[what]():
        print(line)


def known_name(name: str, known: Any, kind: str) -> str:
    """Return the name if there is such a thing; else one line with the nearest."""
    if name in known:
        return name
    import difflib

    near = difflib.get_close_matches(name, list(known), 1)
    advice = f"did you mean {near[0]!r}?" if near else f"`harness list {kind}s` shows them"
    raise BadInputError(f"unknown {kind} {name!r}; {advice}")


def seconds_of(duration: str) -> float:
    """Return the seconds that `10`, `10s` or `2m` say; raises BadInputError."""
    units: dict[str, float] = {"s": 1.0, "m": 60.0}
    unit = units.get(duration[-1:], 0.0)
    parse: Callable[[str], float] = float
    try:
        seconds = parse(duration[:-1]) * unit if unit else parse(duration)
    except ValueError as fault:
        raise BadInputError(f"duration {duration!r}, expected seconds such as 10s, or 2m") from fault
    if not 0 < seconds < float("inf"):
        raise BadInputError(f"duration {duration!r}, expected more than 0 seconds")
    return seconds


if __name__ == "__main__":
    main()
