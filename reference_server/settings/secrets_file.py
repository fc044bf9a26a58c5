"""Secrets in files that their owner alone may read: those that nobody set, and the tokens of numbered accounts (§2)."""

import contextlib
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import msgspec

from reference_server.core.numbered_accounts import AccountToken
from reference_server.settings.table import BY_NAME
from reference_server.settings.values import FILE_BYTES_MAX, Settings, SettingsError, check_private, parsed

MODE: Final = 0o600
_encode = msgspec.json.Encoder().encode


def jwt_secret(settings: Settings, make: Callable[[], str]) -> str:
    """Return the key of the tokens: as set, or as kept, or a new one; raises SettingsError for one of no use."""
    return settings.jwt_secret or _kept(settings, "jwt_secret", ".secret", make)


def admin_password(settings: Settings, make: Callable[[], str]) -> str | None:
    """Return the admin's password: as set, or as kept, or a new one; None in memory, where nobody could read it.

    Raises SettingsError for one of no use.
    """
    if settings.admin_password is None and settings.in_memory:
        return None
    return settings.admin_password or _kept(settings, "admin_password", ".admin", make)


class AccountsFile:
    """A line of JSON, `{id, email, token}`, for each numbered account; there once all of them are, or not at all."""

    def __init__(self, path: Path) -> None:
        """Take the place; raises SettingsError when it can't be written."""
        self._path = path
        try:
            self._file: PrivateFile | None = PrivateFile(path)
        except OSError as fault:
            raise SettingsError(
                f"can't write the accounts to {path}: {fault.strerror}; choose another --accounts-file"
            ) from fault

    def add(self, accounts: Sequence[AccountToken]) -> None:
        """Write some of them; raises OSError."""
        if self._file is not None:
            self._file.write(b"".join(_encode(account) + b"\n" for account in accounts))

    def finish(self) -> None:
        """Put the file in its place; raises OSError."""
        if self._file is not None:
            self._file.keep()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave nothing half-written."""
        if self._file is not None:
            self._file.drop()
            self._file = None


class PrivateFile:
    """A file that is written under another name first, so that the one that is there is a whole one."""

    def __init__(self, path: Path) -> None:
        """Open it; raises OSError, also where something lies that is no file: a device must not be put in its place."""
        if path.exists() and not path.is_file():
            raise OSError(errno.EEXIST, "it is there and no file")
        self._path = path
        self._fresh = path.with_name(f"{path.name}.new")
        # Whatever an end without warning left there may have another mode.
        self._fresh.unlink(missing_ok=True)
        descriptor = os.open(self._fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
        self._file: IO[bytes] = os.fdopen(descriptor, "wb")

    def write(self, content: bytes) -> None:
        """Write on; raises OSError."""
        self._file.write(content)

    def keep(self) -> None:
        """Put it in its place once the disk has it; raises OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._fresh.replace(self._path)

    def drop(self) -> None:
        """Leave nothing."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._fresh.unlink(missing_ok=True)


def _kept(settings: Settings, name: str, suffix: str, make: Callable[[], str]) -> str:
    if settings.in_memory:
        return make()
    path = Path(f"{settings.db}{suffix}")
    try:
        return _read(path, name) if path.exists() else _write(path, make())
    except OSError as fault:
        raise SettingsError(f"can't keep a secret in {path}: {fault.strerror}; make its folder writable") from fault


def _read(path: Path, name: str) -> str:
    """Return what is kept, held to what is asked of it when it is set: it may be damaged, or from elsewhere."""
    with path.open("rb") as file:
        check_private(path, name, os.fstat(file.fileno()).st_mode)
        content = file.read(FILE_BYTES_MAX)
    try:
        secret: str = parsed(BY_NAME[name], content.decode().strip(), str(path))
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: {name} is no text; restore it, or remove it to have a new one made") from None
    return secret


def _write(path: Path, secret: str) -> str:
    file = PrivateFile(path)
    try:
        file.write(f"{secret}\n".encode())
        file.keep()
    except OSError:
        file.drop()
        raise
    return secret
