"""Cases: rows of a conformance suite, judged by what the row itself expects.

The runner of a case writes what the row expects (`harness/checkers/expectations.py`) into the event that begins it, so
that judging reads the record alone. An event's `case` is `<CLAUSE-ID>/<name>`; with an `expect` the clause must stand
in `CASED`. A misspelt key in a record makes this checker raise.

REST: `record("invoke", op=n, case="REST-ID-1/odd-id", operation=…, method=…, path=…, expect=expect(status=[404]))`,
completed by `ok`/`fail` of the same op with `data {status, body, headers}` (header names in lower case).
A completing `info` (no answer) leaves the row undecided. An invoke with `case` but without `expect` is a step of
set-up and is not judged here. Several invokes may share one case name.

Socket: `record("connecting", connection="c7", case="RT-CLOSE-1/binary", expect=expect(close_code=[1003]))`, one
connection a case. What follows on that connection of that recorder is judged (`harness/checkers/socket_rows.py`).
`closed` with `by: "self"` ends the case: what had to come before it did not come.

On a target that is not ours (`RunFacts.local` false) a close code of this project's choice (4xxx, 1013) is judged
on the effect: any close by the peer holds (contract §10). A row of a clause in `NUMBERED` that sees no close in time
there is undecided: how many, or how long, is this project's choice. So is the status of a refused upgrade (RFC 6455
§4.2.1, §4.2.2: "an appropriate HTTP error code (such as …)"), and the code that answers a close frame ("typically
echos", §5.5.1).
"""

from typing import Any

import msgspec

from harness.checkers.calls import Call, Calls
from harness.checkers.cased import CASED
from harness.checkers.expectations import answer_faults, expected_of
from harness.checkers.socket_rows import SocketRow
from harness.checkers.tally import Fold
from harness.history import Event


class Cases(Fold):
    """Judges every row by its own expectation; memory is bounded by the rows of a suite."""

    name = "cases"
    clauses = CASED

    def begin(self) -> None:
        """Forget everything."""
        self._calls = Calls()
        self._rows: dict[tuple[str, str], SocketRow] = {}
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
        wanted = expected_of(call.invoke)
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
            wanted = expected_of(event)
            if wanted is not None:
                self._rows[key] = SocketRow(event, _split(event)[0], wanted)
            return
        row = self._rows.get(key)
        if row is None:
            return
        row.take(event)
        if row.over:
            self._end_row(key)

    def _end_row(self, key: tuple[str, str]) -> None:
        row = self._rows.pop(key, None)
        if row is not None:
            self._judge_row(row)

    def _judge_row(self, row: SocketRow) -> None:
        clause, name = _split(row.begin)
        faults, undecided = row.found(self._last_ns, local=self.run.local)
        if faults and row.expect.ours and not self.run.local:
            self.tally.undecided(clause, f"case {name}: {'; '.join(faults)}, which is asked of ours only")
        elif undecided and not faults:
            self.tally.undecided(clause, f"case {name}: {undecided}")
        else:
            self.tally.judge(clause, not faults, f"case {name}: {'; '.join(faults)}", *row.evidence)


def _split(event: Event) -> tuple[str, str]:
    clause, _, name = (event.case or "").partition("/")
    if clause not in CASED:
        raise ValueError(f"{event.ref} is a case of '{clause}', expected a clause listed in checkers.cased.CASED")
    return clause, name


def _canonical(body: Any) -> bytes:
    return msgspec.json.encode(body, order="sorted")
