"""Secrets that nobody set: made once, kept beside the database, readable by its owner alone (contract §2 token)."""

import os
from collections.abc import Callable
from pathlib import Path

from reference_server.settings import Settings, SettingsError


def jwt_secret(settings: Settings, make: Callable[[], str]) -> str:
    """Return the key of the tokens: as set, or as kept, or a new one."""
    return settings.jwt_secret or _kept(settings, ".secret", make)


def admin_password(settings: Settings, make: Callable[[], str]) -> str | None:
    """Return the admin's password: as set, or as kept, or a new one; None in memory, where nobody could read it."""
    if settings.admin_password is None and settings.in_memory:
        return None
    return settings.admin_password or _kept(settings, ".admin", make)


def _kept(settings: Settings, suffix: str, make: Callable[[], str]) -> str:
    if settings.in_memory:
        return make()
    path = Path(f"{settings.db}{suffix}")
    try:
        return _read(path) or _write(path, make())
    except OSError as fault:
        raise SettingsError(f"can't keep a secret in {path}: {fault.strerror}; make its folder writable") from fault


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _write(path: Path, secret: str) -> str:
    """Write under another name first: a file that is there is a whole one."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return secret
