"""Rows that are sockets: what is seen of one connection, and how that differs from what its row expects.

Followed are `refused`, `opened`, `received`, `sent`, `closed`, and `frame` with `pong` (and its payload), `tcp-end`,
`tcp-open` and `cut {why}`: we stopped watching there, so what did not come is undecided, and what came is judged still.
Which clauses leave what to a server that is not ours (`local` false) stands in `harness/checkers/cases.py`.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from harness.checkers.expectations import Expect, answer_faults, has_all, header_faults, told_codes
from harness.history import Event

NUMBERED: Final = ("SEC-SOCKETS-1", "LIVE-SILENCE-1", "LIVE-HANDSHAKE-1", "LIVE-CLOSE-1")
"""Clauses whose number (32 sockets, 60 to 66 s, 10 s, 5 s) is this project's choice."""

REFUSED, ANSWERED = "RT-UPGRADE-1", "RT-CLOSE-6"
"""Clauses whose status, or code, the RFC leaves to a server."""

ENDS_TCP: Final = "LIVE-CLOSE-1"
"""The clause that no close frame shows to hold: it is about the end of TCP behind it."""

ABNORMAL: Final = 1006
NS_PER_MS: Final = 1_000_000
Found = tuple[list[str], str]
"""What differs from what was expected, and why something could not be decided."""


class SocketRow(Struct):
    """A socket case in progress."""

    begin: Event
    clause: str
    expect: Expect
    opened: Event | None = None
    refused: Event | None = None
    last: Event | None = None
    sent: Event | None = None
    closed: Event | None = None
    tcp_end: Event | None = None
    cut: Event | None = None
    matching: int = 0
    unwanted: Event | None = None
    pongs: list[str] = []

    @property
    def over(self) -> bool:
        """Whether nothing that may follow says more of it."""
        if self.closed is None:
            return False
        # A row that wants nothing more to come is watched beyond the close frame, to the end of its connection.
        watched_on = bool(self.expect.receives_none) or self.clause == ENDS_TCP
        return not (watched_on and self.closed.data.get("by") == "peer")

    @property
    def evidence(self) -> list[Event]:
        """The events that show it."""
        seen = (self.begin, self.refused, self.opened, self.last, self.closed)
        return [event for event in seen if event is not None]

    @property
    def _unanswered(self) -> bool:
        """Whether a handshake got no answer, and the row is about something else; or nobody was there at all."""
        if self.refused is None or self.refused.data.get("status"):
            return False
        about_it = self.expect.opens or self.expect.status
        return self.refused.data.get("connected") is False or not about_it

    def take(self, event: Event) -> None:
        """Take an event of its connection."""
        match event.kind:
            case "opened":
                self.opened, self.last = event, event
            case "refused":
                self.refused = event
            case "sent":
                self.last = self.sent = event
            case "closed":
                self.closed = event
            case "frame":
                self._take_frame(event)
            case "received":
                self._take_message(event)
            case _:
                pass

    def _take_frame(self, event: Event) -> None:
        match event.data.get("opcode"):
            case "pong":
                self.pongs.append(str(event.data.get("payload")))
            case "tcp-end":
                self.tcp_end = event
            case "tcp-open":
                self.tcp_end = None
            case "cut":
                self.cut = self.cut or event
            case _:
                pass

    def _take_message(self, event: Event) -> None:
        message = event.data.get("message")
        if self.expect.receives and has_all(message, self.expect.receives):
            self.matching += 1
        if self.expect.receives_none and has_all(message, self.expect.receives_none):
            self.unwanted = event

    def found(self, last_ns: int, *, local: bool) -> Found:
        """Judge it as it stands; `last_ns` is until when the record goes, `local` whether the target is ours."""
        wanted = self.expect
        if self.refused is not None and self._unanswered:
            return [], f"no answer came to its handshake: {self.refused.data.get('why', 'unknown')}"
        if self.refused is not None:
            return _refusal_faults(wanted, self.refused, any_error=not local and self.clause == REFUSED), ""
        if self.cut is not None and (self.opened is None or not wanted.status):
            return _seen_faults(self), str(self.cut.data.get("why"))
        if self.opened is None:
            # A socket that ended before any answer is a refusal without a status.
            return ([], "neither opened nor refused") if self.closed is None else (["it ended without an answer"], "")
        if wanted.status:
            return [f"the handshake was accepted, expected {told_codes(wanted.status)}"], ""
        if wanted.sends and self.sent is None:
            ended = f", closed with {self.closed.data.get('code')} before" if self.closed is not None else ""
            return _handshake_faults(wanted, self.opened), f"nothing of it was sent{ended}"
        faults, undecided = [*_seen_faults(self), *_missing_faults(self)], ""
        for fault, unclear in (_close_fault(self, last_ns, local), _stay_fault(self, last_ns), _end_fault(self)):
            faults += [fault] if fault else []
            undecided = undecided or unclear
        return faults, undecided


