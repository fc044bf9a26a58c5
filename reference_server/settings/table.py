"""Every setting as one row: its name, what it takes, and how that is read from text.

Options, environment names, names in a settings file, the help and every refusal derive from `SETTINGS`; the defaults
stand in `settings.values.Settings`. To add one: a field there, a row here.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import msgspec

from reference_server.contract import limits as numbers
from reference_server.contract.models import Email
from reference_server.core.admission import Network, normal_origin

PREFIX: Final = "ZEROSTATE_"
S3: Final = "s3://"
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()-]+)*/?")
ANY_ORIGIN: Final = "*"
DAY_S: Final = 24 * 3600
TOKEN_TTL_S_MAX: Final = 10 * 365 * DAY_S
TASK_MS_MAX: Final = DAY_S * 1000
SECRET_BYTES_MIN: Final = 32
ACCOUNTS_MAX: Final = 20_000
RATE_MAX: Final = 1_000_000
SEND_BUFFER_BYTES_MIN: Final = 4 * 1024
SEND_BUFFER_BYTES_MAX: Final = 16 * 1024 * 1024
LANES_MAX: Final = 16
PASSES_MAX: Final = 100
HASH_KIB_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """One row; `parse` raises ValueError, `types` are those that a settings file may use.

    A secret is no option, since a command line can be read by every user of the machine, and its value is never shown.
    A `flag` may stand on the command line without a value. `separator` stands between the parts of a default.
    """

    name: str
    group: str
    parse: Callable[[str], Any]
    expected: str
    types: tuple[type, ...] = (str,)
    secret: bool = False
    flag: bool = False
    separator: str = ","

    @property
    def option(self) -> str:
        """The name on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return f"{PREFIX}{self.name.upper()}"

    def text_of(self, value: Any) -> str:
        """Return a settings file's value as the text that `parse` reads; raises ValueError for one of a wrong type."""
        if type(value) not in self.types:
            raise ValueError
        if isinstance(value, list):
            return ",".join(self._part_of(part) for part in value)
        return _on_off(value) if isinstance(value, bool) else str(value)

    def _part_of(self, value: Any) -> str:
        if type(value) not in (str, int, float) or "," in str(value):
            raise ValueError
        return str(value)

    def shown(self, value: Any) -> str:
        """Return a default as one would write it."""
        if value is None or value == ():
            return "none"
        if isinstance(value, tuple):
            return self.separator.join(str(part) for part in value)
        return _on_off(value) if isinstance(value, bool) else str(value)


def _on_off(value: bool) -> str:
    return "on" if value else "off"


# what the rows are read with


