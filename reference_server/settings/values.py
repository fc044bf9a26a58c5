"""The settings of a process, and how each is read from text.

Whatever can't be used is refused in one sentence that says where it stood, what was expected, and what was probably
meant.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from reference_server.contract import limits as numbers
from reference_server.core.admission import Network
from reference_server.settings.table import PREFIX, Setting

MEMORY: Final = ":memory:"
FILE_OPTION: Final = "--settings"
FILE_VARIABLE: Final = f"{PREFIX}SETTINGS"
FILE_BYTES_MAX: Final = 64 * 1024
_OTHERS_MAY_READ: Final = 0o077


class SettingsError(Exception):
    """A setting that can't be used; the sentence says which, what was given, and what is expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; times in seconds unless the name says otherwise."""

    host: str = "127.0.0.1"
    port: int = 8080
    tls_cert: Path | None = None
    tls_key: Path | None = None
    handshake_timeout: float = numbers.HANDSHAKE_TIMEOUT_S
    keep_alive: float = numbers.KEEP_ALIVE_IDLE_S
    send_buffer: int = numbers.SEND_BUFFER_BYTES
    origins: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    pages_only: bool = False
    api: str | None = None
    db: str = "zerostate.db"
    sync: Literal["normal", "full"] = "normal"
    blobs: str | None = None
    tap: Path | None = None
    accounts: int = 0
    accounts_file: Path | None = None
    task_ms: tuple[int, int] = (50, 250)
    workers: int = 8
    queue_max: int = 10_000
    retry_delays: tuple[float, ...] = numbers.RETRY_DELAYS_S
    seed: int | None = None
    limits: Literal["on", "off"] = "on"
    address_rate: int = numbers.RATE_PER_MINUTE_ADDRESS
    account_rate: int = numbers.RATE_PER_MINUTE_ACCOUNT
    handshake_rate: tuple[int, int] = (numbers.HANDSHAKE_BURST, numbers.HANDSHAKES_PER_S)
    token_ttl: float = numbers.TOKEN_TTL_S
    session_cookie: Literal["on", "off"] = "off"
    password_cost: tuple[int, int, int] = (
        numbers.ARGON2_MEMORY_KIB,
        numbers.ARGON2_TIME_COST,
        numbers.ARGON2_PARALLELISM,
    )
    admin_email: str = "admin@zerostate.local"
    admin_password: str | None = None
    jwt_secret: str | None = None
    log: Literal["off", "text", "json"] = "off"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def in_memory(self) -> bool:
        """Whether nothing is kept when the process ends."""
        return self.db == MEMORY

    @property
    def accounts_path(self) -> Path:
        """Where the tokens of the numbered accounts go."""
        return self.accounts_file or Path(f"{self.db}.accounts")


def unknown(what: str, name: str, known: Iterable[str]) -> SettingsError:
    """Return the refusal of a name that no setting has, with the one that was probably meant."""
    near = difflib.get_close_matches(name, list(known), 1)
    advice = f"did you mean {near[0]}?" if near else "--help lists them"
    return SettingsError(f"{what} {name} is unknown; {advice}")


def check_private(path: Path, name: str, mode: int) -> None:
    """Raise SettingsError when others may read the file that holds the secret `name`; `mode` is the open file's."""
    if mode & _OTHERS_MAY_READ:
        raise SettingsError(f"{path}: {name} is a secret and others may read this file; make it yours: chmod 600")


def parsed(setting: Setting, text: str, where: str) -> Any:
    """Return a setting's value from its text; raises SettingsError naming `where` it stood."""
    try:
        if "\0" in text:
            raise ValueError  # no file, host or person has it in a name
        return setting.parse(text)
    except ValueError:
        raise refusal(setting, text, where) from None


def refusal(setting: Setting, value: Any, where: str) -> SettingsError:
    """Return the refusal of a value, which is not shown where it is a secret."""
    shown = "its value" if setting.secret else repr(value)
    return SettingsError(f"{where}: {shown} can't be used; expected {setting.expected}")
