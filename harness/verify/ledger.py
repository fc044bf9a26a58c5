"""What the ledgers of a load tell becomes evidence: lost, doubled and foreign pushes each break a clause (contract §5).

A virtual user accounts for every push it is owed and writes the sums as a `sample` event of series `ledger`. No checker
sees those pushes one by one, so the sums are judged here, and the results of the run carry them like anything else.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from harness.checkers.base import RunFacts
from harness.history import Event
from harness.judge import Known, blank_result, told_known
from harness.records import Verdicts
from harness.verdicts import LEDGER, ClauseResult, Status, Violation

BROKEN: Final = {
    "RT-PUSH-1": ("lost", "{count} of {expected} pushes owed to {account} under load never came"),
    "RT-PREFIX-2": ("doubled", "{count} of {expected} pushes owed to {account} under load came more than once"),
    "RT-SCHEMA-1": (
        "unreadable",
        "{count} messages that {account} was sent under load could not be read as what they are",
    ),
    "RT-ISOLATION-1": ("foreign", "{account} was sent {count} pushes under load that were owed to nobody or to others"),
}
"""The clause that each kind of loss breaks."""
ACCUSED_ONLY: Final = frozenset({"RT-SCHEMA-1"})
"""The virtual users look at so little of a message that one they can read proves nothing of its shape."""
SHOWN_MAX: Final = 10
"""So many accounts are told of one by one; the reason counts all."""


def with_ledger(verdicts: Verdicts, events: Iterable[Event], facts: RunFacts, known: Sequence[Known]) -> Verdicts:
    """Return the verdicts with what the ledgers tell; a loss counts even where its clause was out of scope."""
    ledgers = [event for event in events if event.kind == "sample" and event.data.get("series") == LEDGER]
    if not ledgers:
        return verdicts
    results = tuple(_judged(result, ledgers, facts, known) for result in verdicts.results)
    inside = {result.id for result in results}
    besides = (_judged(blank_result(clause), ledgers, facts, known) for clause in BROKEN if clause not in inside)
    broken = tuple(result for result in besides if result.status is Status.VIOLATED)
    return msgspec.structs.replace(
        verdicts, results=(*results, *broken), out_of_scope=verdicts.out_of_scope - len(broken)
    )


def _judged(result: ClauseResult, ledgers: Sequence[Event], facts: RunFacts, known: Sequence[Known]) -> ClauseResult:
    if result.id not in BROKEN:
        return result
    count, _ = BROKEN[result.id]
    found = tuple(_violation(result.id, event, facts) for event in ledgers if event.data.get(count))
    checked = sum(int(event.data["expected"]) for event in ledgers)
    if found:
        return _violated(result, found, ledgers, known)
    if not checked or result.status is Status.UNSUPPORTED or result.id in ACCUSED_ONLY:
        return result
    holds: dict[str, Any] = {"status": Status.HOLDS, "why": ""} if result.status is Status.UNKNOWN else {}
    return msgspec.structs.replace(result, **_seen(result, checked), **holds)


def _violated(
    result: ClauseResult, found: tuple[Violation, ...], ledgers: Sequence[Event], known: Sequence[Known]
) -> ClauseResult:
    count, _ = BROKEN[result.id]
    total = sum(int(event.data.get(count, 0)) for event in ledgers)
    checked = sum(int(event.data["expected"]) for event in ledgers)
    return msgspec.structs.replace(
        result,
        **_seen(result, checked),
        status=Status.VIOLATED,
        why=result.why if result.status is Status.VIOLATED else f"{total} messages {count} under load: {found[0].what}",
        violations=(*result.violations, *found[:SHOWN_MAX]),
        known=told_known(result.id, known),
    )


def _seen(result: ClauseResult, checked: int) -> dict[str, Any]:
    return {
        "checkers": tuple(sorted({*result.checkers, LEDGER})),
        "checked": result.checked + checked,
    }


def _violation(clause: str, event: Event, facts: RunFacts) -> Violation:
    count, sentence = BROKEN[clause]
    account = event.account or "a user"
    what = sentence.format(count=event.data[count], expected=event.data["expected"], account=account)
    return Violation(what, (event.ref,), replay=facts.replay)
