"""Cases: rows of a conformance suite, judged by what the row itself expects.

The runner of a case writes what the row expects into the event that begins it, so that judging reads the record
alone. An event's `case` is `<CLAUSE-ID>/<name>`; with an `expect` the clause must stand in `CASED`. Make the value with
`expect(status=[404])`, which refuses a misspelt key; a misspelt one in a record makes this checker raise.

REST: `record("invoke", op=n, case="REST-ID-1/odd-id", operation=…, method=…, path=…, expect=expect(status=[404]))`,
completed by `ok`/`fail` of the same op with `data {status, body, headers}` (header names in lower case).
A completing `info` (no answer) leaves the row undecided. An invoke with `case` but without `expect` is a step of
set-up and is not judged here. Several invokes may share one case name.

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

Socket: `record("connecting", connection="c7", case="RT-CLOSE-1/binary", expect=expect(close_code=[1003]))`, one
connection a case. What follows on that connection of that recorder is judged: `refused {status, body, headers}`,
`opened {headers, subprotocol}`, `received {message}`, `sent`, `closed {code, by}`. `closed` with `by: "self"` ends
the case: what had to come before it did not come. `status, header, error_says, body_has` then speak of the refusal,
or, with `opens`, `header` of the 101.

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

On a target that is not ours (`RunFacts.local` false) a close code of this project's choice (4xxx, 1013) is judged
on the effect: any close by the peer holds (contract §10). A row of a clause in `NUMBERED` that sees no close in time
there is undecided: how many, or how long, is this project's choice. So is the status of a refused upgrade (RFC 6455
§4.2.1, §4.2.2: "an appropriate HTTP error code (such as …)"), and the code that answers a close frame ("typically
echos", §5.5.1).
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from harness.checkers.calls import Call, Calls
from harness.checkers.cased import CASED
from harness.checkers.tally import Fold
from harness.history import Event

NUMBERED: Final = ("SEC-SOCKETS-1", "LIVE-SILENCE-1", "LIVE-HANDSHAKE-1", "LIVE-CLOSE-1")
"""Clauses whose number (32 sockets, 60 to 66 s, 10 s, 5 s) is this project's choice."""

REFUSED, ANSWERED = "RT-UPGRADE-1", "RT-CLOSE-6"
"""Clauses whose status, or code, the RFC leaves to a server."""

ABNORMAL: Final = 1006
CLOSE_WITHIN_MS: Final = 5000
NS_PER_MS: Final = 1_000_000


