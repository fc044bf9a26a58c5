"""A process that writes tasks to a SQLite store and acknowledges each on stdout, until it is killed."""

import sys
from itertools import count
from pathlib import Path

from reference_server.core.transaction import Transaction
from reference_server.store import SqliteStore
from reference_server.store.tests.rows import task


def main(path: str) -> None:
    """Write one task a transaction, for ever; a line is written only after `transact` has returned."""
    store = SqliteStore(Path(path))
    for _ in count():
        number = store.transact(_write_next)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def _write_next(tx: Transaction) -> int:
    number = tx.next_order()
    tx.put_task(task(number))
    return number


if __name__ == "__main__":
    main(sys.argv[1])
