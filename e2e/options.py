"""The options of a browser run: where the target is, where the record goes, and the seed."""

from typing import Final

import pytest

TARGET_URL: Final = "--target-url"
TARGET_LOCAL: Final = "--target-local"
ALLOW_ACCOUNTS: Final = "--allow-accounts"
RUN_RECORD: Final = "--run-record"
RUN_SEED: Final = "--run-seed"
HEADED: Final = "--headed"
TELL_CHOICE: Final = "--tell-choice"


def add_options(parser: pytest.Parser) -> None:
    """Add what `harness verify` passes on; all of it may be left out."""
    group = parser.getgroup("zerostate", "pages in a real browser")
    group.addoption(TARGET_URL, metavar="URL", help="the pages to visit; left out: a reference server of our own")
    group.addoption(
        TARGET_LOCAL,
        action="store_true",
        help="the target is ours: what restarts a server is run too, on one of its own",
    )
    group.addoption(
        ALLOW_ACCOUNTS,
        action="store_true",
        help="accounts may be made on the target although it is not on this machine",
    )
    group.addoption(RUN_RECORD, metavar="DIR", help="the run record to write into; left out: a temporary one, judged")
    group.addoption(TELL_CHOICE, metavar="FILE", help="write which tests were chosen, and what is judged from them")
    group.addoption(RUN_SEED, type=int, metavar="N", help="the seed of people and their names; left out: drawn")
