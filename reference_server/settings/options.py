"""The command line of the server: options and help from the table of settings, refusals in our words."""

import argparse
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from reference_server.settings.table import SETTINGS, Setting
from reference_server.settings.values import FILE_OPTION, FILE_VARIABLE, Settings, SettingsError, unknown

DESCRIPTION: Final = (
    "The reference server. What is set on the command line wins over the environment, that over the settings file, and "
    "that over the default."
)
EPILOG: Final = (
    "A settings file is TOML: one name = value a line, names as in the environment without ZEROSTATE_, in lower case. "
    "Prints `ready http://...` when it accepts. Exit codes: 0 ended in order by SIGTERM or SIGINT; 1 a second signal "
    "cut the ending short; 3 could not start, one line on stderr says why."
)


def read_options(arguments: Sequence[str], defaults: Settings) -> dict[str, str]:
    """Return the text of each setting that stands on the command line; raises SettingsError."""
    parser = _parser(defaults)
    given, rest = parser.parse_known_args(list(arguments))
    if rest:
        raise _no_option(rest[0].partition("=")[0])
    return {name: text for name, text in vars(given).items() if text is not None}


def _no_option(name: str) -> SettingsError:
    secret = next((setting for setting in SETTINGS if setting.secret and setting.option == name), None)
    if secret is not None:
        return SettingsError(f"{name} is no option, since every user may read a command line; set {secret.variable}")
    return unknown("the argument", name, [FILE_OPTION, *(one.option for one in SETTINGS if not one.secret)])


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(f"{message}; see --help")


def _parser(defaults: Settings) -> _Parser:
    parser = _Parser(
        prog="python -m reference_server",
        usage="%(prog)s [OPTIONS]",
        description=DESCRIPTION,
        epilog=EPILOG,
        add_help=False,
        allow_abbrev=False,
    )
    general = parser.add_argument_group("general")
    general.add_argument("-h", "--help", action="help", help="show this and end")
    general.add_argument(
        FILE_OPTION, dest=FILE_OPTION, metavar="FILE", help=f"a file of settings, TOML [env: {FILE_VARIABLE}]"
    )
    for name in dict.fromkeys(setting.group for setting in SETTINGS):
        rows = [setting for setting in SETTINGS if setting.group == name]
        secrets = [f"{setting.variable}: {setting.expected}" for setting in rows if setting.secret]
        group = parser.add_argument_group(name, _only_elsewhere(secrets))
        for setting in rows:
            if not setting.secret:
                _add(group, setting, getattr(defaults, setting.name))
    return parser


def _add(group: Any, setting: Setting, default: Any) -> None:
    told = f"{setting.expected} [default: {setting.shown(default)}; env: {setting.variable}]"
    optional: dict[str, Any] = {"nargs": "?", "const": "on"} if setting.flag else {}
    group.add_argument(setting.option, metavar="X", help=told.replace("%", "%%"), **optional)


def _only_elsewhere(secrets: Sequence[str]) -> str | None:
    """Say what is no option: a command line can be read by every user of the machine."""
    if not secrets:
        return None
    return f"Secrets, in the environment or the settings file only: {'. '.join(secrets)}."
