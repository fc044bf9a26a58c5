"""`python -m harness.bench`: measure, print the table, write `build/bench.json`.

Exit code 0 whatever was found, 2 when it was interrupted (what was found by then is kept), 3 for a wrong option.
"""

import math
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from harness.bench.machine import calibration_ms, commit, cores, file_limit, machine
from harness.bench.measures import MEASURES
from harness.bench.menu import FILES, listed
from harness.bench.report import ONE_CORE, Circumstances, Noise, Report, prepare, table, write
from harness.bench.runner import interruptible, measured
from harness.bench.setting import Setting

FINE, STOPPED, UNABLE = 0, 2, 3
SECONDS: Final = 5.0
SECONDS_MIN: Final = 0.1
SECONDS_MAX: Final = 600.0

EPILOG: Final = f"""\b
Measures (--only), and about how long each takes with --seconds {SECONDS:g}:
{listed(list(MEASURES), SECONDS)}

Needs Linux for what measures sockets, two quiet cores (one for the server, the rest for the load: with one alone no
bar is decided), `ulimit -n` {FILES:,} (a measure with fewer says what it lacks), and the extra `bench` for picows.

Exit code 0 whatever is missed, 2 when interrupted (Ctrl-C, SIGTERM, SIGHUP; what was found is printed and written), 3
when an option is wrong.
"""


def _seconds(_context: click.Context, _parameter: click.Parameter, value: float) -> float:
    if not (math.isfinite(value) and SECONDS_MIN <= value <= SECONDS_MAX):
        raise click.BadParameter(f"{value:g} is not in {SECONDS_MIN:g} to {SECONDS_MAX:g}")
    return value


def _out(_context: click.Context, _parameter: click.Parameter, value: Path) -> Path:
    try:
        prepare(value)
    except OSError as fault:
        raise click.BadParameter(f"{value} can't be written: {fault.strerror or fault}") from None
    return value


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--only", type=click.Choice(list(MEASURES)), multiple=True, metavar="NAME", help="Measure this; may be repeated."
)
@click.option(
    "--seconds",
    type=float,
    default=SECONDS,
    show_default=True,
    callback=_seconds,
    help="How long each figure counts. Beside rivals it is cut in 5 rounds of at least 1 s for each server (5 servers "
    "in fan_out: five times as long); latencies count 5 s at least, hostile as long as each kind needs, held a minute.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/bench.json"),
    show_default=True,
    callback=_out,
    help="Where the figures go as JSON, with bars, verdicts, machine and commit; looked at before all else.",
)
def command(only: tuple[str, ...], seconds: float, out: Path) -> int:
    """Measure the reference server on one core against its bars; progress goes to stderr, the table to stdout."""
    file_limit()
    setting = Setting(seconds, *cores())
    if setting.shared:
        _tell(f"{ONE_CORE}: no bar will be decided; two quiet cores are needed")
    with interruptible():
        before_ms = calibration_ms(setting.server_cores)
        figures, complete = measured([name for name in MEASURES if name in (only or MEASURES)], setting, _tell)
        noise = Noise(before_ms, calibration_ms(setting.server_cores))
        report = Report(figures, noise, machine(), _circumstances(setting), complete)
        click.echo(table(report))
        write(report, out)
    return FINE if complete else STOPPED


def _circumstances(setting: Setting) -> Circumstances:
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return Circumstances(date, commit(), setting.seconds, sorted(setting.server_cores), sorted(setting.load_cores))


def _tell(text: str) -> None:
    click.echo(text, err=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code. What is wrong with an option is told in one line."""
    given = None if arguments is None else list(arguments)
    try:
        code = command.main(given, prog_name="python -m harness.bench", standalone_mode=False)
    except click.ClickException as fault:
        _tell(f"harness.bench: {' '.join(fault.format_message().split())}")
        return UNABLE
    except click.Abort:
        return STOPPED
    except OSError as fault:
        _tell(f"harness.bench: the figures could not be written: {fault}")
        return UNABLE
    return code if isinstance(code, int) else FINE


if __name__ == "__main__":
    sys.exit(main())
