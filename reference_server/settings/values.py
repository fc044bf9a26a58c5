"""What can be set when the process starts: on the command line, in the environment, in a file; the first one counts.

Each source gives text by name; the rows of `settings.table` turn it into values. Whatever can't be used is refused in
one sentence that says where it stood, what was expected, and what was probably meant.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from reference_server.contract import limits as numbers
from reference_server.core.admission import Network
from reference_server.settings.table import BY_NAME, PREFIX, SETTINGS, Setting

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


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Return the settings; raises SettingsError. `--help` prints and exits as argparse does."""
    from reference_server.settings.options import read_options

    given = read_options(arguments, Settings())
    named = given.pop(FILE_OPTION, "")
    file = named or environment.get(FILE_VARIABLE)
    values = {
        **(_from_file(Path(file), FILE_OPTION if named else FILE_VARIABLE) if file else {}),
        **_from_environment(environment),
        **{name: parsed(BY_NAME[name], text, BY_NAME[name].option) for name, text in given.items()},
    }
    return _agreeing(replace(Settings(), **values))


def _agreeing(settings: Settings) -> Settings:
    """Return settings that go together; raises SettingsError."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingsError("--tls-cert and --tls-key need each other; give both, or none")
    if settings.in_memory and settings.blobs is not None:
        # At its next start the database would know none of them, and all would be removed.
        raise SettingsError("--blobs can't outlive a database in memory; name a file with --db, or leave it out")
    if settings.pages_only != (settings.api is not None):
        raise SettingsError("--pages-only and --api need each other; give both, or none")
    if settings.accounts and settings.in_memory and settings.accounts_file is None:
        raise SettingsError("--accounts has no place for its tokens beside a database in memory; name --accounts-file")
    return settings


def unknown(what: str, name: str, known: Iterable[str]) -> SettingsError:
    """Return the refusal of a name that no setting has, with the one that was probably meant."""
    near = difflib.get_close_matches(name, list(known), 1)
    advice = f"did you mean {near[0]}?" if near else "--help lists them"
    return SettingsError(f"{what} {name} is unknown; {advice}")


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {setting.variable: setting for setting in SETTINGS}
    values = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        if variable not in names:
            raise unknown("the environment's", variable, [*names, FILE_VARIABLE])
        # An empty one is an unset one: that is how a shell's line leaves a setting out.
        if text:
            values[names[variable].name] = parsed(names[variable], text, variable)
    return values


def _from_file(path: Path, where: str) -> dict[str, Any]:
    given, mode = _read(path, where)
    values = {}
    for name, value in given.items():
        setting = BY_NAME.get(name)
        if setting is None:
            raise unknown(f"{path}: the setting", name, BY_NAME)
        if setting.secret:
            check_private(path, name, mode)
        values[name] = _parsed_from_file(setting, value, f"{path}: {name}")
    return values


def check_private(path: Path, name: str, mode: int) -> None:
    """Raise SettingsError when others may read the file that holds the secret `name`; `mode` is the open file's."""
    if mode & _OTHERS_MAY_READ:
        raise SettingsError(f"{path}: {name} is a secret and others may read this file; make it yours: chmod 600")


def _read(path: Path, where: str) -> tuple[dict[str, Any], int]:
    """Return what a settings file says, and its mode."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(FILE_BYTES_MAX + 1)
        if len(text) > FILE_BYTES_MAX:
            raise SettingsError(f"{where}: {path} is over {FILE_BYTES_MAX} bytes; name a file of settings")
        return tomllib.loads(text.decode()), mode
    except OSError as fault:
        raise SettingsError(f"{where}: can't read {path}: {fault.strerror}; name a TOML file") from fault
    except ValueError as fault:
        raise SettingsError(f"{where}: {path} is no TOML: {fault}; write name = value lines") from fault


def _parsed_from_file(setting: Setting, value: Any, where: str) -> Any:
    try:
        text = setting.text_of(value)
    except ValueError:
        raise _refusal(setting, value, where) from None
    return parsed(setting, text, where)


def parsed(setting: Setting, text: str, where: str) -> Any:
    """Return a setting's value from its text; raises SettingsError naming `where` it stood."""
    try:
        if "\0" in text:
            raise ValueError  # no file, host or person has it in a name
        return setting.parse(text)
    except ValueError:
        raise _refusal(setting, text, where) from None


def _refusal(setting: Setting, value: Any, where: str) -> SettingsError:
    shown = "its value" if setting.secret else repr(value)
    return SettingsError(f"{where}: {shown} can't be used; expected {setting.expected}")
