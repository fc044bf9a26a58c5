"""REST answers: status, shape and timestamps of every call in the history, whatever it was made for."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from harness.checkers.calls import Call, Calls
from harness.checkers.stamps import is_contract_stamp
from harness.checkers.tally import Fold
from harness.history import Event
from reference_server.contract.operations import BASE, BY_NAME
from reference_server.contract.operations.model import JSON as JSON_TYPE

JSON, SCHEMA, TIME, VARY = "REST-JSON-1", "REST-SCHEMA-1", "REST-TIME-1", "SEC-ORIGIN-2"

GIVEN_BY_CALLERS: Final = frozenset({"input", "metadata", "result", "config", "constraints", "checks"})
"""Fields whose content callers (or executors) chose: no rule of ours holds inside them."""


class Answers(Fold):
    """Judges each answer by itself; memory is bounded by the calls in flight."""

    name = "answers"
    clauses = (JSON, SCHEMA, TIME, VARY)
    live = True

    def begin(self) -> None:
        """Forget everything."""
        self._calls = Calls()

    def take(self, event: Event) -> None:
        """Judge the answer that this event brings."""
        call = self._calls.see(event)
        if call is None or not call.status:
            return
        self._judge_json(call)
        self._judge_stamps(call)
        self._judge_schema(call)
        self._judge_sharing(call)

    def _judge_json(self, call: Call) -> None:
        kind = call.headers.get("content-type")
        if call.body is None or kind is None:
            return
        main = kind.partition(";")[0].strip().lower()
        self.tally.judge(
            JSON, main == "application/json", f"{call.told} answered {kind}, not application/json", call.done
        )
        if call.done.data.get("escaped") is not None:
            raw = not call.done.data["escaped"]
            self.tally.judge(JSON, raw, f"{call.told} answered \\u-escaped JSON, not raw UTF-8", call.done)

    def _judge_sharing(self, call: Call) -> None:
        if call.path.startswith(f"{BASE}/") and "content-type" in call.headers:
            varies = {word.strip().lower() for word in call.headers.get("vary", "").split(",")}
            told = f"{call.told} answered {call.status} without Vary: Origin"
            self.tally.judge(VARY, bool(varies & {"origin", "*"}), told, call.done)

    def _judge_stamps(self, call: Call) -> None:
        for field, value in _stamps(call.body):
            told = f"{call.told} answered {field} {value!r}, not RFC 3339 in UTC with a fraction"
            self.tally.judge(TIME, is_contract_stamp(value), told, call.done)

    def _judge_schema(self, call: Call) -> None:
        operation = BY_NAME.get(call.operation)
        # A case may ask with another method or a broken path; then its route is not this operation's.
        if operation is None or call.invoke.data.get("method", operation.method) != operation.method:
            return
        allowed = operation.statuses
        if call.invoke.case is None:
            told = f"{call.told} answered {call.status}, not one of {_listed(allowed)}"
            self.tally.judge(SCHEMA, call.status in allowed, told, call.invoke, call.done)
        if call.status == operation.success and operation.media == JSON_TYPE and operation.answer is not type(None):
            fault = misfit(call.body, operation.answer)
            told = f"{call.told} answered a body that is no {operation.answer.__name__}: {fault}"
            self.tally.judge(SCHEMA, not fault, told, call.done)


def misfit(body: Any, model: type[Any]) -> str:
    """Return how a body differs from its model, or nothing."""
    try:
        msgspec.convert(body, model, strict=True)
    except msgspec.ValidationError as fault:
        return str(fault)
    return ""


def _stamps(body: Any, field: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(body, dict):
        for name, value in body.items():
            if name in GIVEN_BY_CALLERS:
                continue
            if (name.endswith("_at") or name in ("time", "timestamp", "server_time")) and value is not None:
                yield f"{field}{name}", value
            else:
                yield from _stamps(value, f"{field}{name}.")
    elif isinstance(body, list):
        for number, item in enumerate(body):
            yield from _stamps(item, f"{field}{number}.")


def _listed(statuses: frozenset[int]) -> str:
    return ", ".join(str(status) for status in sorted(statuses))
