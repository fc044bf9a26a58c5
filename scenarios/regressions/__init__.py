"""Scripts of every bug fixed: what once failed, made small, and replayed by a test from then on.

Here live `<clause>-<what>.json` files as `harness simulate` saves them under `scripts/`. The folder only grows.

Never here: a script of a mutant (its violation is wanted) or one that was written by hand.

To add one, copy the saved script here in the commit that mends the bug. To run one by itself:
`harness replay scenarios/regressions/NAME.json`; a test replays them all.
"""

from pathlib import Path
from typing import Final

from scenarios.model import Script, decode_script

FOLDER: Final = Path(__file__).parent


def saved_scripts(folder: Path = FOLDER) -> dict[str, Script]:
    """Return every saved script by its file's name, in order; raises msgspec errors for one that is no script."""
    return {path.stem: decode_script(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
