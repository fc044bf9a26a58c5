"""`python -m reference_server`: one server process.

Prints `ready http://…` when it accepts. What it can't start with is one line on stderr and exit code 3, with nothing
left behind; SIGTERM or SIGINT end it in order with 0, a second signal at once with 1.
"""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from reference_server.allocator import ENDING, hear_signals, use_malloc

if TYPE_CHECKING:
    from reference_server.app import MakeDriver

UNUSABLE: Final = 3


def main(arguments: Sequence[str] | None = None, make: "MakeDriver | None" = None, pages: Path | None = None) -> int:
    """Serve until told to end; return the exit code. A mutant gives its own `make` and `pages`.

    What is dear to import waits until signals are heard, and help and refused settings don't wait for what serves.
    """
    for number in ENDING:
        signal.signal(number, _end_early)
    hear_signals()
    import logging
    import os

    from reference_server.settings.sources import read_settings
    from reference_server.settings.values import SettingsError

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings = read_settings(sys.argv[1:] if arguments is None else arguments, os.environ)
    except SettingsError as fault:
        return _refused(fault)
    from reference_server.app import PAGES, make_driver
    from reference_server.blobs import BlobError
    from reference_server.process import serve
    from reference_server.store.base import StoreError

    try:
        return serve(settings, make or make_driver, pages or PAGES)
    except (SettingsError, StoreError, BlobError) as fault:
        return _refused(fault)


def _end_early(*_: object) -> NoReturn:
    """End before the loop takes the signals over; what is held is released on the way out."""
    sys.exit(0)


def _refused(fault: Exception) -> int:
    print(f"reference_server: {fault}", file=sys.stderr)
    return UNUSABLE


if __name__ == "__main__":
    use_malloc()
    sys.exit(main())
