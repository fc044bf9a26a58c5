"""Errors of REST: their form, what they must not tell, when to come again, and what a 401 says (contract §§1, 2)."""

import re
from collections.abc import Iterator
from typing import Any, Final

from harness.checkers.answers import misfit
from harness.checkers.calls import Call, Calls
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract.codes import ERROR_PHRASES, TOKEN_FAULTS
from reference_server.contract.models import ErrorBody
from reference_server.contract.operations import BASE, BY_NAME

FORM, SILENT, AGAIN, WHICH = "REST-ERR-1", "REST-ERR-2", "REST-ERR-3", "SEC-TOKEN-7"
CODE: Final = re.compile(
    r"Traceback \(most recent|File \"[^\"]+\", line|\n\s+at \S+ ?\(|\b[A-Z]\w*(?:Error|Exception)\b|goroutine \d+ \["
)
"""Stack traces of the usual languages, and names of types of errors."""

LATER: Final = (429, 503)
PASSWORDS: Final = ("login", "update_me")
"""Here a 401 may be of the password, which none of the words of a token fits."""


class Errors(Fold):
    """Judges each error by itself; memory is bounded by the calls in flight."""

    name = "errors"
    clauses = (FORM, SILENT, AGAIN, WHICH)
    live = True

    def begin(self) -> None:
        """Forget everything."""
        self._calls = Calls()

    def take(self, event: Event) -> None:
        """Judge the error that this event brings."""
        call = self._calls.see(event)
        if call is None or call.status < 400 or not (call.path.startswith(BASE) or call.operation in BY_NAME):
            return
        told = f"{call.told} answered {call.status}"
        fault = misfit(call.body, ErrorBody)
        self.tally.judge(FORM, not fault, f"{told} with a body that breaks the form: {fault}", call.done)
        trace = _trace(call)
        self.tally.judge(SILENT, not trace, f"{told} with {trace!r}, which is of the code", call.done)
        if call.status in LATER:
            faults = list(_later_faults(call))
            self.tally.judge(AGAIN, not faults, f"{told} and {'; '.join(faults)}", call.done)
        if call.status == 401 and isinstance(call.body, dict):
            faults = list(_unauthorized_faults(call, call.body))
            self.tally.judge(WHICH, not faults, f"{told} and {'; '.join(faults)}", call.done)


def _trace(call: Call) -> str:
    found = (CODE.search(text) for text in _texts(call.body))
    return next((match.group() for match in found if match is not None), "")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _later_faults(call: Call) -> Iterator[str]:
    after = call.body.get("retry_after") if isinstance(call.body, dict) else None
    if not isinstance(after, int) or isinstance(after, bool) or after < 1:
        yield f"retry_after is {after!r}, expected whole seconds from 1"
    if call.headers.get("retry-after", "") != str(after):
        yield f"Retry-After is {call.headers.get('retry-after')!r}, retry_after {after!r}"


def _unauthorized_faults(call: Call, body: dict[str, object]) -> Iterator[str]:
    if body.get("error") != ERROR_PHRASES[401]:
        yield f"its error is {body.get('error')!r}, expected {ERROR_PHRASES[401]!r}"
    message = str(body.get("message")).lower()
    if call.operation not in PASSWORDS and not any(word in message for word in TOKEN_FAULTS):
        yield f"its message {message!r} says none of {', '.join(TOKEN_FAULTS)}"