def _between(least: float, most: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = kind(text)
        if not least <= value <= most or value == math.inf:
            raise ValueError
        return value

    return parse


_rate: Final = _between(1, RATE_MAX, int)


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return parse


def _switch(text: str) -> bool:
    return _one_of("on", "off")(text) == "on"


def _span_ms(text: str) -> tuple[int, int]:
    low, separator, high = text.partition(":")
    span = (int(low), int(high) if separator else int(low))
    if not 0 <= span[0] <= span[1] <= TASK_MS_MAX:
        raise ValueError
    return span


def _handshake_rate(text: str) -> tuple[int, int]:
    burst, per_s = (_rate(part) for part in text.split(":"))
    return burst, per_s


def _password_cost(text: str) -> tuple[int, int, int]:
    memory_kib, passes, lanes = (int(part) for part in text.split(":"))
    if not (1 <= lanes <= LANES_MAX and 1 <= passes <= PASSES_MAX and 8 * lanes <= memory_kib <= HASH_KIB_MAX):
        raise ValueError
    return memory_kib, passes, lanes


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _delays(text: str) -> tuple[float, ...]:
    delays = tuple(float(part) for part in _listed(text))
    if len(delays) != numbers.TASK_RETRIES_MAX or not all(0 <= delay <= DAY_S for delay in delays):
        raise ValueError
    return delays


def _origins(text: str) -> tuple[str, ...]:
    return tuple(ANY_ORIGIN if part == ANY_ORIGIN else _origin(part) for part in _listed(text))


def _origin(text: str) -> str:
    normal = normal_origin(text)
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


def _blobs(text: str) -> str:
    """Take a folder, or a bucket as s3://bucket/prefix."""
    if not text or (text.startswith(S3) and not _BUCKET.fullmatch(text.removeprefix(S3))):
        raise ValueError
    return text


def _secret(text: str) -> str:
    if len(text.encode()) < SECRET_BYTES_MIN:
        raise ValueError
    return text


# the table

_NETWORK: Final = "network"
_DATA: Final = "data"
_TASKS: Final = "tasks"
_SECURITY: Final = "accounts and security"
_LOG: Final = "log"

_NUMBER: Final = (int, float)
_LIST: Final = (list, str)

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("host", _NETWORK, str, "an address to listen on"),
    Setting("port", _NETWORK, _between(0, 65_535, int), "a port from 0 (any free one) to 65535", (int,)),
    Setting("tls_cert", _NETWORK, Path, "a PEM file with the certificate and its chain: serves https and wss"),
    Setting("tls_key", _NETWORK, Path, "a PEM file with the certificate's private key, unencrypted"),
    Setting("handshake_timeout", _NETWORK, _between(0.05, DAY_S, float),
            f"seconds, 0.05 to {DAY_S}, in which a request's head must come", _NUMBER),
    Setting("keep_alive", _NETWORK, _between(0.05, DAY_S, float),
            f"seconds, 0.05 to {DAY_S}, after which an idle connection ends", _NUMBER),
    Setting("send_buffer", _NETWORK, _between(SEND_BUFFER_BYTES_MIN, SEND_BUFFER_BYTES_MAX, int),
            f"bytes, {SEND_BUFFER_BYTES_MIN} to {SEND_BUFFER_BYTES_MAX}, that a connection's send buffer takes, as far "
            "as the system lets it; what a socket's peer is behind by more waits in its outbox", (int,)),
    Setting("origins", _NETWORK, _origins,
            "allowed origins by comma, each scheme://host[:port] with http or https; * for any", _LIST),
    Setting("proxies", _NETWORK, _networks,
            "proxies whose X-Forwarded-For counts, by comma, each an address or a network such as 10.0.0.0/8", _LIST),
    Setting("pages_only", _NETWORK, _switch,
            "on or off: serves pages and /config.json alone, without API and database", (bool, str), flag=True),
    Setting("api", _NETWORK, _origin, "where the API is for those pages: scheme://host[:port], its socket there too"),
    Setting("db", _DATA, str, "a file, or :memory:"),
    Setting("sync", _DATA, _one_of("normal", "full"),
            "normal or full: what was acknowledged survives the end of the process, or a power cut too"),
    Setting("blobs", _DATA, _blobs,
            "a folder for uploaded files, or s3://bucket/prefix with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
            "AWS_REGION and AWS_ENDPOINT_URL; nothing else may write there. If none, the folder <db>.blobs"),
    Setting("tap", _DATA, Path, "a file for a line per accepted message"),
    Setting("accounts", _DATA, _between(0, ACCOUNTS_MAX, int),
            f"how many numbered accounts to make at the start, at most {ACCOUNTS_MAX}, for load tests", (int,)),
    Setting("accounts_file", _DATA, Path,
            "a file for their tokens, a line of JSON {id, email, token} each; if none, <db>.accounts"),
    Setting("task_ms", _TASKS, _span_ms,
            "milliseconds as LOW:HIGH, such as 50:250, at most a day: how long a task runs", (int, str), separator=":"),
    Setting("workers", _TASKS, _between(1, math.inf, int), "how many tasks run at once, at least 1", (int,)),
    Setting("queue_max", _TASKS, _between(0, math.inf, int), "how many tasks may be queued", (int,)),
    Setting("retry_delays", _TASKS, _delays,
            "seconds before each of the 3 retries, by comma, such as 1,2,3, each at most a day", _LIST),
    Setting("seed", _TASKS, int, "a whole number; fixes ids and draws", (int,)),
    Setting("limits", _SECURITY, _one_of("on", "off"), "on or off: the limits on how often one may call", (str, bool)),
    Setting("address_rate", _SECURITY, _rate, f"calls a minute per address without a token, 1 to {RATE_MAX}", (int,)),
    Setting("account_rate", _SECURITY, _rate, f"calls a minute per account, 1 to {RATE_MAX}", (int,)),
    Setting("handshake_rate", _SECURITY, _handshake_rate,
            f"handshakes per account as BURST:PER_SECOND, each 1 to {RATE_MAX}", separator=":"),
    Setting("token_ttl", _SECURITY, _between(1, TOKEN_TTL_S_MAX, float),
            f"seconds, 1 to {TOKEN_TTL_S_MAX} (10 years), that a token holds", _NUMBER),
    Setting("session_cookie", _SECURITY, _one_of("on", "off"),
            "on or off: whether signing in also sets an HttpOnly cookie, for pages of the same site", (str, bool)),
    Setting("password_cost", _SECURITY, _password_cost,
            f"argon2id's KIB:PASSES:LANES, at most {HASH_KIB_MAX}:{PASSES_MAX}:{LANES_MAX}, at least 8 KiB a lane; "
            "hashes of another cost are made again at login", separator=":"),
    Setting("admin_email", _SECURITY, _email, "an e-mail address such as admin@example.org"),
    Setting("admin_password", _SECURITY, _password,
            f"{numbers.PASSWORD_BYTES_MIN} to {numbers.PASSWORD_BYTES_MAX} bytes; if none, one is made and kept in the "
            "file <db>.admin, and in memory there is no admin", secret=True),
    Setting("jwt_secret", _SECURITY, _secret,
            f"at least {SECRET_BYTES_MIN} bytes, which sign the tokens; if none, made and kept in <db>.secret",
            secret=True),
    Setting("log", _LOG, _one_of("off", "text", "json"),
            "off, text or json: lines on stderr for requests and the life of the process; off leaves warnings"),
    Setting("log_level", _LOG, _one_of("debug", "info", "warning", "error"),
            "debug, info, warning or error: the least that is told"),
)  # fmt: skip
BY_NAME: Final[dict[str, Setting]] = {setting.name: setting for setting in SETTINGS}