def _refusal_faults(wanted: Expect, refused: Event, *, any_error: bool) -> list[str]:
    status = refused.data.get("status", 0)
    if any_error and status >= 400 and wanted.status:
        wanted = msgspec.structs.replace(wanted, status=(status,))
    if not wanted.status:
        return [f"the handshake was refused with {status}"]
    return answer_faults(wanted, status, refused.data.get("body"), _headers(refused))


def _headers(event: Event) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in (event.data.get("headers") or {}).items()}


def _handshake_faults(wanted: Expect, opened: Event) -> list[str]:
    faults = header_faults(wanted, _headers(opened))
    selected = opened.data.get("subprotocol")
    if wanted.subprotocol is not None and (selected or "") != wanted.subprotocol:
        faults.append(f"subprotocol {selected!r}, expected {wanted.subprotocol!r}")
    return faults


def _seen_faults(row: SocketRow) -> list[str]:
    """What came and should not have: so much is sure of a row that was not watched to its end, too."""
    wanted = row.expect
    faults = _handshake_faults(wanted, row.opened) if row.opened is not None else []
    if row.unwanted is not None:
        faults.append(f"a message with {wanted.receives_none} came ({row.unwanted.ref})")
    return faults


def _missing_faults(row: SocketRow) -> list[str]:
    wanted, faults = row.expect, []
    if wanted.receives_count is not None and row.matching != wanted.receives_count:
        faults.append(f"{row.matching} messages with {wanted.receives}, expected {wanted.receives_count}")
    elif wanted.receives and wanted.receives_count is None and not row.matching:
        faults.append(f"no message with {wanted.receives} came")
    if wanted.pongs is not None and not _answers(row.pongs, wanted.pongs):
        faults.append(f"protocol pongs with {row.pongs}, expected {list(wanted.pongs)}")
    return faults


def _answers(pongs: Sequence[str], pings: Sequence[str]) -> bool:
    """Say whether these pongs answer these pings: earlier ones may be left out, the last one never."""
    asked = iter(pings)
    return all(pong in asked for pong in pongs) and pongs[-1:] == list(pings[-1:])


def _close_fault(row: SocketRow, last_ns: int, local: bool) -> tuple[str, str]:
    wanted, closed = row.expect, row.closed
    if not wanted.close_code:
        return "", ""
    waited_ms = ((closed.at_ns if closed is not None else last_ns) - (row.last or row.begin).at_ns) // NS_PER_MS
    chosen = not local and row.clause in NUMBERED
    if closed is None or closed.data.get("by") == "self":
        told = f"still open after {waited_ms} ms, expected a close with {told_codes(wanted.close_code)}"
        if chosen:
            return "", f"{told}; the number behind it is our choice"
        return (told, "") if waited_ms >= wanted.within_ms else ("", f"watched for {waited_ms} ms only")
    code = closed.data.get("code")
    echoes = row.clause == ANSWERED and code != ABNORMAL
    own = all(code_ == 1013 or code_ >= 4000 for code_ in wanted.close_code)
    free = not local and (own or echoes)
    if code not in wanted.close_code and not free:
        return f"closed with {code}, expected {told_codes(wanted.close_code)}", ""
    if waited_ms > wanted.within_ms and not chosen:
        return f"closed after {waited_ms} ms, expected within {wanted.within_ms} ms", ""
    return "", ""


def _stay_fault(row: SocketRow, last_ns: int) -> tuple[str, str]:
    wanted, closed = row.expect, row.closed
    if not wanted.stays_open_ms:
        return "", ""
    until_ns = closed.at_ns if closed is not None else last_ns
    stayed_ms = (until_ns - (row.last or row.begin).at_ns) // NS_PER_MS
    if stayed_ms >= wanted.stays_open_ms:
        return "", ""
    if closed is None or closed.data.get("by") == "self":
        return "", f"watched for {stayed_ms} of {wanted.stays_open_ms} ms"
    return f"the peer closed with {closed.data.get('code')} after {stayed_ms} ms, expected it to stay open", ""


def _end_fault(row: SocketRow) -> tuple[str, str]:
    """How long TCP lived on is judged by the family of endings; a row only says whether its end was seen."""
    unseen = row.clause == ENDS_TCP and row.tcp_end is None
    return "", "the end of TCP behind the close frame was not seen" if unseen else ""