class Expect(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a row expects; see the module's docstring for each field."""

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


class _Row(Struct):
    """A socket case in progress."""

    begin: Event
    expect: Expect
    opened: Event | None = None
    refused: Event | None = None
    last: Event | None = None
    sent: Event | None = None
    closed: Event | None = None
    matching: int = 0
    unwanted: Event | None = None
    pongs: list[str] = []


class Cases(Fold):
    """Judges every row by its own expectation; memory is bounded by the rows of a suite."""

    name = "cases"
    clauses = CASED

    def begin(self) -> None:
        """Forget everything."""
        self._calls = Calls()
        self._rows: dict[tuple[str, str], _Row] = {}
        self._answers: dict[tuple[str, str], tuple[int, bytes]] = {}
        self._pairs: list[tuple[str, str, str, Event]] = []
        self._last_ns = 0

    def take(self, event: Event) -> None:
        """Judge the answer or the socket's fate that this event brings."""
        self._last_ns = max(self._last_ns, event.at_ns)
        call = self._calls.see(event)
        if call is not None and call.invoke.case is not None:
            self._judge_call(call)
        elif event.connection is not None:
            self._follow(event, (event.recorder, event.connection))

    def end(self) -> None:
        """Judge the sockets still open and the rows that compare with another."""
        for row in self._rows.values():
            self._judge_row(row)
        for clause, name, other, event in self._pairs:
            self._judge_pair(clause, name, other, event)

    def _judge_call(self, call: Call) -> None:
        wanted = _expected(call.invoke)
        if wanted is None:
            return
        clause, name = _split(call.invoke)
        if not call.status:
            self.tally.undecided(clause, f"no answer came to case {name}: {call.done.data.get('why', 'unknown')}")
            return
        self._answers[clause, name] = (call.status, _canonical(call.body))
        if wanted.same_as:
            self._pairs.append((clause, name, wanted.same_as, call.done))
        faults = [*answer_faults(wanted, call.status, call.body, call.headers)]
        if wanted.sha256 and call.done.data.get("sha256") != wanted.sha256:
            faults.append(f"a body of digest {call.done.data.get('sha256')}, expected {wanted.sha256}")
        self.tally.judge(clause, not faults, f"case {name}: {'; '.join(faults)}", call.invoke, call.done)

    def _judge_pair(self, clause: str, name: str, other: str, event: Event) -> None:
        if (clause, other) not in self._answers:
            self.tally.undecided(clause, f"case {name} compares with {other}, which was not answered")
            return
        same = self._answers[clause, name] == self._answers[clause, other]
        self.tally.judge(clause, same, f"case {name}: the answer differs from that of case {other}", event)

    def _follow(self, event: Event, key: tuple[str, str]) -> None:
        if event.kind == "connecting" and event.case is not None:
            self._end_row(key)
            wanted = _expected(event)
            if wanted is not None:
                _split(event)
                self._rows[key] = _Row(event, wanted)
            return
        row = self._rows.get(key)
        if row is None:
            return
        _advance(row, event)
        if event.kind == "closed" and not (row.expect.receives_none and event.data.get("by") == "peer"):
            self._end_row(key)

    def _end_row(self, key: tuple[str, str]) -> None:
        # A row that wants nothing more to come is watched beyond the close frame, to the end of its connection.
        row = self._rows.pop(key, None)
        if row is not None:
            self._judge_row(row)

    def _judge_row(self, row: _Row) -> None:
        clause, name = _split(row.begin)
        faults, undecided = self._row_faults(row)
        evidence = [event for event in (row.begin, row.refused, row.opened, row.last, row.closed) if event is not None]
        if faults and row.expect.ours and not self.run.local:
            self.tally.undecided(clause, f"case {name}: {'; '.join(faults)}, which is asked of ours only")
        elif undecided and not faults:
            self.tally.undecided(clause, f"case {name}: {undecided}")
        else:
            self.tally.judge(clause, not faults, f"case {name}: {'; '.join(faults)}", *evidence)

    def _row_faults(self, row: _Row) -> tuple[list[str], str]:
        wanted = row.expect
        if row.opened is None and row.refused is None:
            # A socket that ended before any answer is a refusal without a status.
            return ([], "neither opened nor refused") if row.closed is None else (["it ended without an answer"], "")
        if row.refused is not None:
            free = not self.run.local and _split(row.begin)[0] == REFUSED
            return _refusal_faults(wanted, row.refused, any_error=free), ""
        if wanted.status:
            return [f"the handshake was accepted, expected {_codes(wanted.status)}"], ""
        if wanted.sends and row.sent is None:
            ended = f", closed with {row.closed.data.get('code')} before" if row.closed is not None else ""
            return _handshake_faults(wanted, row.opened), f"nothing of it was sent{ended}"
        faults = [*_open_faults(wanted, row)]
        undecided = ""
        for found, unclear in (self._close_fault(row), self._stay_fault(row)):
            faults += [found] if found else []
            undecided = undecided or unclear
        return faults, undecided

    def _close_fault(self, row: _Row) -> tuple[str, str]:
        wanted = row.expect
        if not wanted.close_code:
            return "", ""
        since_ns = (row.last or row.begin).at_ns
        until_ns = row.closed.at_ns if row.closed is not None else self._last_ns
        waited_ms = (until_ns - since_ns) // NS_PER_MS
        chosen = not self.run.local and _split(row.begin)[0] in NUMBERED
        if row.closed is None or row.closed.data.get("by") == "self":
            told = f"still open after {waited_ms} ms, expected a close with {_codes(wanted.close_code)}"
            if chosen:
                return "", f"{told}; the number behind it is our choice"
            return (told, "") if waited_ms >= wanted.within_ms else ("", f"watched for {waited_ms} ms only")
        code = row.closed.data.get("code")
        echoes = _split(row.begin)[0] == ANSWERED and code != ABNORMAL
        own = all(code_ == 1013 or code_ >= 4000 for code_ in wanted.close_code)
        free = not self.run.local and (own or echoes)
        if code not in wanted.close_code and not free:
            return f"closed with {code}, expected {_codes(wanted.close_code)}", ""
        if waited_ms > wanted.within_ms and not chosen:
            return f"closed after {waited_ms} ms, expected within {wanted.within_ms} ms", ""
        return "", ""

    def _stay_fault(self, row: _Row) -> tuple[str, str]:
        wanted = row.expect
        if not wanted.stays_open_ms:
            return "", ""
        until_ns = row.closed.at_ns if row.closed is not None else self._last_ns
        stayed_ms = (until_ns - (row.last or row.begin).at_ns) // NS_PER_MS
        if stayed_ms >= wanted.stays_open_ms:
            return "", ""
        if row.closed is None or row.closed.data.get("by") == "self":
            return "", f"watched for {stayed_ms} of {wanted.stays_open_ms} ms"
        return f"the peer closed with {row.closed.data.get('code')} after {stayed_ms} ms, expected it to stay open", ""


def _advance(row: _Row, event: Event) -> None:
    match event.kind:
        case "opened":
            row.opened, row.last = event, event
        case "refused":
            row.refused = event
        case "sent":
            row.last = row.sent = event
        case "closed":
            row.closed = event
        case "frame" if event.data.get("opcode") == "pong":
            row.pongs.append(str(event.data.get("payload")))
        case "received":
            message = event.data.get("message")
            if row.expect.receives and _has_all(message, row.expect.receives):
                row.matching += 1
            if row.expect.receives_none and _has_all(message, row.expect.receives_none):
                row.unwanted = event
        case _:
            pass


def _refusal_faults(wanted: Expect, refused: Event, *, any_error: bool) -> list[str]:
    status = refused.data.get("status", 0)
    if any_error and status >= 400 and wanted.status:
        wanted = msgspec.structs.replace(wanted, status=(status,))
    if not wanted.status:
        return [f"the handshake was refused with {status}"]
    headers = {str(name).lower(): str(value) for name, value in (refused.data.get("headers") or {}).items()}
    return answer_faults(wanted, status, refused.data.get("body"), headers)


def _handshake_faults(wanted: Expect, event: Event | None) -> list[str]:
    opened = event.data if event is not None else {}
    headers = {str(name).lower(): str(value) for name, value in (opened.get("headers") or {}).items()}
    faults = _header_faults(wanted, headers)
    if wanted.subprotocol is not None and (opened.get("subprotocol") or "") != wanted.subprotocol:
        faults.append(f"subprotocol {opened.get('subprotocol')!r}, expected {wanted.subprotocol!r}")
    return faults


def _open_faults(wanted: Expect, row: _Row) -> list[str]:
    faults = _handshake_faults(wanted, row.opened)
    if wanted.receives_count is not None and row.matching != wanted.receives_count:
        faults.append(f"{row.matching} messages with {wanted.receives}, expected {wanted.receives_count}")
    elif wanted.receives and wanted.receives_count is None and not row.matching:
        faults.append(f"no message with {wanted.receives} came")
    if row.unwanted is not None:
        faults.append(f"a message with {wanted.receives_none} came ({row.unwanted.ref})")
    if wanted.pongs is not None and not _answers(row.pongs, wanted.pongs):
        faults.append(f"protocol pongs with {row.pongs}, expected {list(wanted.pongs)}")
    return faults


def _answers(pongs: Sequence[str], pings: Sequence[str]) -> bool:
    """Say whether these pongs answer these pings: earlier ones may be left out, the last one never."""
    asked = iter(pings)
    return all(pong in asked for pong in pongs) and pongs[-1:] == list(pings[-1:])


def answer_faults(wanted: Expect, status: int, body: Any, headers: dict[str, str]) -> list[str]:
    """Return in words how an answer differs from what the row expects."""
    faults: list[str] = []
    if wanted.status and status not in wanted.status:
        faults.append(f"status {status}, expected {_codes(wanted.status)}")
    if wanted.error_says:
        message = body.get("message") if isinstance(body, dict) else None
        if not isinstance(message, str) or wanted.error_says.lower() not in message.lower():
            faults.append(f"message {message!r}, expected it to say {wanted.error_says!r}")
    named = _detail_fields(body)
    if wanted.details_has and not any(f"{name}.".startswith(f"{wanted.details_has}.") for name in named):
        faults.append(f"details name {named}, expected {wanted.details_has!r}")
    faults += _header_faults(wanted, headers)
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


def _header_faults(wanted: Expect, headers: dict[str, str]) -> list[str]:
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


def _has_all(message: Any, wanted: dict[str, Any]) -> bool:
    return all(at_path(message, path) == value for path, value in wanted.items())


def _expected(event: Event) -> Expect | None:
    given = event.data.get("expect")
    if given is None:
        return None
    try:
        return msgspec.convert(given, Expect)
    except msgspec.ValidationError as fault:
        raise ValueError(f"{event.ref} expects something unknown: {fault}; see harness/checkers/cases.py") from fault


def _split(event: Event) -> tuple[str, str]:
    clause, _, name = (event.case or "").partition("/")
    if clause not in CASED:
        raise ValueError(f"{event.ref} is a case of '{clause}', expected a clause listed in checkers.cased.CASED")
    return clause, name


def _canonical(body: Any) -> bytes:
    return msgspec.json.encode(body, order="sorted")


def _codes(codes: tuple[int, ...]) -> str:
    return " or ".join(str(code) for code in codes)
