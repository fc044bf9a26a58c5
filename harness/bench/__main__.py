"""`python -m harness.bench`: measure, print the table, write `build/bench.json`; exit code 0 whatever was found."""

from collections.abc import Iterator
from pathlib import Path

import click
from msgspec.structs import replace

from harness.bench.bars import Figure
from harness.bench.machine import calibration_ms, cores, file_limit, machine
from harness.bench.measures import MEASURES, Measure
from harness.bench.report import Noise, Report, table, write
from harness.bench.setting import Setting


@click.command()
@click.option("--only", type=click.Choice(list(MEASURES)), multiple=True, help="Measure only this; may be repeated.")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="How long each counts.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/bench.json"), show_default=True)
def main(only: tuple[str, ...], seconds: float, out: Path) -> None:
    """Measure the reference server on one core against its bars."""
    file_limit()
    server_cores, load_cores = cores()
    setting = Setting(seconds, server_cores, load_cores)
    before_ms = calibration_ms(server_cores)
    chosen = [measure for name, measure in MEASURES.items() if name in (only or MEASURES)]
    figures = [figure for measure in chosen for figure in _calibrated(measure, setting)]
    report = Report(figures, Noise(before_ms, calibration_ms(server_cores)), machine())
    click.echo(table(report))
    write(report, out)


def _calibrated(measure: Measure, setting: Setting) -> Iterator[Figure]:
    """Give what a measure finds, each figure beside how slow the machine was before and after."""
    before_ms = calibration_ms(setting.server_cores)
    for figure in measure(setting):
        after_ms = calibration_ms(setting.server_cores)
        yield figure if figure.calibration_ms else replace(figure, calibration_ms=(before_ms + after_ms) / 2)
        before_ms = after_ms


if __name__ == "__main__":
    main()
