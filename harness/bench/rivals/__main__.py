"""`python -m harness.bench.rivals NAME`: serve as this rival until ended, or say what it lacks."""

import gc
import importlib

import click

from harness.bench.rivals.catalog import RIVALS

GC_THRESHOLD = 50_000


@click.command()
@click.argument("name", type=click.Choice(sorted(RIVALS)))
def main(name: str) -> None:
    """Serve as one of the rivals."""
    try:
        module = importlib.import_module(RIVALS[name].module)
    except ImportError as fault:
        click.echo(f"missing {fault.name or name} is not installed; the extra 'bench' has it")
        return
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    module.serve()


if __name__ == "__main__":
    main()
