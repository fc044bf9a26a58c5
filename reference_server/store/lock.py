"""One process a database: a lock beside the file that the kernel releases when its holder ends, by kill -9 too.

SQLite would let two processes write in turn, but each takes the other's running tasks for interrupted ones and pushes
to its own sockets alone. The lock has a file of its own, since closing any other handle of the database would drop
SQLite's locks on it.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from reference_server.store.base import StoreError

SUFFIX: Final = ".lock"
FILE_MODE: Final = 0o600


class DatabaseLock:
    """Held from its making until `release`."""

    def __init__(self, database: Path) -> None:
        """Take the lock; raises StoreError when another process holds it or its file can't be made."""
        # However the database is named, it is the same file.
        resolved = database.resolve()
        self._path = resolved.with_name(f"{resolved.name}{SUFFIX}")
        try:
            self._descriptor: int | None = _locked(self._path)
        except BlockingIOError as fault:
            raise StoreError(
                f"the database {database} is in use by another server process; end that one or name another file"
            ) from fault
        except OSError as fault:
            raise StoreError(
                f"the database {database} can't be locked ({(fault.strerror or str(fault)).lower()}); "
                "check that the folder exists and is writable"
            ) from fault

    def release(self) -> None:
        """Remove the file and let go of it; repeatable."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            # Removed while held: whoever opened it meanwhile finds that it is gone and makes a new one.
            self._path.unlink(missing_ok=True)
            os.close(descriptor)


def _locked(path: Path) -> int:
    """Return a descriptor that holds the lock of the file that lies there; raises BlockingIOError when held."""
    while True:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _lies_there(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lies_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
