"""How a command of ours is told, so that whoever reads the line can type it where they are."""

import shlex
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
DOOR: Final = ("dev", "noxfile.py")
"""What stands beside `harness` in a checkout and nowhere else."""


def command(*words: str) -> str:
    """Return `harness WORD…` quoted for a shell; in a checkout, where `harness` is on no path, through its door."""
    return shlex.join([*program(PROJECT), *words])


def program(project: Path) -> tuple[str, ...]:
    """Return the words that start the command line of the project in this folder."""
    in_checkout = all((project / name).is_file() for name in DOOR)
    return ("./dev", "harness") if in_checkout else ("harness",)
