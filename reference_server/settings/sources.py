"""Where settings come from: the command line, the environment, a file; the first one counts.

Each source gives text by name; the rows of `settings.table` turn it into values.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reference_server.settings.options import read_options
from reference_server.settings.table import BY_NAME, PREFIX, SETTINGS, Setting
from reference_server.settings.values import (
    FILE_BYTES_MAX,
    FILE_OPTION,
    FILE_VARIABLE,
    Settings,
    SettingsError,
    check_private,
    parsed,
    refusal,
    unknown,
)


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Return the settings; raises SettingsError. `--help` prints and exits as argparse does."""
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
        raise refusal(setting, value, where) from None
    return parsed(setting, text, where)
