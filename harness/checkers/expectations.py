"""What a row of a conformance suite expects, as a value, and how an answer or a message differs from it.

Made with `expect(status=[404])`, which refuses a misspelt key. Of an answer to a call, and of a refused handshake:

    status       [int]            the answer's status is one of these
    error_says   str              stands in `message` (without case)
    details_has  str              some `details[].field` is this, or a part of it (`pricing.per_execution`)
    header       {name: str|null} the header equals this (without case); null: it is absent; ending with "*": it
                                  begins so
    body_has     {dotted: value}  the value at `a.b.0.c` equals this; "length" of a list by `tasks.#`
    body_not     {dotted: value}  something else than this stands at the path
    body_lacks   [dotted]         nothing stands at this path
    sha256       str              the digest of a body that is no JSON
    same_as      str              another case of the same clause (its name after the slash): equal status and body

Of a socket; with `opens`, `header` speaks of the 101:

    opens          bool          true: the handshake succeeds; (`status` given: it is refused with one of these)
    subprotocol    str           what `opened` says the server selected ("" for none)
    close_code     [int]         the peer closes with one of these (1006: without a close frame)
    within_ms      int           … so many ms after the last `sent` (or `opened`), 5000 when left out
    receives       {dotted: value}  some message read on it has all of these values (`data.message`)
    receives_none  {dotted: value}  no message read on it has all of these values
    stays_open_ms  int           it is not closed by the peer for so long after the last `sent` (or `opened`)
    receives_count int           how many messages match `receives` (else: at least one)
    pongs          [hex]         what the protocol pings on it carried: each protocol pong read carries one of these, in
                                 order, and the last of them is answered (RFC 6455 §5.5.3); []: no pong came
    sends          bool          it speaks of what is sent behind the handshake: without a `sent` it is undecided
    ours           bool          it asks for more than contract or RFC ask of every server: a target that is not ours
                                 and fails it is undecided
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.history import Event

CLOSE_WITHIN_MS: Final = 5000


class Expect(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a row expects; the module's docstring tells each field."""

    status: tuple[int, ...] = ()
    error_says: str = ""
    details_has: str = ""
    header: dict[str, str | None] = {}
    body_has: dict[str, Any] = {}
    body_not: dict[str, Any] = {}
    body_lacks: tuple[str, ...] = ()
    sha256: str = ""
    same_as: str = ""
    opens: bool | None = None
    subprotocol: str | None = None
    close_code: tuple[int, ...] = ()
    within_ms: int = CLOSE_WITHIN_MS
    receives: dict[str, Any] = {}
    receives_none: dict[str, Any] = {}
    receives_count: int | None = None
    stays_open_ms: int = 0
    pongs: tuple[str, ...] | None = None
    sends: bool = False
    ours: bool = False


def expect(**fields: Any) -> dict[str, Any]:
    """Return what a case expects, as it stands in an event; raises msgspec.ValidationError for a misspelt key."""
    made: dict[str, Any] = msgspec.to_builtins(msgspec.convert(fields, Expect))
    return made


def expected_of(event: Event) -> Expect | None:
    """Return what the row that an event begins expects, None when it is none; raises ValueError for a misspelt key."""
    given = event.data.get("expect")
    if given is None:
        return None
    try:
        return msgspec.convert(given, Expect)
    except msgspec.ValidationError as fault:
        told = f"{event.ref} expects something unknown: {fault}"
        raise ValueError(f"{told}; see harness/checkers/expectations.py") from fault


def answer_faults(wanted: Expect, status: int, body: Any, headers: Mapping[str, str]) -> list[str]:
    """Return in words how an answer differs from what the row expects."""
    faults: list[str] = []
    if wanted.status and status not in wanted.status:
        faults.append(f"status {status}, expected {told_codes(wanted.status)}")
    if wanted.error_says:
        message = body.get("message") if isinstance(body, dict) else None
        if not isinstance(message, str) or wanted.error_says.lower() not in message.lower():
            faults.append(f"message {message!r}, expected it to say {wanted.error_says!r}")
    named = _detail_fields(body)
    if wanted.details_has and not any(f"{name}.".startswith(f"{wanted.details_has}.") for name in named):
        faults.append(f"details name {named}, expected {wanted.details_has!r}")
    faults += header_faults(wanted, headers)
    for path, value in wanted.body_has.items():
        found = at_path(body, path)
        if found != value or isinstance(found, bool) != isinstance(value, bool):
            faults.append(f"{path} is {found!r}, expected {value!r}")
    for path, value in wanted.body_not.items():
        found = at_path(body, path)
        if found is ABSENT or found == value:
            faults.append(f"{path} is {found!r}, expected another value")
    faults += [
        f"{path} is there, expected it absent" for path in wanted.body_lacks if at_path(body, path) is not ABSENT
    ]
    return faults


def header_faults(wanted: Expect, headers: Mapping[str, str]) -> list[str]:
    """Return in words which headers differ from what the row expects; names are in lower case."""
    faults = []
    for name, value in wanted.header.items():
        found = headers.get(name.lower())
        if value is None or found is None:
            fits = found is None and value is None
        elif value.endswith("*"):
            fits = found.lower().startswith(value[:-1].lower())
        else:
            fits = found.lower() == value.lower()
        if not fits:
            faults.append(f"header {name} is {found!r}, expected {value!r}")
    return faults


def _detail_fields(body: Any) -> list[str]:
    details = body.get("details") if isinstance(body, dict) else None
    entries = details if isinstance(details, list) else []
    return [str(entry.get("field")) for entry in entries if isinstance(entry, dict)]


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()


def at_path(body: Any, path: str) -> Any:
    """Return the value at a dotted path (`tasks.0.id`, `tasks.#` for a length), or ABSENT."""
    found = body
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part == "#":
            found = len(found)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return ABSENT
    return found


def has_all(message: Any, wanted: Mapping[str, Any]) -> bool:
    """Say whether a message has all of these values at their paths."""
    return all(at_path(message, path) == value for path, value in wanted.items())


def told_codes(codes: tuple[int, ...]) -> str:
    """Return codes as a sentence names them."""
    return " or ".join(str(code) for code in codes)
