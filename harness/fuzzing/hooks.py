"""The rules, promises and file contents, handed to Schemathesis; and every answer, handed to the outcome.

Schemathesis keeps hooks for its whole process, so this is done once, by `register`.
"""

from typing import Any, Final

import schemathesis
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import ObjectLevelAuthorizationViolation, RejectedPositiveData, UseAfterFree
from schemathesis.transport.serialization import Binary

from harness.fuzzing.outcome import Outcome
from harness.fuzzing.rules import (
    CONTENTS,
    HANDSHAKE,
    PROMISES,
    RULES,
    Known,
    Promise,
    Proof,
    loan_to,
    mend_handshake,
    mend_text,
)

FAILURES: Final[dict[str, type[Failure]]] = {
    "negative_data_rejection": AcceptedNegativeData,
    "object_level_authorization": ObjectLevelAuthorizationViolation,
    "positive_data_acceptance": RejectedPositiveData,
    "use_after_free": UseAfterFree,
}
"""How the checks that a promise speaks of fail."""


class Gone:
    """The versions of each agent's binaries that were deleted and have not been uploaded again."""

    def __init__(self) -> None:
        self._versions: dict[str, set[str]] = {}

    def take(self, name: str, agent_id: str, answer: Any) -> None:
        """Learn from the JSON of a success."""
        versions = self._versions.setdefault(agent_id, set())
        if name == "delete_binary":
            versions.update(answer["deleted"])
        elif name in ("upload_binary", "put_binary"):
            versions.discard(answer["version"])

    def of(self, agent_id: str) -> frozenset[str]:
        """Return those of one agent."""
        return frozenset(self._versions.get(agent_id, ()))


def register(outcome: Outcome, known: Known) -> None:
    """Register everything with Schemathesis, for the rest of the process."""
    gone = Gone()

    @schemathesis.hook
    def before_call(_: HookContext, case: Case[Any], __: dict[str, Any]) -> None:
        outcome.mended.update(mend(case, known))

    @schemathesis.hook
    def after_call(_: HookContext, case: Case[Any], response: Response) -> None:
        if response.request.method != case.operation.method.upper():
            return
        outcome.count(_name(case), response.status_code)
        if 200 <= response.status_code < 300:
            gone.take(_name(case), str(case.path_parameters.get("id")), _json(response))

    @schemathesis.hook
    def filter_failure(_: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
        versions = gone.of(str(case.path_parameters.get("id")))
        proof = Proof(response.status_code, _json(response), case.query, versions)
        promise = promise_of(failure, _name(case), proof)
        if promise is None:
            outcome.findings.add((_name(case), type(failure).__name__))
        else:
            outcome.promised[promise.reason] += 1
        return promise is None


def _json(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _name(case: Case[Any]) -> str:
    return str(case.operation.definition.raw.get("operationId", case.operation.label))


def mend(case: Case[Any], known: Known) -> list[str]:
    """Mend a case by every rule that is for it; return their names."""
    name = _name(case)
    if name == HANDSHAKE:
        return _mended_handshake(case)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return []
    return [*_mended_body(name, case), *_mended_files(case), *_mended_query(case), *_lent(name, case, known)]


def _mended_handshake(case: Case[Any]) -> list[str]:
    mended = mend_handshake(case.headers)
    if len(mended) == len(case.headers):
        return []
    case.headers.clear()
    case.headers.update(mended)
    return [HANDSHAKE]


def _mended_body(name: str, case: Case[Any]) -> list[str]:
    names: list[str] = []
    body: Any = case.body
    for rule in RULES if isinstance(body, dict) else ():
        mended = rule.mend(name, body)
        if mended != body:
            names.append(rule.name)
            body = mended
    if names:
        case.body = body
    return names


def _mended_files(case: Case[Any]) -> list[str]:
    body: Any = case.body
    fields = [field for field in CONTENTS if isinstance(body, dict) and field in body]
    for field in fields:
        case.body = {**body, field: CONTENTS[field].made_of(_text(body[field]))}
    return fields


def _text(drawn: Any) -> str:
    return drawn.data.decode("latin-1") if isinstance(drawn, Binary) else str(drawn)


def _lent(name: str, case: Case[Any], known: Known) -> list[str]:
    loan = loan_to(name, (dict(case.path_parameters), case.body))
    if loan is None:
        return []
    path = loan.path(known)
    if path is not None:
        case.path_parameters, case.query = dict(path), {}
    fields = loan.body(known)
    if fields and isinstance(case.body, dict):
        case.body = {**case.body, **fields}
    return [loan.reason]


def _mended_query(case: Case[Any]) -> list[str]:
    mended = mend_text("", dict(case.query or {}))
    if mended == dict(case.query or {}):
        return []
    case.query = mended
    return ["text"]


def promise_of(failure: Failure, name: str, proof: Proof) -> Promise | None:
    """Return the promise that an answer keeps by what fails a check; None when it is a finding."""
    for promise in PROMISES:
        if name in promise.operations and isinstance(failure, FAILURES[promise.check]) and promise.kept(proof):
            return promise
    return None
