"""What can be set when the process starts: environment `ZEROSTATE_<NAME>` first, then the command line over it."""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from reference_server.contract import limits as numbers
from reference_server.contract.models import Email
from reference_server.core.admission import Network, normal_origin

PREFIX: Final = "ZEROSTATE_"
MEMORY: Final = ":memory:"
ANY_ORIGIN: Final = "*"
DAY_S: Final = 24 * 3600
TOKEN_TTL_S_MAX: Final = 10 * 365 * DAY_S
TASK_MS_MAX: Final = DAY_S * 1000


class SettingsError(Exception):
    """A setting that can't be used; the sentence says which, what was given, and what is expected."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default; times in the unit of their name."""

    host: str = "127.0.0.1"
    port: int = 8080
    db: str = "zerostate.db"
    seed: int | None = None
    task_ms: tuple[int, int] = (50, 250)
    token_ttl: float = numbers.TOKEN_TTL_S
    queue_max: int = 10_000
    limits: Literal["on", "off"] = "on"
    tap: Path | None = None
    workers: int = 8
    sync: Literal["normal", "full"] = "normal"
    origins: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    retry_delays: tuple[float, ...] = numbers.RETRY_DELAYS_S
    handshake_timeout: float = numbers.HANDSHAKE_TIMEOUT_S
    keep_alive: float = numbers.KEEP_ALIVE_IDLE_S
    admin_email: str = "admin@zerostate.local"
    admin_password: str | None = None
    jwt_secret: str | None = None

    @property
    def in_memory(self) -> bool:
        """Whether nothing is kept when the process ends."""
        return self.db == MEMORY


def _span_ms(text: str) -> tuple[int, int]:
    low, separator, high = text.partition(":")
    span = (int(low), int(high) if separator else int(low))
    if not 0 <= span[0] <= span[1] <= TASK_MS_MAX:
        raise ValueError
    return span


def _at_least(least: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    return _between(least, math.inf, kind)


def _between(least: float, most: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = kind(text)
        if not least <= value <= most or value == math.inf:
            raise ValueError
        return value

    return parse


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise ValueError
    return port


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return parse


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _delays(text: str) -> tuple[float, ...]:
    delays = tuple(float(part) for part in _listed(text))
    if len(delays) != numbers.TASK_RETRIES_MAX or not all(0 <= delay <= DAY_S for delay in delays):
        raise ValueError
    return delays


def _origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(part) for part in _listed(text))


def _origin(text: str) -> str:
    normal = ANY_ORIGIN if text == ANY_ORIGIN else normal_origin(text)
    if normal is None:
        raise ValueError
    return normal


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in _listed(text))


def _email(text: str) -> str:
    """Hold the admin's e-mail to what register takes; msgspec's fault is a ValueError."""
    return msgspec.convert(text, Email)


def _password(text: str) -> str:
    if not numbers.PASSWORD_BYTES_MIN <= len(text.encode()) <= numbers.PASSWORD_BYTES_MAX:
        raise ValueError
    return text


def _secret(text: str) -> str:
    if len(text.encode()) < 32:
        raise ValueError
    return text


ADMIN_HELP: Final = (
    "The admin account is ZEROSTATE_ADMIN_EMAIL (default: admin@zerostate.local) with ZEROSTATE_ADMIN_PASSWORD; "
    "without a password, one is made and kept in the file <db>.admin, and in memory there is no admin. "
    "ZEROSTATE_JWT_SECRET signs the tokens; without it, one is made and kept in <db>.secret."
)


@dataclass(frozen=True, slots=True)
class _Kind:
    parse: Callable[[str], Any]
    expected: str
    argument: bool = True


_KINDS: Final[dict[str, _Kind]] = {
    "host": _Kind(str, "an address to listen on"),
    "port": _Kind(_port, "a port from 0 (any free one) to 65535"),
    "db": _Kind(str, "a file, or :memory:"),
    "seed": _Kind(int, "a whole number; fixes ids and draws"),
    "task_ms": _Kind(_span_ms, "milliseconds as LOW:HIGH, such as 50:250, at most a day"),
    "token_ttl": _Kind(_between(1, TOKEN_TTL_S_MAX, float), f"seconds, 1 to {TOKEN_TTL_S_MAX} (10 years)"),
    "queue_max": _Kind(_at_least(0, int), "how many tasks may be queued"),
    "limits": _Kind(_one_of("on", "off"), "on or off"),
    "tap": _Kind(Path, "a file for a line per accepted message"),
    "workers": _Kind(_at_least(1, int), "how many tasks run at once, at least 1"),
    "sync": _Kind(_one_of("normal", "full"), "normal or full"),
    "origins": _Kind(_origins, "allowed origins by comma, each scheme://host[:port] with http or https; * for any"),
    "proxies": _Kind(
        _networks, "proxies whose X-Forwarded-For counts, by comma, each an address or a network such as 10.0.0.0/8"
    ),
    "retry_delays": _Kind(_delays, "seconds before each of the 3 retries, by comma, such as 1,2,3, each at most a day"),
    "handshake_timeout": _Kind(_between(0.05, DAY_S, float), f"seconds, 0.05 to {DAY_S}"),
    "keep_alive": _Kind(_between(0.05, DAY_S, float), f"seconds, 0.05 to {DAY_S}"),
    "admin_email": _Kind(_email, "an e-mail address such as admin@example.org", argument=False),
    "admin_password": _Kind(_password, "8 to 72 bytes", argument=False),
    "jwt_secret": _Kind(_secret, "at least 32 bytes", argument=False),
}
"""Secrets are no arguments: a command line can be read by every user of the machine."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise SettingsError(f"{message}; see --help")


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Return the settings; raises SettingsError. `--help` prints and exits as argparse does."""
    settings = replace(Settings(), **_from_environment(environment))
    given = vars(_parser().parse_args(list(arguments)))
    named = {
        name: _parsed(name, text, f"--{name.replace('_', '-')}") for name, text in given.items() if text is not None
    }
    return replace(settings, **named)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {field.name: f"{PREFIX}{field.name.upper()}" for field in fields(Settings)}
    return {
        name: _parsed(name, environment[variable], variable)
        for name, variable in names.items()
        if environment.get(variable)
    }


def _parsed(name: str, text: str, where: str) -> Any:
    kind = _KINDS[name]
    try:
        return kind.parse(text)
    except ValueError:
        shown = repr(text) if kind.argument else "its value"
        raise SettingsError(f"{where}: {shown} can't be used; expected {kind.expected}") from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m reference_server",
        description="The reference server. Every option can also be set as ZEROSTATE_<NAME>.",
        epilog=ADMIN_HELP,
    )
    defaults = Settings()
    for name, kind in _KINDS.items():
        if kind.argument:
            shown = getattr(defaults, name)
            parser.add_argument(f"--{name.replace('_', '-')}", metavar="X", help=f"{kind.expected} (default: {shown})")
    return parser
